"""Mean, spread and draws of the posterior, where the prior is a density: how sure the answer is.

    x = G(z) + nu,    p(x | y) = integral of p(nu | y, z) p(z | y) over z

Draws of z come from p(z | y) by tempered sequential Monte Carlo (:mod:`ganprior.solvers.tempering`)
or from Laplace's approximation at the modes (:mod:`ganprior.solvers.modes`); nu given z is Gaussian
and exact (:mod:`ganprior.solvers.whitened`). The mean of the posterior has the least mean squared
error of all estimates, as far as the model is right; it is smoother than an image of the data, as
the draws are not.
"""

from __future__ import annotations

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
from ganprior.solvers.modes import component_prior
from ganprior.solvers.tempering import Target, tempered
from ganprior.solvers.whitened import Whitened
from ganprior.streams import Streams, as_generator, derive_seed

METHODS = ("sampling", "laplace")
# Draws of p(z) that the particles of all signals are chosen from.
BANK = 20_000
IMAGES_AT_ONCE = 512
LOW, HIGH = 0.05, 0.95


@dataclass(frozen=True)
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

    std: Tensor = None  # type: ignore[assignment]
    low: Tensor = None  # type: ignore[assignment]
    high: Tensor = None  # type: ignore[assignment]
    samples: Tensor = None  # type: ignore[assignment]
    log_evidence: Tensor = None  # type: ignore[assignment]


@register(
    "solver",
    "posterior",
    "mean and spread of p(x | y), for a prior with a density",
    Choice("method", "how z is drawn", words=("sampling", "laplace"), example="laplace"),
    Count("particles", "draws of z for each image", example=256),
    needs="linear",
    random=True,
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
            Random streams, or the seed to make them from. Unlike with other solvers the particles
            of a batch share one stream: an image depends on its batch as on a seed.

        Returns
        -------
        PosteriorSolution
            ``objective`` is -log p(y).

        Raises
        ------
        ValueError
            As for MAP.
        """
        generator = as_generator(derive_seed(Streams.of(rng).seed, "posterior"))
        with torch.inference_mode(False), torch.no_grad():
            measured, finite = split_finite(checked_measurements(y, physics))
            like = measured.new_zeros(0, dtype=y.dtype.to_real())
            samples = like.new_zeros(self.draws, len(y), *self.prior.image_shape)
            mean, evidence = like.new_zeros(samples.shape[1:]), like.new_zeros(len(y))
            for group, white in self.whitened(measured, physics):
                own = group.signals
                found = self._drawn(white, like, generator)
                mean[own], samples[:, own], evidence[own] = (part.to(like) for part in found)
            ones = torch.ones_like(finite)
            solution = Outcome(mean, -evidence, ones, ones.long()).solution(y, physics, finite)
            samples = torch.where(finite[:, None, None, None], samples, torch.zeros_like(samples))
            low, high = samples.quantile(torch.tensor([LOW, HIGH]).to(samples), 0)
            return PosteriorSolution(
                **vars(solution),
                std=samples.std(0),
                low=low,
                high=high,
                samples=samples,
                log_evidence=-solution.objective,
            )

    def _drawn(
        self, white: Whitened, like: Tensor, rng: torch.Generator
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Mean (S, C, H, W), draws (D, S, C, H, W) and log p(y) (S,) of signals."""
        if self.method == "laplace":
            images, evidence = self._by_laplace(white, like, rng)
        else:
            images, evidence = self._by_particles(white, like, rng)
        shape = (-1, *self.prior.image_shape)
        # The mean of nu is linear in G(z).
        mean = images.double().mean(0)
        mean = mean + white.deviations(mean).reshape(mean.shape)
        chosen = torch.randperm(len(images), generator=rng)[: self.draws]
        again = chosen[torch.arange(self.draws) % len(chosen)]
        draws = [
            images[i].double() + white.drawn_deviations(images[i], rng).reshape(shape)
            for i in again.tolist()
        ]
        return mean, torch.stack(draws), evidence

    def _by_particles(
        self, white: Whitened, like: Tensor, rng: torch.Generator
    ) -> tuple[Tensor, Tensor]:
        """G(z) of the particles, (N, S, C, H, W), and log p(y), (S,)."""
        density = self.density.to(like.device)
        generator = folded_copy(self.prior.generator, like)
        seen = white.matrix.T.to(like)

        def images(z: Tensor) -> Tensor:
            latents = z.reshape(-1, *self.prior.latent.shape).to(like)
            parts = [self.prior.to_unit(generator(some)) for some in latents.split(IMAGES_AT_ONCE)]
            return torch.cat(parts)

        def measured(z: Tensor) -> Tensor:
            rows = (images(z).flatten(1) @ seen).double()
            return rows.reshape(*z.shape[:-1], -1)

        def log_prior(z: Tensor) -> Tensor:
            return density.log_latent_density(z.flatten(0, -2)).reshape(z.shape[:-1])

        def log_likelihood(z: Tensor) -> Tensor:
            return -(white.y[:, None] - measured(z)).square().sum(-1) / 2

        bank = density.sample_latents(BANK, rng).to(white.y)
        shown = measured(bank)
        squares = torch.cdist(white.y, shown).square()
        target = Target(log_prior, log_likelihood)
        found = tempered(target, bank, -squares / 2, self.particles, self.moves, rng)
        z = found.z.transpose(0, 1)
        drawn = images(z).reshape(*z.shape[:2], *self.prior.image_shape)
        return drawn, found.log_evidence - white.log_scale

    def _by_laplace(
        self, white: Whitened, like: Tensor, rng: torch.Generator
    ) -> tuple[Tensor, Tensor]:
        """G(z) of draws at the modes, (N, S, C, H, W), and log p(y), (S,)."""
        found = self.modes_of(white, like)
        log_joint = found.log_joint()
        count, signals = self.particles, len(white.y)
        chosen = torch.multinomial(
            log_joint.T.softmax(1).cpu(), count, replacement=True, generator=rng
        ).T.to(log_joint.device)
        images = like.new_zeros(count, signals, *self.prior.image_shape)
        for row, mode in enumerate(found.modes):
            prior = component_prior(self.prior, self.density, mode.component)
            normal = torch.randn(count, *mode.u.shape, generator=rng, dtype=torch.float64)
            factor = mode.precision.mT
            moved = torch.linalg.solve_triangular(
                factor, normal.to(factor).permute(1, 2, 0), upper=True
            ).permute(2, 0, 1)
            own = chosen[:, mode.signals] == row
            places = own.nonzero()
            u = (mode.u.double() + moved)[own].to(like)
            images[places[:, 0], mode.signals[places[:, 1]]] = prior.render(u)
        return images, log_joint.logsumexp(0)
