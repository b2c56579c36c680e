"""The image at the modes of the posterior, where the prior is a density.

    x = G(z) + nu,    x^ = sum over c of p(c | y) (G(z_c) + E[nu | y, z_c])

z_c maximises p(z | y) within one Gaussian of the latents' law, and p(c | y) is Laplace's
approximation there (:mod:`ganprior.solvers.modes`). What the generator cannot draw is not forced
upon the image: nu takes it up (:mod:`ganprior.solvers.whitened`; J. Kaipio, E. Somersalo, Journal
of Computational and Applied Mathematics 198(2), 2007).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Self, TypeVar

import torch
from torch import Tensor

from ganprior.baselines.inputs import checked_measurements, linear_facts, split_finite
from ganprior.baselines.measured_rows import measured_rows
from ganprior.baselines.operators import operators
from ganprior.baselines.outcome import Outcome
from ganprior.numbers import check_count, check_noise_std
from ganprior.priors import Prior
from ganprior.priors.check_prior import check_prior
from ganprior.priors.density import Density
from ganprior.priors.distance_law import DistanceLaw
from ganprior.progress import Wish, with_progress
from ganprior.registry import Count, register
from ganprior.solution import Reconstructor, Solution, without_autocast
from ganprior.solvers.misfit import unlike_statuses
from ganprior.solvers.modes import Modes, find_modes
from ganprior.solvers.search_options import MOST_RESTARTS, MOST_STEPS
from ganprior.solvers.whitened import Whitened, WhitenedMatrix
from ganprior.solvers.whitened_apart import WhitenedApart
from ganprior.streams import Streams

AnySolution = TypeVar("AnySolution", bound=Solution)


@dataclass(frozen=True)
class Distances:
    """How far measurements of B signals are from what the density expects.

    Attributes
    ----------
    square : Tensor
        T of :mod:`ganprior.priors.distance_law`, float64, (B,).
    m : Tensor
        Numbers measured, float64, (B,).
    """

    square: Tensor
    m: Tensor

    @classmethod
    def like(cls, objective: Tensor) -> Self:
        """Those of signals of which nothing is known yet, as many as numbers are given."""
        return cls(*(torch.ones_like(objective, dtype=torch.float64) for _ in range(2)))

    def note(self, signals: Tensor, white: Whitened, modes: Modes) -> None:
        """Note those of some of the signals."""
        self.square[signals] = modes.square[modes.best]
        self.m[signals] = float(white.y.shape[1])


@register(
    "solver",
    "map",
    "posterior modes of z and of what G leaves out, for a prior with a density",
    Count(
        "components",
        "Gaussians of the latents that are searched to the end",
        example=4,
        most=MOST_RESTARTS,
    ),
    Count("steps", "most first-order steps for each", example=100, most=MOST_STEPS),
    needs="linear",
)
class MAP(Reconstructor):
    """Mean of the images at the posterior's modes; any linear physics.

    Parameters
    ----------
    prior : Prior
        Supplies G, and with ``prior.density`` the laws of z and of what G leaves out.
    noise_std : float, optional
        Standard deviation of each entry of y, of the real and of the imaginary part where it is
        complex; 0 is allowed. When absent: ``physics.noise_model.sigma`` where there is one, else
        0.
    components : int
        Gaussians of the latents' law whose modes are searched to the end, for each signal those
        that are ahead after ten steps.
    steps : int
        First-order steps at most for each of them.

    Raises
    ------
    ValueError
        If ``prior`` is no ``Prior`` or has no density, ``noise_std`` is negative or not finite, or
        a number is below 1.

    Examples
    --------
    >>> from ganprior import MAP, Gaussian, Prior
    >>> prior = Prior.load("mnist-k64-vae")
    >>> physics = Gaussian(50, prior.image_shape, 0)
    >>> solver = MAP(prior, noise_std=0.01, components=1, steps=20)
    >>> solver.solve(physics(prior.sample(1, 0)), physics).x.shape
    torch.Size([1, 1, 28, 28])
    """

    def __init__(
        self,
        prior: Prior,
        noise_std: float | None = None,
        *,
        components: int = 4,
        steps: int = 100,
    ) -> None:
        super().__init__()
        check_prior(prior)
        if prior.density is None:
            raise ValueError(
                "the prior has no density; fit one with 'ganprior fit-density', or take CSGM, "
                "which needs none"
            )
        check_noise_std(noise_std)
        check_count("components", components, most=MOST_RESTARTS)
        check_count("steps", steps, most=MOST_STEPS)
        self.prior = prior
        self.density: Density = prior.density
        self.noise_std = noise_std
        self.components = components
        self.steps = steps

    @with_progress
    @without_autocast
    def solve(
        self, y: Tensor, physics: Any, *, rng: Streams | int = 0, progress: Wish = False
    ) -> Solution:
        """Reconstruct and report; see :class:`~ganprior.solution.Solution`.

        Parameters
        ----------
        y : Tensor
            Measurements of B signals, first axis B; real or complex.
        physics : object
            Linear, with ``A`` and ``A_adjoint``, as in deepinv. Up to 4,096 measurements its
            matrix is formed; any number is taken where no pixel is measured twice, as by masks
            and means over blocks.
        rng : Streams or int
            Not used: nothing here is random.
        progress : bool or callable
            True for a bar of the steps, on a terminal and in notebooks; or a function that is told
            the number of steps done and the number there are at most.

        Returns
        -------
        Solution
            ``objective`` is -log p(y) by Laplace's approximation, comparable with that of
            :class:`~ganprior.baselines.gaussian_mixture.GaussianMixture`. ``z`` is the most
            probable mode; ``x`` is not G of it. ``p_value`` tells images of another kind. A signal
            whose measurements are not all finite has status ``nonfinite`` and an image of zeros.

        Raises
        ------
        ValueError
            If y is not a tensor, the physics is not linear, has no adjoint, does not fit y or the
            prior, or has more measurements than that and measures a pixel twice.
        """
        with torch.inference_mode(False), torch.no_grad():
            measured, finite = split_finite(checked_measurements(y, physics))
            x = measured.new_zeros(len(y), *self.prior.image_shape, dtype=y.dtype.to_real())
            z = x.new_zeros(len(y), *self.prior.latent.shape)
            objective, steps = x.new_zeros(len(y)), finite.long()
            distances = Distances.like(objective)
            converged = torch.ones_like(finite)
            for own, white in self.whitened(measured, physics):
                modes = self.modes_of(white, x)
                objective[own] = (white.log_scale - modes.log_joint.logsumexp(0)).to(x)
                x[own] = self._mean(white, modes).to(x)
                steps[own] += modes.steps.sum(0)
                best = modes.best
                distances.note(own, white, modes)
                latents = self.density.to(x.device).latents(modes.u[best], modes.component[best])
                z[own] = latents.unflatten(1, self.prior.latent.shape).to(z)
                converged[own] = modes.converged[best]
            solution = Outcome(x, objective, converged, steps).solution(y, physics, finite)
            return self.judged(replace(solution, z=z), distances)

    def distances(self, y: Tensor, physics: Any) -> Distances:
        """How far measurements are from what the density expects; arguments as for solve.

        Raises
        ------
        ValueError
            As :meth:`solve`.
        """
        with torch.inference_mode(False), torch.no_grad():
            like = y.new_zeros(len(y), dtype=y.dtype.to_real())
            found = Distances.like(like)
            for signals, white in self.whitened(checked_measurements(y, physics), physics):
                found.note(signals, white, self.modes_of(white, like))
        return found

    def judged(self, solution: AnySolution, distances: Distances) -> AnySolution:
        """The solution with a p-value, and ``unlike_prior`` where that is small."""
        law = DistanceLaw.of_card(self.prior.card, "distances")
        if law is None:
            return solution
        p = law.p_value(distances.square, distances.m, self.prior.latent.size).to(solution.x)
        p = torch.where(solution.objective.isfinite(), p, torch.nan)
        return replace(solution, p_value=p, status=unlike_statuses(solution.status, p))

    def whitened(self, y: Tensor, physics: Any) -> Iterator[tuple[Tensor, Whitened]]:
        """Signals, by position (S,), that share an operator and a noise, and their whitened y.

        The measurements must be finite.

        Raises
        ------
        ValueError
            As :meth:`solve`.
        """
        known, image = linear_facts(y, physics)
        if tuple(image.shape[1:]) != self.prior.image_shape:
            raise ValueError(
                f"y has images of size {tuple(image.shape[1:])} and the prior draws "
                f"{self.prior.image_shape}; take a prior of that size"
            )
        law, noise_std = self.density.deviation.to(image.device), known.noise_std(self.noise_std)
        rows = measured_rows(physics, known, y, image)
        if rows is not None:
            for group in rows.groups(noise_std):
                white = WhitenedMatrix.of(law, group.matrix, group.y, group.noise_std)
                yield group.signals, white
            return
        for part in operators(physics, known, y, noise_std):
            apart = WhitenedApart.of(law, part.linear, part.y, part.noise_std)
            if apart is None:
                raise ValueError(
                    f"physics {type(physics).__name__} has more measurements than a covariance of "
                    "them can be factorised for (4,096 in all, fewer where each signal has its "
                    "own), and measures pixels more than once; take CSGM, or fewer signals at a "
                    "time"
                )
            yield part.signals, apart

    def modes_of(self, white: Whitened, like: Tensor) -> Modes:
        """Modes of whitened measurements; images are of the type and on the device of ``like``."""
        density = self.density.to(like.device)
        kept = min(self.components, density.components)
        return find_modes(self.prior, density, white, like, kept, self.steps)

    def _mean(self, white: Whitened, modes: Modes) -> Tensor:
        """Mean image of the modes, float64 (S, C, H, W)."""
        shares = modes.log_joint.softmax(0)[..., None]
        images = [own.flatten(1).double() + white.deviations(own) for own in modes.images]
        return (shares * torch.stack(images)).sum(0).unflatten(1, self.prior.image_shape)
