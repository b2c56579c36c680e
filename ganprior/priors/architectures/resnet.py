"""Residual networks (Gulrajani et al. 2017, arXiv 1704.00028, appendix).

Pre-activation blocks of two 3 x 3 convolutions; the generator enlarges by nearest neighbours
before a block's second convolution, the discriminator averages 2 x 2 pixels after it. Up to 32
pixels the number of filters is constant and the discriminator halves the image twice (the networks
for CIFAR-10); above, it doubles with each halving up to 8 times as many (those for 64). Where
the discriminator is to have a norm, it has batch norm; the paper has none at 32 pixels.
"""

from __future__ import annotations

from itertools import pairwise

from torch import Tensor, nn

from ganprior.priors.architectures.architecture import Architecture, grid_of
from ganprior.priors.architectures.discriminator import Discriminator
from ganprior.priors.architectures.initial import HeSequential
from ganprior.registry import register

CONSTANT_UP_TO = 32
WIDEST = 8


class Residual(nn.Module):
    """shortcut(x) + branch(x).

    Parameters
    ----------
    branch, shortcut : nn.Module
        Both give the same shape; neither writes to its input.
    """

    def __init__(self, branch: nn.Module, shortcut: nn.Module) -> None:
        super().__init__()
        self.branch = branch
        self.shortcut = shortcut

    def forward(self, x: Tensor) -> Tensor:
        """The sum."""
        result: Tensor = self.shortcut(x) + self.branch(x)
        return result


def norm(channels: int, batch_norm: bool) -> list[nn.Module]:
    """Batch norm, or nothing."""
    return [nn.BatchNorm2d(channels)] if batch_norm else []


def up_block(before: int, after: int) -> Residual:
    """Block of the generator, (B, before, H, W) to (B, after, 2 H, 2 W)."""
    branch = nn.Sequential(
        *norm(before, True),
        nn.ReLU(),
        nn.Conv2d(before, after, 3, padding=1, bias=False),
        *norm(after, True),
        nn.ReLU(),
        nn.Upsample(scale_factor=2),
        nn.Conv2d(after, after, 3, padding=1),
    )
    return Residual(branch, nn.Sequential(nn.Upsample(scale_factor=2), nn.Conv2d(before, after, 1)))


def down_block(
    before: int, after: int, batch_norm: bool, *, halve: bool = True, first: bool = False
) -> Residual:
    """Block of the discriminator; the first one takes the image, which no activation may cut."""
    start = [] if first else [*norm(before, batch_norm), nn.ReLU()]
    pool: list[nn.Module] = [nn.AvgPool2d(2)] if halve else []
    branch = nn.Sequential(
        *start,
        nn.Conv2d(before, after, 3, padding=1),
        *norm(after, batch_norm),
        nn.ReLU(),
        nn.Conv2d(after, after, 3, padding=1),
        *pool,
    )
    same = before == after and not halve
    # Averaging first gives the same numbers as the 1 x 1 convolution first, in a quarter the time.
    shortcut = nn.Identity() if same else nn.Sequential(*pool, nn.Conv2d(before, after, 1))
    return Residual(branch, shortcut)


def widths_of(size: int, filters: int) -> list[int]:
    """Channels of the generator's grids, from the smallest on."""
    doublings = grid_of(size)[1]
    if size <= CONSTANT_UP_TO:
        return [filters] * (doublings + 1)
    return [filters * min(WIDEST, 2 ** max(0, i - 1)) for i in range(doublings + 1, 0, -1)]


class ResNetGenerator(HeSequential):
    """Generator: ``inputs`` numbers (B, inputs) to images (B, channels, size, size) in [-1, 1].

    Parameters
    ----------
    inputs : int
        Numbers that it takes: z, and the label's code where there is one.
    channels, size : int
        Channels, height and width of the image.
    filters : int
        Channels of the last blocks.
    """

    def __init__(self, inputs: int, channels: int, size: int, filters: int) -> None:
        start, doublings = grid_of(size)
        widths = widths_of(size, filters)
        blocks = [up_block(widths[i], widths[i + 1]) for i in range(doublings)]
        super().__init__(
            nn.Linear(inputs, widths[0] * start**2),
            nn.Unflatten(1, (widths[0], start, start)),
            *blocks,
            *norm(widths[-1], True),
            nn.ReLU(),
            nn.Conv2d(widths[-1], channels, 3, padding=1),
            nn.Tanh(),
        )


class ResNetDiscriminator(Discriminator):
    """Discriminator: images (B, channels, size, size) in [-1, 1] to one number each, (B,).

    Parameters
    ----------
    channels, size : int
        As for the generator.
    filters : int
        Channels of the first block.
    batch_norm : bool
        Batch norm in the blocks.
    """

    def __init__(self, channels: int, size: int, filters: int, *, batch_norm: bool = True) -> None:
        start, _ = grid_of(size)
        if size <= CONSTANT_UP_TO:
            # Two blocks that halve, two that do not, and the mean over the grid.
            first: nn.Module = down_block(channels, filters, batch_norm, first=True)
            halved = [True, False, False]
            widths = [filters] * 4
            last: list[nn.Module] = [nn.AdaptiveAvgPool2d(1)]
            side = 1
        else:
            first = nn.Conv2d(channels, filters, 3, padding=1)
            widths = widths_of(size, filters)[::-1]
            halved = [True] * (len(widths) - 1)
            last, side = [], start
        blocks = [
            down_block(before, after, batch_norm, halve=halve)
            for (before, after), halve in zip(pairwise(widths), halved, strict=True)
        ]
        features = HeSequential(first, *blocks, nn.ReLU(), *last, nn.Flatten())
        super().__init__(features, nn.Linear(widths[-1] * side**2, 1))


@register("architecture", "resnet", "residual blocks of two convolutions")
def generator(architecture: Architecture, inputs: int) -> nn.Sequential:
    """Generator of ``inputs`` numbers."""
    channels, size, filters = architecture.channels, architecture.size, architecture.filters
    return ResNetGenerator(inputs, channels, size, filters)


def discriminator(architecture: Architecture, inputs: int, filters: int) -> Discriminator:
    """Discriminator of ``inputs`` channels."""
    batch_norm = architecture.discriminator_batch_norm
    return ResNetDiscriminator(inputs, architecture.size, filters, batch_norm=batch_norm)
