"""DCGAN beside a linear map: G(z) = mean + W z + DCGAN(z), made for inversion.

W and the mean are not trained. They are the decoder of a linear auto-encoder of the training images
(``ganprior.training.linear_start``), and the DCGAN, whose last layer starts at 0, learns what such
a decoder leaves out: a residual connection (He et al. 2016, arXiv 1512.03385, eq. 1) from the
latent to the image. So the range begins as that of principal components, where a DCGAN alone needs
many steps to come so near. The encoder is the same the other way round.

The sum has no tanh at its end: values may leave [-1, 1] by a little, as those of a linear decoder
do.
"""

from __future__ import annotations

from torch import Tensor, nn

from ganprior.priors.architectures.architecture import Architecture
from ganprior.priors.architectures.dcgan import DCGANDiscriminator, DCGANGenerator, discriminator
from ganprior.priors.architectures.encoder import Encoder
from ganprior.priors.architectures.resnet import Residual
from ganprior.registry import register

__all__ = ["LinearEncoder", "discriminator", "encoder", "generator"]


@register("architecture", "dcgan-linear", "DCGAN beside fixed principal components")
def generator(architecture: Architecture, inputs: int) -> nn.Sequential:
    """Generator of ``inputs`` numbers.

    Raises
    ------
    ValueError
        If the architecture is conditional: the linear map is one of the latent alone.
    """
    a = architecture
    if a.classes:
        raise ValueError("architecture dcgan-linear has no labels; give classes=0 or another one")
    shape = a.channels, a.size, a.size
    branch = DCGANGenerator(inputs, a.channels, a.size, a.filters)
    branch[-2].initial_std = 0.0  # type: ignore[assignment]
    linear = nn.Linear(inputs, a.channels * a.size**2).requires_grad_(False)
    return nn.Sequential(Residual(branch, nn.Sequential(linear, nn.Unflatten(1, shape))))


def encoder(architecture: Architecture) -> Encoder:
    """Encoder of images."""
    return LinearEncoder(architecture)


class LinearEncoder(Encoder):
    """Images (B, C, H, W) in [-1, 1] to the mean and log-variance of q(z | x), (B, k) each.

    Those are the sums of what a linear map of the pixels gives, which is not trained, and of what a
    DCGAN gives, whose last layer starts at 0.

    Parameters
    ----------
    architecture : Architecture
        Size, channels, filters and k.
    """

    def __init__(self, architecture: Architecture) -> None:
        a = architecture
        super().__init__(DCGANDiscriminator(a.channels, a.size, a.filters), a.latent_size)
        self.output.initial_std = 0.0  # type: ignore[assignment]
        linear = nn.Linear(a.channels * a.size**2, 2 * a.latent_size)
        self.linear = linear.requires_grad_(False)

    def numbers(self, x: Tensor) -> Tensor:
        """Means, then log-variances, (B, 2 k)."""
        linear: Tensor = self.linear(x.flatten(1))
        return linear + super().numbers(x)
