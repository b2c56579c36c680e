"""DCGAN networks (Radford, Metz, Chintala 2016, arXiv 1511.06434).

The paper's guidelines: strided convolutions instead of pooling, batch norm, no hidden fully
connected layers, ReLU in the generator with tanh at its end, LeakyReLU(0.2) in the
discriminator, weights from N(0, 0.02).

The generator projects z to a small grid of many channels and doubles the grid until the image
size is reached (7, 14, 28 at 28 pixels; 4, 8, ... at 32, 64 and 128); the last doubling gives the
image. The discriminator runs the other way. The other files ``dcgan_*.py`` change one thing each.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

from torch import nn

from ganprior.priors.architectures.architecture import Architecture, grid_of
from ganprior.priors.architectures.discriminator import Discriminator
from ganprior.registry import register

Activation = Callable[[], nn.Module]


def relu() -> nn.Module:
    """ReLU, the generator's activation."""
    return nn.ReLU(inplace=True)


def leaky_relu() -> nn.Module:
    """LeakyReLU(0.2), the discriminator's activation."""
    return nn.LeakyReLU(0.2, inplace=True)


class DCGANGenerator(nn.Sequential):
    """Generator: z (B, k) to images (B, channels, size, size) in [-1, 1].

    Parameters
    ----------
    latent_size : int
        k, the number of entries of z.
    channels : int
        Channels of the image.
    size : int
        Height and width in pixels: 4 or 7 times a power of two.
    filters : int
        Channels of the last hidden layer; each earlier one has twice as many.
    batch_norm : bool
        Batch norm after every hidden layer.
    doubling : bool
        False: every hidden layer has ``filters`` channels.
    activation : callable
        Makes the module that follows each hidden layer.
    parts : int
        Channels that the activation takes for each one that it gives.

    Raises
    ------
    ValueError
        If ``size`` cannot be reached by doubling.
    """

    def __init__(
        self,
        latent_size: int,
        channels: int,
        size: int,
        filters: int,
        *,
        batch_norm: bool = True,
        doubling: bool = True,
        activation: Activation = relu,
        parts: int = 1,
    ) -> None:
        start, doublings = grid_of(size)
        widths = [filters << i if doubling else filters for i in reversed(range(doublings))]

        def hidden(layer: nn.Module, width: int) -> list[nn.Module]:
            return [layer, *([nn.BatchNorm2d(width)] if batch_norm else []), activation()]

        bias, first = not batch_norm, parts * widths[0]
        layers: list[nn.Module] = [
            nn.Unflatten(1, (latent_size, 1, 1)),
            *hidden(nn.ConvTranspose2d(latent_size, first, start, bias=bias), first),
        ]
        for before, after in pairwise(widths):
            width = parts * after
            double = nn.ConvTranspose2d(before, width, 4, stride=2, padding=1, bias=bias)
            layers += hidden(double, width)
        last = nn.ConvTranspose2d(widths[-1], channels, 4, stride=2, padding=1)
        super().__init__(*layers, last, nn.Tanh())


class DCGANDiscriminator(Discriminator):
    """Discriminator: images (B, channels, size, size) in [-1, 1] to one number each, (B,).

    The number is a logit or a critic's value; no sigmoid is applied.

    Parameters
    ----------
    channels, size : int
        As for the generator.
    filters : int
        Channels of the first layer; each later one has twice as many.
    batch_norm : bool
        Batch norm after every hidden layer but the first. WGAN-GP needs it off: its penalty is
        on the gradient of each sample alone, and batch norm couples samples
        (Gulrajani et al. 2017, section 4).
    activation, parts
        As for the generator.

    Raises
    ------
    ValueError
        If ``size`` cannot be reached by doubling.
    """

    def __init__(
        self,
        channels: int,
        size: int,
        filters: int,
        *,
        batch_norm: bool = True,
        activation: Activation = leaky_relu,
        parts: int = 1,
    ) -> None:
        grid_of(size)
        features, width, side = halvings(
            channels, size, filters, batch_norm=batch_norm, activation=activation, parts=parts
        )
        super().__init__(features, nn.Conv2d(width, 1, side))


def halvings(
    channels: int,
    size: int,
    filters: int,
    *,
    batch_norm: bool = True,
    activation: Activation = leaky_relu,
    parts: int = 1,
) -> tuple[nn.Sequential, int, int]:
    """Strided convolutions that halve the image down to a side of at most 4 pixels.

    From 28 pixels that is 3 and not 7: an output layer over a 7 x 7 grid of few channels would
    do most of the work linearly.

    Parameters
    ----------
    channels, size, filters, batch_norm, activation, parts
        As for :class:`DCGANDiscriminator`, but of any size from 2 pixels on.

    Returns
    -------
    layers : nn.Sequential
        Images (B, channels, size, size) to (B, width, side, side).
    width, side : int
        Channels and side of the result.
    """
    layers: list[nn.Module] = []
    before, after, side = channels, filters, size
    while side > 4 or not layers:
        normalised = batch_norm and bool(layers)
        width = parts * after
        layers.append(nn.Conv2d(before, width, 4, stride=2, padding=1, bias=not normalised))
        if normalised:
            layers.append(nn.BatchNorm2d(width))
        layers.append(activation())
        before, after, side = after, 2 * after, side // 2
    return nn.Sequential(*layers), before, side


@register("architecture", "dcgan", "DCGAN (Radford, Metz, Chintala 2016)")
def generator(architecture: Architecture, inputs: int) -> nn.Sequential:
    """Generator of ``inputs`` numbers: z, and the label's code where there is one."""
    channels, size, filters = architecture.channels, architecture.size, architecture.filters
    return DCGANGenerator(inputs, channels, size, filters)


def discriminator(architecture: Architecture, inputs: int, filters: int) -> Discriminator:
    """Discriminator of ``inputs`` channels: the image's, and a plane per class with labels."""
    batch_norm = architecture.discriminator_batch_norm
    return DCGANDiscriminator(inputs, architecture.size, filters, batch_norm=batch_norm)
