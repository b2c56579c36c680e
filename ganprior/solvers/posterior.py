"""Mean, spread and draws of the posterior, where the prior is a density: how sure the answer is.

    x = G(z) + nu,    p(x | y) = integral of p(nu | y, z) p(z | y) over z

Draws of z come from p(z | y) by tempered sequential Monte Carlo (:mod:`ganprior.solvers.tempering`)
or from Laplace's approximation at the modes (:mod:`ganprior.solvers.modes`); nu given z is Gaussian
and exact (:mod:`ganprior.solvers.whitened`). The mean of the posterior has the least mean squared
error of all estimates, as far as the model is right; it is smoother than an image of the data, as
the draws are not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor

from ganprior.baselines.inputs import checked_measurements, split_finite
from ganprior.baselines.outcome import Outcome
from ganprior.priors import Prior
from ganprior.registry import Choice, Count, register
from ganprior.solution import Solution, without_autocast
from ganprior.solvers.engine.folding import folded_copy
from ganprior.solvers.map_estimate import MAP
from ganprior.solvers.tempering import Target, tempered
from ganprior.solvers.whitened import Whitened
from ganprior.streams import Streams, as_generator, derive_seed

METHODS = ("sampling", "laplace")
# Draws of p(z) that the particles of all signals are chosen from.
BANK = 20_000
IMAGES_AT_ONCE = 512
LOW, HIGH = 0.05, 0.95


# Draws G(z) given y, (N, C, H, W), and computes log p(y) of the whitened y.
DrawOne = Callable[[torch.Generator], tuple[Tensor, Tensor]]


@dataclass(frozen=True, kw_only=True)
class PosteriorSolution(Solution):
    """A solution that says how sure it is; ``x`` is the mean of the posterior.

    Attributes
    ----------
    std : Tensor
        Standard deviation of every pixel, (B, C, H, W).
    low, high : Tensor
        5% and 95% quantiles of every pixel, (B, C, H, W): between them lie 90% of the draws.
    samples : Tensor
        Draws from the posterior, (D, B, C, H, W).
    log_evidence : Tensor
        log p(y), (B,).
    """

    std: Tensor
    low: Tensor
    high: Tensor
    samples: Tensor
    log_evidence: Tensor


@register(
    "solver",
    "posterior",
    "mean and spread of p(x | y), for a prior with a density",
    Choice("method", "how z is drawn", words=("sampling", "laplace"), example="laplace"),
    Count("particles", "draws of z for each image", example=256),
    needs="linear",
    random=True,
    uncertain=True,
)
class Posterior(MAP):
    """Mean, standard deviation, quantiles and draws of the posterior; any linear physics.

    Parameters
    ----------
    prior, noise_std
        As for :class:`~ganprior.solvers.map_estimate.MAP`.
    method : {"sampling", "laplace"}
        How z is drawn: from p(z | y) by particles, which takes some seconds per image on a CPU and
        is worth it below about two measurements per entry of the latent; or from a Gaussian at
        each mode.
    particles : int
        Draws of z for each signal.
    moves : int
        Metropolis steps of the particles at each temperature.
    draws : int
        Draws of x that are returned, from which standard deviation and quantiles are computed.

    Raises
    ------
    ValueError
        As MAP; and if there is no such method, or a number is below 2.

    Examples
    --------
    >>> from ganprior import Gaussian, Posterior, Prior
    >>> prior = Prior.load("mnist-k64-vae")
    >>> physics = Gaussian(50, prior.image_shape, 0)
    >>> solver = Posterior(prior, noise_std=0.01, method="laplace", particles=16, draws=8)
    >>> solver.solve(physics(prior.sample(1, 0)), physics).std.shape
    torch.Size([1, 1, 28, 28])
    """

    def __init__(
        self,
        prior: Prior,
        noise_std: float | None = None,
        *,
        method: Literal["sampling", "laplace"] = "sampling",
        particles: int = 256,
        moves: int = 4,
        draws: int = 64,
    ) -> None:
        super().__init__(prior, noise_std)
        if method not in METHODS:
            raise ValueError(f"method must be one of {', '.join(METHODS)}, got {method!r}")
        for name, value in (("particles", particles), ("moves", moves), ("draws", draws)):
            if value < 2:
                raise ValueError(f"{name} must be at least 2, got {value}")
        self.method = method
        self.particles = particles
        self.moves = moves
        self.draws = draws

    @without_autocast
    def solve(self, y: Tensor, physics: Any, *, rng: Streams | int = 0) -> PosteriorSolution:
        """Reconstruct, and say how sure the answer is.

        Parameters
        ----------
        y, physics
            As for MAP.
        rng : Streams or int
            Random streams of the signals, or the seed to make them from.

        Returns
        -------
        PosteriorSolution
            ``objective`` is -log p(y).

        Raises
        ------
        ValueError
            As for MAP.
        """
        streams = Streams.of(rng)
        with torch.inference_mode(False), torch.no_grad():
            measured, finite = split_finite(checked_measurements(y, physics))
            like = measured.new_zeros(0, dtype=y.dtype.to_real())
            samples = like.new_zeros(self.draws, len(y), *self.prior.image_shape)
            mean, evidence = like.new_zeros(samples.shape[1:]), like.new_zeros(len(y))
            for group, white in self.whitened(measured, physics):
                draw = self._by_laplace if self.method == "laplace" else self._by_particles
                # One signal at a time: what is drawn for it depends on no other.
                for i, (own, draw_one) in zip(
                    group.signals.tolist(), draw(white, like), strict=True
                ):
                    generator = streams.generator("posterior", i)
                    images, log_evidence = draw_one(generator)
                    evidence[i] = log_evidence - white.log_scale
                    mean[i], samples[:, i] = self._drawn(own, images, generator)
            ones = torch.ones_like(finite)
            solution = Outcome(mean, -evidence, ones, ones.long()).solution(y, physics, finite)
            samples = torch.where(finite[:, None, None, None], samples, torch.zeros_like(samples))
            low, high = samples.quantile(torch.tensor([LOW, HIGH]).to(samples), 0)
            spread = {"std": samples.std(0), "low": low, "high": high}
            return PosteriorSolution(
                **vars(solution) | spread, samples=samples, log_evidence=-solution.objective
            )

    def _drawn(
        self, white: Whitened, images: Tensor, rng: torch.Generator
    ) -> tuple[Tensor, Tensor]:
        """Mean (C, H, W) and draws (D, C, H, W) of x of one signal, from draws (N, ...) of G(z)."""
        shape, drawn_images = self.prior.image_shape, images.double()
        # The mean of nu is linear in G(z).
        mean = drawn_images.mean(0, keepdim=True)
        mean = mean + white.deviations(mean).reshape(1, *shape)
        chosen = torch.randperm(len(images), generator=rng)
        chosen = chosen[torch.arange(self.draws) % len(chosen)].to(images.device)
        drawn = white.drawn_deviations(drawn_images[chosen], rng).reshape(-1, *shape)
        return mean[0].to(images), (drawn_images[chosen] + drawn).to(images)

    def _by_particles(self, white: Whitened, like: Tensor) -> Iterator[tuple[Whitened, DrawOne]]:
        """For each signal what draws G(z), (N, C, H, W), and computes log p(y)."""
        density = self.density.to(like.device)
        generator = folded_copy(self.prior.generator, like)
        seen = white.matrix.T.to(like)

        def images(z: Tensor) -> Tensor:
            latents = z.unflatten(-1, self.prior.latent.shape).to(like)
            parts = [self.prior.to_unit(generator(some)) for some in latents.split(IMAGES_AT_ONCE)]
            return torch.cat(parts)

        def measured(z: Tensor) -> Tensor:
            return (images(z).flatten(1) @ seen).double()

        bank = density.sample_latents(BANK, as_generator(derive_seed(0, "bank"))).to(white.y)
        shown = measured(bank)
        for i in range(len(white.y)):
            own = white.select(slice(i, i + 1))

            def draw(rng: torch.Generator, own: Whitened = own) -> tuple[Tensor, Tensor]:
                def log_likelihood(seen: Tensor) -> Tensor:
                    return -(own.y - seen).square().sum(-1) / 2

                target = Target(density.log_latent_density, lambda z: log_likelihood(measured(z)))
                known = log_likelihood(shown)
                found = tempered(target, bank, known, self.particles, self.moves, rng)
                return images(found.z), found.log_evidence

            yield own, draw

    def _by_laplace(self, white: Whitened, like: Tensor) -> Iterator[tuple[Whitened, DrawOne]]:
        """The same around the modes of each signal."""
        modes = self.modes_of(white, like)
        density = self.density.to(like.device)
        for i in range(len(white.y)):

            def draw(rng: torch.Generator, i: int = i) -> tuple[Tensor, Tensor]:
                log_joint = modes.log_joint[:, i]
                # Measurements out of all proportion leave no number: any mode will do.
                shares = log_joint.nan_to_num(nan=-1e300, neginf=-1e300).softmax(0).cpu()
                row = torch.multinomial(shares, self.particles, replacement=True, generator=rng)
                row = row.to(like.device)
                normal = torch.randn(len(row), modes.u.shape[2], generator=rng, dtype=torch.float64)
                factors = modes.precision[row, i].mT
                moved = torch.linalg.solve_triangular(
                    factors, normal.to(factors)[..., None], upper=True
                )
                u = modes.u[row, i].double() + moved[..., 0]
                z = density.latents(u, modes.component[row, i]).to(like)
                images = self.prior.render(z.unflatten(1, self.prior.latent.shape))
                return images, log_joint.logsumexp(0)

            yield white.select(slice(i, i + 1)), draw
