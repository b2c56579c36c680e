"""A prior in the coordinates of its own law: those in which the latent has mean 0 and covariance I.

    z = m + L u,    m the mean of z, L L^T its covariance

Starts, penalties and weights that go by ||u||^2 mean the same for StyleGAN's W, whose law lies far
from 0 and is stretched, as ||z||^2 does for N(0, I): (z - m)^T (L L^T)^-1 (z - m), the Mahalanobis
distance.
"""

from __future__ import annotations

import copy
from typing import NamedTuple

import torch
from torch import Tensor, nn

from ganprior.priors.latent import Latent, Moments
from ganprior.priors.prior import Prior


class Standard(NamedTuple):
    """A prior over u, and the way between u and the latents z of the one it was made of.

    Attributes
    ----------
    prior : Prior
        Its generator maps u to images.
    moments : Moments or None
        Mean and factor; None where z are such coordinates, and the prior is the user's own.
    """

    prior: Prior
    moments: Moments | None

    def back(self, u: Tensor) -> Tensor:
        """Latents z, (..., k), of u."""
        return u if self.moments is None else self.moments.apply(u)

    def there(self, z: Tensor) -> Tensor:
        """Coordinates u, (..., k), of latents z."""
        return z if self.moments is None else self.moments.remove(z)


def standardised(prior: Prior) -> Standard:
    """Return a prior in standard coordinates; itself where its law says that they are its own.

    Parameters
    ----------
    prior : Prior
        Any prior; its networks are shared and not changed.
    """
    moments = prior.latent.moments()
    if moments is None:
        return Standard(prior, None)
    own = copy.copy(prior)
    # As nn.Module.__setattr__ would change the modules of the user's prior, which the copy shares.
    own._modules = dict(prior._modules)
    own.latent = StandardLatent(prior.latent, moments)
    own.generator = StandardInput(prior.generator, prior.latent, moments)
    if prior.encoder is not None:
        own.encoder = StandardOutput(prior.encoder, moments)
    return Standard(own, moments)


class StandardLatent(Latent):
    """Law of u, where z has a law.

    Parameters
    ----------
    law : Latent
        Of z.
    moments : Moments
        Of z.
    """

    def __init__(self, law: Latent, moments: Moments) -> None:
        super().__init__(law.shape)
        self.law, self.own = law, moments
        self.name = f"standard {law.name}"

    def sample(self, count: int, rng: torch.Generator | int) -> Tensor:
        """Draw z, and return its u."""
        z = self.law.sample(count, rng)
        return self.own.remove(z.flatten(1)).unflatten(1, self.shape)

    def penalty(self, z: Tensor) -> Tensor:
        """-log p up to a constant, which is that of z."""
        flat = z.flatten(-len(self.shape))
        return self.law.penalty(self.own.apply(flat).unflatten(-1, self.shape))

    def moments(self) -> None:
        """None: these are standard coordinates."""


class StandardInput(nn.Module):
    """A generator of u.

    Parameters
    ----------
    generator : nn.Module
        Of z.
    law : Latent
        Gives the shape of z.
    moments : Moments
        Of z.
    """

    mean: Tensor
    factor: Tensor

    def __init__(self, generator: nn.Module, law: Latent, moments: Moments) -> None:
        super().__init__()
        self.generator = generator
        self.shape = law.shape
        self.register_buffer("mean", moments.mean.float())
        self.register_buffer("factor", moments.factor.float())

    def forward(self, u: Tensor, *others: Tensor) -> Tensor:
        """Images of u, (N, *latent shape)."""
        rows = u.flatten(1).unflatten(1, (-1, len(self.mean)))
        z = self.mean + rows @ self.factor.T
        images: Tensor = self.generator(z.reshape(len(u), *self.shape), *others)
        return images


class StandardOutput(nn.Module):
    """An encoder that gives u where another gives z.

    Parameters
    ----------
    encoder : nn.Module
        Maps images to z.
    moments : Moments
        Of z.
    """

    def __init__(self, encoder: nn.Module, moments: Moments) -> None:
        super().__init__()
        self.encoder, self.own = encoder, moments

    def forward(self, images: Tensor) -> Tensor:
        """Coordinates (N, k) of images."""
        return self.own.remove(self.encoder(images).flatten(1))
