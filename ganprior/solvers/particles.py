"""Draws of G(z) from p(z | y) by particles that start near the modes and all over p(z).

The law q that the particles of :mod:`ganprior.solvers.tempering` start from is a mixture of p(z)
and of Laplace's approximation, in the proportion of their draws: where the posterior is broad the
one is near it, and where it is narrow and has many modes the other.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from ganprior.priors import Prior
from ganprior.priors.density import Density
from ganprior.solvers.engine.folding import folded_copy
from ganprior.solvers.laplace import LaplaceMixture
from ganprior.solvers.mixing import rank_normalised_split_rhat
from ganprior.solvers.tempering import Target, tempered
from ganprior.solvers.whitened import Whitened
from ganprior.streams import as_generator, derive_seed

# Draws of p(z) that the particles of all signals are chosen from, and further ones for each signal
# of Laplace's approximation.
BANK, NEAR = 20_000, 2_000
IMAGES_AT_ONCE = 512
# Parts of the particles that are compared, and how many each must have: the largest R-hat of a
# hundred entries of independent draws is then 1.1 at the most.
PARTS, LEAST = 4, 32


@dataclass(frozen=True)
class Drawn:
    """Draws for one signal.

    Attributes
    ----------
    z : Tensor
        Latents given y, float64, (N, k).
    images : Tensor
        G(z), (N, C, H, W).
    log_evidence : Tensor
        log p(y) of the whitened y, up to the constant.
    rhat : float
        Largest R-hat of an entry of z, between particles of separate descent; NaN where it cannot
        be told.
    """

    z: Tensor
    images: Tensor
    log_evidence: Tensor
    rhat: float = 1.0


class ParticleSampler:
    """Particles for signals that share a matrix.

    Parameters
    ----------
    prior, density
        G, and the law of its latents.
    white : Whitened
        The measurements.
    like : Tensor
        Images of this type and device are computed.
    count : int
        Particles of each signal.
    moves : int
        Metropolis steps at each temperature.
    """

    def __init__(
        self,
        prior: Prior,
        density: Density,
        white: Whitened,
        like: Tensor,
        count: int,
        moves: int,
    ) -> None:
        self._prior, self._density, self._like = prior, density, like
        self._generator = folded_copy(prior.generator, like)
        self._physics = white.physics(like)
        self._count, self._moves = count, moves
        self._bank = density.sample_latents(BANK, as_generator(derive_seed(0, "bank"))).to(white.y)
        self._shown = self._measured(self._bank)

    def draw(self, signal: Whitened, laplace: LaplaceMixture, rng: torch.Generator) -> Drawn:
        """Draw for one of the signals, by a CPU generator."""
        shares = torch.tensor([BANK, NEAR], dtype=torch.float64).log().log_softmax(0)

        def log_start(z: Tensor) -> Tensor:
            far = self._density.log_latent_density(z)
            return torch.logaddexp(far + shares[0], laplace.log_density(z) + shares[1])

        def log_ratio(z: Tensor, seen: Tensor) -> Tensor:
            square = (signal.y - seen).square().sum(-1)
            return self._density.log_latent_density(z) - square / 2 - log_start(z)

        near = laplace.sample(NEAR, rng)
        start = torch.cat([self._bank, near])
        known = log_ratio(start, torch.cat([self._shown, self._measured(near)]))
        target = Target(log_start, lambda z: log_ratio(z, self._measured(z)))
        found = tempered(target, start, known, self._count, self._moves, rng)
        return Drawn(found.z, self._images(found.z), found.log_evidence, _rhat(found.z))

    def _images(self, z: Tensor) -> Tensor:
        latents = z.unflatten(-1, self._prior.latent.shape).to(self._like)
        parts = latents.split(IMAGES_AT_ONCE)
        return torch.cat([self._prior.to_unit(self._generator(part)) for part in parts])

    def _measured(self, z: Tensor) -> Tensor:
        seen: Tensor = self._physics.A(self._images(z))
        return seen.double()


def _rhat(z: Tensor) -> float:
    """Between parts of the particles, which are in the order of their descent; NaN of too few."""
    size = len(z) // PARTS
    if size < LEAST:
        return math.nan
    # Parts that are all the same particle agree, and have found nothing.
    if len(z.unique(dim=0)) < LEAST:
        return math.inf
    return float(rank_normalised_split_rhat(z[: PARTS * size].unflatten(0, (PARTS, size))).amax())
