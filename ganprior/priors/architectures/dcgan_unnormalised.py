"""DCGAN without normalisation in either player (Gulrajani et al. 2017, section 5.2)."""

from __future__ import annotations

from torch import nn

from ganprior.priors.architectures.architecture import Architecture
from ganprior.priors.architectures.dcgan import DCGANDiscriminator, DCGANGenerator
from ganprior.priors.architectures.discriminator import Discriminator
from ganprior.registry import register


@register("architecture", "dcgan-unnormalised", "no batch norm in either player")
def generator(architecture: Architecture, inputs: int) -> nn.Sequential:
    """Generator of ``inputs`` numbers, without batch norm."""
    channels, size, filters = architecture.channels, architecture.size, architecture.filters
    return DCGANGenerator(inputs, channels, size, filters, batch_norm=False)


def discriminator(architecture: Architecture, inputs: int, filters: int) -> Discriminator:
    """Discriminator of ``inputs`` channels, without batch norm."""
    return DCGANDiscriminator(inputs, architecture.size, filters, batch_norm=False)
