"""Residual networks of 101 layers (Gulrajani et al. 2017, arXiv 1704.00028, section 5.2).

33 bottleneck blocks of three convolutions, 1 x 1, 3 x 3, 1 x 1, with half the channels inside, and
a layer at either end. One block per doubling of the grid changes size and width; the others are
spread evenly over the grids, 6, 6, 6, 6 and 5 at 64 pixels. The branch of a block is added with
weight 0.3, which keeps the sum of so many of them in range, and the generator's last numbers are
divided by 5 before tanh, as in the authors' code.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

from ganprior.priors.architectures.architecture import Architecture, grid_of
from ganprior.priors.architectures.discriminator import Discriminator
from ganprior.priors.architectures.initial import HeSequential
from ganprior.priors.architectures.resnet import norm
from ganprior.registry import register

BLOCKS = 33
BRANCH_WEIGHT = 0.3
OUTPUT_WEIGHT = 0.2


class Bottleneck(nn.Module):
    """shortcut(x) + 0.3 branch(x), (B, before, H, W) to (B, after, H, W) or another grid.

    Parameters
    ----------
    before, after : int
        Channels.
    scale : float
        2 doubles the grid, 0.5 halves it, 1 leaves it.
    batch_norm : bool
        Batch norm at the end of the branch.
    """

    def __init__(self, before: int, after: int, scale: float, batch_norm: bool) -> None:
        super().__init__()
        inside = max(1, after // 2)
        up: list[nn.Module] = [nn.Upsample(scale_factor=2)] if scale == 2 else []
        stride = 2 if scale == 0.5 else 1
        self.branch = nn.Sequential(
            nn.ReLU(),
            nn.Conv2d(before, inside, 1),
            nn.ReLU(),
            *up,
            nn.Conv2d(inside, inside, 3, stride=stride, padding=1),
            nn.ReLU(),
            nn.Conv2d(inside, after, 1, bias=not batch_norm),
            *norm(after, batch_norm),
        )
        pool: list[nn.Module] = [nn.AvgPool2d(2)] if scale == 0.5 else []
        same = before == after and scale == 1
        self.shortcut = (
            nn.Identity() if same else nn.Sequential(*up, *pool, nn.Conv2d(before, after, 1))
        )

    def forward(self, x: Tensor) -> Tensor:
        """The weighted sum."""
        result: Tensor = self.shortcut(x) + BRANCH_WEIGHT * self.branch(x)
        return result


class ScaledTanh(nn.Module):
    """tanh(x / 5)."""

    def forward(self, x: Tensor) -> Tensor:
        """Images in [-1, 1]."""
        return torch.tanh(OUTPUT_WEIGHT * x)


def plain_blocks(grids: int) -> list[int]:
    """How many blocks stay on each of the grids; the smaller grids have one more."""
    left = BLOCKS - (grids - 1)
    return [left // grids + (i < left % grids) for i in range(grids)]


class ResNet101Generator(HeSequential):
    """Generator: ``inputs`` numbers (B, inputs) to images (B, channels, size, size) in [-1, 1].

    Parameters
    ----------
    inputs : int
        Numbers that it takes: z, and the label's code where there is one.
    channels, size : int
        Channels, height and width of the image.
    filters : int
        Channels of the blocks at the size of the image; twice as many at each smaller one.
    """

    def __init__(self, inputs: int, channels: int, size: int, filters: int) -> None:
        start, doublings = grid_of(size)
        widths = [filters << i for i in reversed(range(doublings + 1))]
        counts = plain_blocks(len(widths))
        blocks = [Bottleneck(widths[0], widths[0], 1, True) for _ in range(counts[0])]
        for (before, after), count in zip(pairwise(widths), counts[1:], strict=True):
            blocks.append(Bottleneck(before, after, 2, True))
            blocks += [Bottleneck(after, after, 1, True) for _ in range(count)]
        super().__init__(
            nn.Linear(inputs, widths[0] * start**2),
            nn.Unflatten(1, (widths[0], start, start)),
            *blocks,
            nn.Conv2d(filters, channels, 3, padding=1),
            ScaledTanh(),
        )


class ResNet101Discriminator(Discriminator):
    """Discriminator: images (B, channels, size, size) in [-1, 1] to one number each, (B,).

    Parameters
    ----------
    channels, size, filters : int
        As for the generator.
    batch_norm : bool
        Batch norm in the blocks; the paper has layer norm.
    """

    def __init__(self, channels: int, size: int, filters: int, *, batch_norm: bool = True) -> None:
        start, doublings = grid_of(size)
        widths = [filters << i for i in range(doublings + 1)]
        counts = plain_blocks(len(widths))[::-1]
        blocks = [Bottleneck(filters, filters, 1, batch_norm) for _ in range(counts[0])]
        for (before, after), count in zip(pairwise(widths), counts[1:], strict=True):
            blocks.append(Bottleneck(before, after, 0.5, batch_norm))
            blocks += [Bottleneck(after, after, 1, batch_norm) for _ in range(count)]
        features = HeSequential(nn.Conv2d(channels, filters, 3, padding=1), *blocks, nn.Flatten())
        super().__init__(features, nn.Linear(widths[-1] * start**2, 1))


@register("architecture", "resnet-101", "101 layers, bottleneck blocks of three convolutions")
def generator(architecture: Architecture, inputs: int) -> nn.Sequential:
    """Generator of ``inputs`` numbers."""
    channels, size, filters = architecture.channels, architecture.size, architecture.filters
    return ResNet101Generator(inputs, channels, size, filters)


def discriminator(architecture: Architecture, inputs: int, filters: int) -> Discriminator:
    """Discriminator of ``inputs`` channels."""
    batch_norm = architecture.discriminator_batch_norm
    return ResNet101Discriminator(inputs, architecture.size, filters, batch_norm=batch_norm)
