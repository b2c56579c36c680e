"""Mean, spread and draws of the posterior, where the prior is a density: how sure the answer is.

    x = G(z) + nu,    p(x | y) = integral of p(nu | y, z) p(z | y) over z

Draws of z come from Laplace's approximation at the modes (:mod:`ganprior.solvers.modes`) or from
p(z | y) by tempered sequential Monte Carlo (:mod:`ganprior.solvers.tempering`); nu given z is
Gaussian and exact (:mod:`ganprior.solvers.whitened`). The mean of the posterior has the least mean
squared error of all estimates, as far as the model is right; it is smoother than an image of the
data, as the draws are not.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor

from ganprior.baselines.inputs import checked_measurements, split_finite
from ganprior.baselines.outcome import Outcome
from ganprior.numbers import check_count
from ganprior.priors import Prior
from ganprior.progress import Wish, tell, with_progress
from ganprior.registry import Choice, Count, register
from ganprior.solution import Solution, Status, without_autocast
from ganprior.solvers.laplace import LaplaceMixture
from ganprior.solvers.map_estimate import MAP, Distances
from ganprior.solvers.particles import Drawn, ParticleSampler
from ganprior.solvers.search_options import MOST_DRAWS
from ganprior.solvers.whitened import Whitened
from ganprior.streams import Streams

METHODS = ("laplace", "sampling")
# R-hat from which on particles disagree.
MIXED = 1.2
LOW, HIGH = 0.05, 0.95


logger = logging.getLogger(__name__)
# Draws for one signal.
Draw = Callable[[Whitened, LaplaceMixture, torch.Generator], Drawn]


@dataclass(frozen=True, kw_only=True)
class PosteriorSolution(Solution):
    """A solution that says how sure it is; ``x`` is the mean of the posterior.

    Attributes
    ----------
    std : Tensor
        Standard deviation of every pixel, (B, C, H, W).
    low, high : Tensor
        5% and 95% quantiles of every pixel, (B, C, H, W): a further draw lies between them with
        probability .9.
    samples : Tensor
        Draws of x from the posterior, (D, B, C, H, W).
    latents : Tensor
        The z of each draw, (D, B, *latent shape).
    log_evidence : Tensor
        log p(y), (B,).
    rhat : Tensor
        Largest rank-normalised split R-hat of an entry of z between parts of the particles, (B,);
        1 for Laplace's draws, which are independent, and NaN for fewer than 128 particles. From
        1.2 on the status is ``not_mixed``.
    """

    std: Tensor
    low: Tensor
    high: Tensor
    samples: Tensor
    latents: Tensor
    log_evidence: Tensor
    rhat: Tensor


@register(
    "solver",
    "posterior",
    "mean and spread of p(x | y), for a prior with a density",
    Choice("method", "how z is drawn", words=("laplace", "sampling"), example="sampling"),
    Count("particles", "draws of z for each image", example=256, minimum=2, most=MOST_DRAWS),
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
    method : {"laplace", "sampling"}
        How z is drawn: from a Gaussian at each mode; or from p(z | y) by particles, which takes
        some seconds per image on a CPU. On images of the prior's own density the figure
        ``density/calibration`` finds the intervals of the first right from 10 measurements on, and
        those of the second too narrow below about one measurement per entry of the latent.
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
        method: Literal["laplace", "sampling"] = "laplace",
        particles: int = 256,
        moves: int = 4,
        draws: int = 64,
    ) -> None:
        super().__init__(prior, noise_std)
        if method not in METHODS:
            raise ValueError(f"method must be one of {', '.join(METHODS)}, got {method!r}")
        for name, value in (("particles", particles), ("moves", moves), ("draws", draws)):
            check_count(name, value, 2, MOST_DRAWS)
        self.method = method
        self.particles = particles
        self.moves = moves
        self.draws = draws

    @with_progress
    @without_autocast
    def solve(
        self, y: Tensor, physics: Any, *, rng: Streams | int = 0, progress: Wish = False
    ) -> PosteriorSolution:
        """Reconstruct, and say how sure the answer is.

        Parameters
        ----------
        y, physics
            As for MAP.
        rng : Streams or int
            Random streams of the signals, or the seed to make them from.
        progress : bool or callable
            True for a bar of the steps, on a terminal and in notebooks; or a function that is told
            the number of steps done and the number there are at most.

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
            latents = like.new_zeros(self.draws, len(y), *self.prior.latent.shape)
            mean, evidence = like.new_zeros(samples.shape[1:]), like.new_zeros(len(y))
            rhat, distances = like.new_ones(len(y)), Distances.like(evidence)
            density, done = self.density.to(like.device), 0
            for signals, white in self.whitened(measured, physics):
                modes = self.modes_of(white, like)
                distances.note(signals, white, modes)
                draw: Draw = functools.partial(self._near_modes, like)
                if self.method == "sampling":
                    numbers = (self.particles, self.moves)
                    draw = ParticleSampler(self.prior, density, white, like, *numbers).draw
                logger.info("draws of %d images", len(signals))
                # One signal at a time: what is drawn for it depends on no other.
                for i, own in enumerate(signals.tolist()):
                    one = white.select(slice(i, i + 1))
                    generator = streams.generator("posterior", own)
                    drawn = draw(one, LaplaceMixture.of(density, modes, i), generator)
                    evidence[own], rhat[own] = drawn.log_evidence - white.log_scale, drawn.rhat
                    mean[own], samples[:, own], latents[:, own] = self._drawn(one, drawn, generator)
                    tell(done := done + 1, len(y))
            ones = torch.ones_like(finite)
            outcome = Outcome(mean, -evidence, ~(rhat >= MIXED), ones.long())
            solution = outcome.solution(y, physics, finite)
            unknown = ~finite[:, None, None, None]
            spread = {"samples": samples.masked_fill(unknown, 0), "latents": latents, "rhat": rhat}
            return self.judged(_with_spread(solution, **spread), distances)

    def _drawn(
        self, white: Whitened, found: Drawn, rng: torch.Generator
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Mean (C, H, W), draws (D, C, H, W) of x and their latents, of one signal."""
        shape, images = self.prior.image_shape, found.images.double()
        # The mean of nu is linear in G(z).
        mean = images.mean(0, keepdim=True)
        mean = mean + white.deviations(mean).reshape(1, *shape)
        chosen = torch.randperm(len(images), generator=rng)
        chosen = chosen[torch.arange(self.draws) % len(chosen)].to(images.device)
        drawn = images[chosen] + white.drawn_deviations(images[chosen], rng).reshape(-1, *shape)
        latents = found.z[chosen].unflatten(1, self.prior.latent.shape)
        return mean[0].to(found.images), drawn.to(found.images), latents.to(found.images)

    def _near_modes(
        self, like: Tensor, signal: Whitened, laplace: LaplaceMixture, rng: torch.Generator
    ) -> Drawn:
        """Draws of Laplace's approximation for one signal."""
        z = laplace.sample(self.particles, rng)
        images = self.prior.render(z.to(like).unflatten(1, self.prior.latent.shape))
        return Drawn(z, images, laplace.log_evidence)


def _with_spread(
    solution: Solution, samples: Tensor, latents: Tensor, rhat: Tensor
) -> PosteriorSolution:
    """The solution with its draws and what they say; one whose steps did not do is not mixed."""
    # Between the i-th smallest and the i-th largest of D draws lies a further one with probability
    # 1 - 2 i / (D + 1): Weibull's positions, where torch has i - 1 of D - 1 steps.
    draws = len(samples)
    levels = ((torch.tensor([LOW, HIGH]) * (draws + 1) - 1) / (draws - 1)).clamp(0, 1)
    low, high = samples.quantile(levels.to(samples), 0)
    status = tuple(
        Status.NOT_MIXED if status is Status.MAX_STEPS else status for status in solution.status
    )
    known = {"std": samples.std(0), "low": low, "high": high, "status": status}
    return PosteriorSolution(
        **{**vars(solution), **known},
        samples=samples,
        latents=latents,
        log_evidence=-solution.objective,
        rhat=rhat,
    )
