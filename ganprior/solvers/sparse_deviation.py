"""A generator and what it cannot draw, where that is sparse (Sparse-Gen).

    min over z, nu of  1/2 ||y - A (G(z) + nu)||^2 + lambda / 2 ||z||^2 + alpha ||B nu||_1
    subject to 0 <= G(z) + nu <= 1,    x = G(z) + nu

M. Dhar, A. Grover, S. Ermon, "Modeling sparse deviations for compressed sensing using generative
models", ICML 2018, arXiv 1807.01442, equation (6), with B the identity, a Haar wavelet or a cosine
transform. As in the authors' code z is searched alone first, and the box is kept. Then their Adam
takes steps in z and nu together; here each is minimised in turn, z from where it was, and nu, for
which the problem is convex, to its minimum. The best of these pairs is the solution.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any, Literal

import torch
from torch import Tensor

from ganprior.baselines.alphas import default_alpha
from ganprior.baselines.dct import DCT
from ganprior.baselines.inputs import checked_measurements, linear_facts, split_finite
from ganprior.baselines.linear_map import Basis, LinearMap, Pixels
from ganprior.baselines.outcome import Outcome
from ganprior.baselines.penalties import CoefficientNorm
from ganprior.baselines.primal_dual import minimise_in_box
from ganprior.baselines.shared_options import ALPHA
from ganprior.baselines.wavelet import WaveletTransform, orthogonal_wavelet
from ganprior.physics import Facts
from ganprior.physics.probing import as_rows
from ganprior.priors import Prior
from ganprior.progress import Wish, with_progress
from ganprior.registry import Choice, Count, register
from ganprior.solution import Reconstructor, Solution, squared_norm, without_autocast
from ganprior.solvers.csgm import CSGM
from ganprior.streams import Streams

# Bases, and the Lassos with the box, whose tuned alphas are the default: with G = 0 this is one.
LASSOS = {"pixel": "pixel-box", "haar": "wavelet-box", "dct": "dct-box"}
# Of the convex part: duality gap, relative, and steps.
TOLERANCE, MOST_STEPS = 1e-4, 5000


@register(
    "solver",
    "sparse-deviation",
    "csgm, and what the generator cannot draw as an image that is sparse",
    Choice(
        "basis",
        "where it is sparse, pixel by default",
        words=("pixel", "haar", "dct"),
        example="haar",
    ),
    ALPHA,
    Count("rounds", "searches of the sparse part, 1: of what csgm leaves alone", example=3),
    needs="linear",
    random=True,
)
class SparseDeviation(Reconstructor):
    """x^ = G(z^) + nu^ with a sparse nu; any linear physics.

    Parameters
    ----------
    prior : Prior
        Supplies G.
    noise_std : float, optional
        Standard deviation of each entry of y, from which default weights follow. When absent:
        ``physics.noise_model.sigma`` where there is one, else 0.
    basis : {"pixel", "haar", "dct"}
        B.
    alpha : float, optional
        Weight of the l1 norm, positive; when absent that of the Lasso with the box in the same
        basis, tuned for m / n and the noise.
    latent_weight : float, optional
        lambda; that of :class:`~ganprior.solvers.csgm.CSGM` when absent.
    rounds : int
        Searches of nu: with 1 it is fitted to what CSGM leaves, with more z is searched again in
        between, given nu.

    Raises
    ------
    ValueError
        If ``prior`` is no ``Prior``, there is no such basis, ``alpha`` is not positive,
        ``noise_std`` or ``latent_weight`` is negative or not finite, or ``rounds`` is below 1.

    Examples
    --------
    >>> from ganprior import Gaussian, Prior, SparseDeviation
    >>> prior = Prior.load("mnist")
    >>> physics = Gaussian(100, prior.image_shape, 0)
    >>> solver = SparseDeviation(prior, noise_std=0.01, basis="haar", rounds=1)
    >>> solver(physics(prior.sample(1, 0)), physics).shape
    torch.Size([1, 1, 28, 28])
    """

    def __init__(
        self,
        prior: Prior,
        noise_std: float | None = None,
        *,
        basis: Literal["pixel", "haar", "dct"] = "pixel",
        alpha: float | None = None,
        latent_weight: float | None = None,
        rounds: int = 3,
    ) -> None:
        super().__init__()
        if basis not in LASSOS:
            raise ValueError(f"basis must be one of {', '.join(LASSOS)}, got {basis!r}")
        if alpha is not None and not 0 < alpha < math.inf:
            raise ValueError(f"alpha={alpha} must be positive; leave it out for the tuned default")
        if rounds < 1:
            raise ValueError(f"rounds must be at least 1, got {rounds}")
        self.latents = CSGM(prior, latent_weight, noise_std=noise_std)
        self.basis = basis
        self.alpha = alpha
        self.rounds = rounds

    @with_progress
    @without_autocast
    @torch.no_grad()
    def solve(
        self,
        y: Tensor,
        physics: Any,
        *,
        rng: Streams | int = 0,
        progress: Wish = False,
        drawn: Solution | None = None,
    ) -> Solution:
        """Reconstruct and report; see :class:`~ganprior.solution.Solution`.

        Parameters
        ----------
        y : Tensor
            Measurements of B signals, first axis B; real or complex.
        physics : object
            Linear, with ``A`` and ``A_adjoint``, as in deepinv.
        rng : Streams or int
            Random streams of the signals, or the seed to make them from.
        progress : bool or callable
            True for a bar of the steps, on a terminal and in notebooks; or a function that is told
            the number of steps done and the number there are at most.
        drawn : Solution, optional
            What CSGM finds of these measurements, where it is known: several weights can go on
            from the same.

        Returns
        -------
        Solution
            ``objective`` is twice that at the head of this module; ``z`` is the latent of G(z^),
            and ``x`` is not G of it.

        Raises
        ------
        ValueError
            If y is not a tensor, or the physics is not linear, has no adjoint or does not fit y or
            the prior.
        """
        measured, finite = split_finite(checked_measurements(y, physics))
        known, image = linear_facts(measured, physics)
        alpha = self._alphas(known, image)
        search = _SparsePart(self._penalty(image), physics, known, measured, image, alpha)
        drawn = drawn or self.latents.solve(measured, physics, rng=rng)
        settings = {**drawn.settings, "alpha": alpha}
        nu = search(drawn.x)
        best, z = _joint(drawn, nu, image), drawn.z
        steps = best.steps
        for _ in range(1, self.rounds):
            left = measured - physics.A(nu.x)
            assert z is not None
            assert drawn.z is not None
            drawn = self.latents.solve(left, physics, rng=rng, starts=drawn.z[None])
            nu = search(drawn.x, start=nu.x)
            assert drawn.z is not None
            found = _joint(drawn, nu, image)
            steps = steps + found.steps
            # z is searched without regard to the box, which may cost more than it gains.
            lower = found.objective < best.objective
            best, z = _chosen(lower, found, best), _where(lower, drawn.z, z)
        outcome = replace(best, steps=steps, settings=settings)
        return replace(outcome.solution(y, physics, finite), z=z)

    def _penalty(self, image: Tensor) -> CoefficientNorm:
        bases: dict[str, Any] = {
            "pixel": lambda: Pixels(),
            "haar": lambda: WaveletTransform(image, orthogonal_wavelet("haar")),
            "dct": lambda: DCT(image),
        }
        found: Basis = bases[self.basis]()
        return CoefficientNorm(found, image.new_ones(1))

    def _alphas(self, known: Facts, image: Tensor) -> Tensor:
        """Weight of every signal, (B,)."""
        if self.alpha is not None:
            return torch.full_like(image[:, 0, 0, 0], self.alpha)
        noise_std = known.noise_std(self.latents.noise_std)
        name = LASSOS[self.basis]
        return default_alpha(name, known.n, known.m, known.scale, noise_std).to(image)


def _joint(drawn: Solution, nu: Outcome, image: Tensor) -> Outcome:
    """G(z) + nu and its objective, ||y - A x||^2 + lambda ||z||^2 + 2 alpha ||B nu||_1."""
    assert drawn.z is not None
    penalty = drawn.settings["latent_weight"].to(image) * squared_norm(drawn.z)
    steps = drawn.steps + nu.steps
    return Outcome(drawn.x + nu.x, 2 * nu.objective + penalty, nu.converged, steps)


def _chosen(first: Tensor, found: Outcome, other: Outcome) -> Outcome:
    """Images, objective and convergence of ``found`` for some signals, else of ``other``."""
    names = ("x", "objective", "converged")
    x, objective, converged = (
        _where(first, getattr(found, name), getattr(other, name)) for name in names
    )
    return replace(other, x=x, objective=objective, converged=converged)


def _where(chosen: Tensor, one: Tensor, other: Tensor) -> Tensor:
    return torch.where(chosen.reshape(-1, *[1] * (one.ndim - 1)), one, other)


class _SparsePart:
    """The convex part: nu of images G(z), in [-G(z), 1 - G(z)]."""

    def __init__(
        self,
        penalty: CoefficientNorm,
        physics: Any,
        known: Facts,
        y: Tensor,
        image: Tensor,
        alpha: Tensor,
    ) -> None:
        self._penalty, self._physics, self._y = penalty, physics, y
        self._image, self._alpha = image, alpha
        self._map = LinearMap.from_physics(physics, known, Pixels(), y, image)

    def __call__(self, drawn: Tensor, start: Tensor | None = None) -> Outcome:
        """Minimise over nu; the objective is 1/2 ||y - A (G + nu)||^2 + alpha ||B nu||_1."""
        return minimise_in_box(
            self._map,
            self._penalty,
            as_rows(self._y - self._physics.A(drawn)),
            self._alpha,
            self._image,
            TOLERANCE,
            MOST_STEPS,
            torch.zeros_like(drawn) if start is None else start,
            lower=-drawn,
            upper=1 - drawn,
        )
