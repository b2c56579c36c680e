"""DCGAN priors with random weights: as costly as trained ones, of any size."""

from __future__ import annotations

import torch
from torch import nn

from ganprior import GaussianLatent, Prior
from ganprior.priors import architectures


def random_prior(
    size: int, channels: int, latent_size: int, filters: int = 64, seen: int = 32
) -> Prior:
    """DCGAN of images (channels, size, size) whose batch norms have seen a batch of latents.

    Without that, weights from N(0, 0.02) would make all images the same grey. ``seen`` is the size
    of that batch, which goes through the network at once: fewer for large images.
    """
    rng = torch.Generator().manual_seed(0)
    architecture = architectures.Architecture(
        latent_size=latent_size,
        channels=channels,
        size=size,
        filters=filters,
        discriminator_filters=1,
    )
    generator = architectures.build_networks(architecture).generator
    architectures.initialise(generator, rng)
    for module in generator.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = None  # the statistics become those of the one batch below
    law = GaussianLatent(latent_size)
    with torch.no_grad():
        generator.train()(law.sample(seen, rng))
    return Prior(generator.eval(), law, (channels, size, size))
