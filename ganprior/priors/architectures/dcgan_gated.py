"""DCGAN with multiplicative gates for every activation (Gulrajani et al. 2017, section 5.2).

The gate is the one of van den Oord et al. 2016, "Conditional Image Generation with PixelCNN
Decoders", arXiv 1606.05328, eq. 2: tanh(a) * sigmoid(b), of two halves of the layer's channels.
"""

from __future__ import annotations

from torch import Tensor, nn

from ganprior.priors.architectures.architecture import Architecture
from ganprior.priors.architectures.dcgan import DCGANDiscriminator, DCGANGenerator
from ganprior.priors.architectures.discriminator import Discriminator
from ganprior.registry import register


class Gate(nn.Module):
    """(B, 2 C, ...) to (B, C, ...): tanh of the first half times sigmoid of the second."""

    def forward(self, x: Tensor) -> Tensor:
        """tanh(a) * sigmoid(b), with [a, b] = x."""
        a, b = x.chunk(2, 1)
        return a.tanh() * b.sigmoid()


@register("architecture", "dcgan-gated", "multiplicative gates in place of ReLU and LeakyReLU")
def generator(architecture: Architecture, inputs: int) -> nn.Sequential:
    """Generator of ``inputs`` numbers."""
    channels, size, filters = architecture.channels, architecture.size, architecture.filters
    return DCGANGenerator(inputs, channels, size, filters, activation=Gate, parts=2)


def discriminator(architecture: Architecture, inputs: int, filters: int) -> Discriminator:
    """Discriminator of ``inputs`` channels."""
    batch_norm = architecture.discriminator_batch_norm
    return DCGANDiscriminator(
        inputs, architecture.size, filters, batch_norm=batch_norm, activation=Gate, parts=2
    )
