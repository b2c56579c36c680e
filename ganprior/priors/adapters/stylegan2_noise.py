"""The noise of StyleGAN2's layers as a part of the latent.

Karras et al. 2020, arXiv 1912.04958, section 5 and appendix D, find noise maps together with w when
they project an image, and so does PULSE (S. Menon et al., CVPR 2020, arXiv 2003.03808). Maps are
N(0, I), as in training.
"""

from __future__ import annotations

import math
import re

import torch
from torch import Tensor, nn
from torch.func import functional_call

from ganprior.priors.latent import GaussianLatent, Latent
from ganprior.streams import as_generator

# Buffers of noise, as rosinality (noises.noise_0) and NVlabs (b8.conv0.noise_const) call them.
NOISE = re.compile(r"(.*\.)?noise_(\d+|const)")


class WithNoise(nn.Module):
    """A synthesis network whose latent is (u, noise maps), flat; u is the own one, standardised.

    Parameters
    ----------
    synthesis : nn.Module
        Maps latents of ``law`` to images; has its noise in buffers.
    law : Latent
        Of its latents.

    Raises
    ------
    ValueError
        If there is no noise in it.
    """

    def __init__(self, synthesis: nn.Module, law: Latent) -> None:
        super().__init__()
        self.synthesis, self.own = synthesis, law
        shapes = {name: tensor.shape[-2:] for name, tensor in synthesis.named_buffers()}
        self.maps = {name: tuple(shape) for name, shape in shapes.items() if NOISE.fullmatch(name)}
        if not self.maps:
            raise ValueError(
                "noise='optimised' needs a network that has noise maps, as StyleGAN2 does; this "
                "one, StyleGAN3 say, has none"
            )
        self.sizes = [math.prod(shape) for shape in self.maps.values()]

    def forward(self, latent: Tensor) -> Tensor:
        """Images of latents (N, k + noise)."""
        u, *rows = latent.split([self.own.size, *self.sizes], 1)
        moments = self.own.moments()
        z = u if moments is None else moments.apply(u)
        noise = {
            name: row.reshape(-1, 1, *shape)
            for (name, shape), row in zip(self.maps.items(), rows, strict=True)
        }
        image: Tensor = functional_call(
            self.synthesis, noise, (z.reshape(-1, *self.own.shape),), strict=False
        )
        return image


class NoiseLatent(Latent):
    """Law of (u, noise): u that of another law in coordinates of mean 0 and covariance I.

    Parameters
    ----------
    law : Latent
        The other law.
    noise : int
        Numbers of the noise maps, N(0, I).
    """

    name = "with noise"

    def __init__(self, law: Latent, noise: int) -> None:
        super().__init__(law.size + noise)
        self.own, self.noise = law, GaussianLatent(noise)

    def sample(self, count: int, rng: torch.Generator | int) -> Tensor:
        """Draw ``count`` latents, float32."""
        rng, moments = as_generator(rng), self.own.moments()
        z = self.own.sample(count, rng).flatten(1)
        u = z if moments is None else moments.remove(z)
        return torch.cat([u, self.noise.sample(count, rng)], 1)

    def penalty(self, z: Tensor) -> Tensor:
        """||z||^2 / 2: half the squared Mahalanobis distance."""
        return z.square().sum(-1) / 2

    def moments(self) -> None:
        """None: they are 0 and I."""
