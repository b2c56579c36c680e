"""DCGAN with tanh for every activation of both players (Gulrajani et al. 2017, section 5.2)."""

from __future__ import annotations

from torch import nn

from ganprior.priors.architectures.architecture import Architecture
from ganprior.priors.architectures.dcgan import DCGANDiscriminator, DCGANGenerator
from ganprior.priors.architectures.discriminator import Discriminator
from ganprior.registry import register


@register("architecture", "dcgan-tanh", "tanh in place of ReLU and LeakyReLU")
def generator(architecture: Architecture, inputs: int) -> nn.Sequential:
    """Generator of ``inputs`` numbers."""
    channels, size, filters = architecture.channels, architecture.size, architecture.filters
    return DCGANGenerator(inputs, channels, size, filters, activation=nn.Tanh)


def discriminator(architecture: Architecture, inputs: int, filters: int) -> Discriminator:
    """Discriminator of ``inputs`` channels."""
    batch_norm = architecture.discriminator_batch_norm
    return DCGANDiscriminator(
        inputs, architecture.size, filters, batch_norm=batch_norm, activation=nn.Tanh
    )
