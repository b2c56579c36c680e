"""DCGAN whose generator has no batch norm and the same number of filters in every hidden layer.

Arjovsky, Chintala, Bottou 2017, arXiv 1701.07875, section 4.3; Gulrajani et al. 2017, arXiv
1704.00028, section 5.2. The discriminator is the DCGAN's.
"""

from __future__ import annotations

from torch import nn

from ganprior.priors.architectures.architecture import Architecture
from ganprior.priors.architectures.dcgan import DCGANGenerator, discriminator
from ganprior.registry import register

__all__ = ["discriminator", "generator"]


@register(
    "architecture",
    "dcgan-plain",
    "generator without batch norm and with a constant number of filters",
)
def generator(architecture: Architecture, inputs: int) -> nn.Sequential:
    """Generator of ``inputs`` numbers, without batch norm and of constant width."""
    a = architecture
    return DCGANGenerator(inputs, a.channels, a.size, a.filters, batch_norm=False, doubling=False)
