"""Fully connected players of four hidden layers, by the papers 512 wide, with ReLU.

Arjovsky et al. 2017, arXiv 1701.07875, section 4.3; with labels it is the conditional GAN of Mirza,
Osindero 2014, arXiv 1411.1784, on images of any size. Neither has a batch norm. The discriminator
has LeakyReLU(0.2), as everywhere here.
"""

from __future__ import annotations

from itertools import pairwise

from torch import nn

from ganprior.priors.architectures.architecture import Architecture
from ganprior.priors.architectures.discriminator import Discriminator
from ganprior.priors.architectures.initial import HeSequential
from ganprior.registry import register

HIDDEN_LAYERS = 4


class MLPGenerator(HeSequential):
    """Generator: ``inputs`` numbers (B, inputs) to images (B, channels, size, size) in [-1, 1].

    Parameters
    ----------
    inputs : int
        Numbers that it takes: z, and the label's code where there is one.
    channels, size : int
        Channels, height and width of the image.
    width : int
        Units of each hidden layer.
    """

    def __init__(self, inputs: int, channels: int, size: int, width: int) -> None:
        layers: list[nn.Module] = []
        for before, after in pairwise([inputs, *[width] * HIDDEN_LAYERS]):
            layers += [nn.Linear(before, after), nn.ReLU(inplace=True)]
        last = nn.Linear(width, channels * size**2)
        super().__init__(*layers, last, nn.Tanh(), nn.Unflatten(1, (channels, size, size)))


class MLPDiscriminator(Discriminator):
    """Discriminator: images or flat images with label codes, (B, ...), to one number each, (B,).

    Parameters
    ----------
    inputs : int
        Numbers of one image, and of its label's code where there is one.
    width : int
        Units of each hidden layer.
    """

    def __init__(self, inputs: int, width: int) -> None:
        layers: list[nn.Module] = [nn.Flatten()]
        for before, after in pairwise([inputs, *[width] * HIDDEN_LAYERS]):
            layers += [nn.Linear(before, after), nn.LeakyReLU(0.2, inplace=True)]
        super().__init__(HeSequential(*layers), nn.Linear(width, 1))


@register("architecture", "mlp", "four hidden layers, fully connected")
def generator(architecture: Architecture, inputs: int) -> nn.Sequential:
    """Generator of ``inputs`` numbers."""
    return MLPGenerator(inputs, architecture.channels, architecture.size, architecture.filters)


def discriminator(architecture: Architecture, inputs: int, filters: int) -> Discriminator:
    """Discriminator of images; ``inputs`` counts their channels and the classes after them."""
    pixels = architecture.channels * architecture.size**2
    return MLPDiscriminator(pixels + inputs - architecture.channels, filters)
