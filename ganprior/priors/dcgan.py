"""DCGAN networks (Radford, Metz, Chintala 2016, arXiv 1511.06434).

The paper's guidelines: strided convolutions instead of pooling, batch norm, no hidden fully
connected layers, ReLU in the generator with tanh at its end, LeakyReLU(0.2) in the
discriminator, weights from N(0, 0.02).

The generator projects z to a small grid of many channels and doubles the grid until the image
size is reached (7, 14, 28 at 28 pixels; 4, 8, ... at 32, 64 and 128); the last doubling gives the
image. The discriminator runs the other way.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

INITIAL_STD = 0.02


def _doublings(size: int) -> tuple[int, int]:
    """Start of the grid and how often it doubles, for an image of ``size`` pixels."""
    start = 7 if size % 7 == 0 else 4
    doublings = (size // start).bit_length() - 1
    if doublings < 1 or start << doublings != size:
        raise ValueError(f"size must be 4 or 7 times a power of two (28, 32, 64, 128), got {size}")
    return start, doublings


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

    Raises
    ------
    ValueError
        If ``size`` cannot be reached by doubling.
    """

    def __init__(self, latent_size: int, channels: int, size: int, filters: int) -> None:
        start, doublings = _doublings(size)
        widths = [filters << i for i in reversed(range(doublings))]
        layers: list[nn.Module] = [
            nn.Unflatten(1, (latent_size, 1, 1)),
            nn.ConvTranspose2d(latent_size, widths[0], start, bias=False),
            nn.BatchNorm2d(widths[0]),
            nn.ReLU(inplace=True),
        ]
        for before, after in pairwise(widths):
            layers += [
                nn.ConvTranspose2d(before, after, 4, stride=2, padding=1, bias=False),
                nn.BatchNorm2d(after),
                nn.ReLU(inplace=True),
            ]
        last = nn.ConvTranspose2d(widths[-1], channels, 4, stride=2, padding=1)
        super().__init__(*layers, last, nn.Tanh())


class DCGANDiscriminator(nn.Module):
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

    Raises
    ------
    ValueError
        If ``size`` cannot be reached by doubling.
    """

    def __init__(self, channels: int, size: int, filters: int, *, batch_norm: bool = True) -> None:
        super().__init__()
        start, doublings = _doublings(size)
        layers: list[nn.Module] = []
        before = channels
        # From 28 pixels one halving more is taken, 7 to 3: a 7 x 7 output layer over few
        # channels would do most of the work linearly.
        for depth in range(doublings + (start == 7)):
            after = filters << depth
            normalised = batch_norm and depth > 0
            layers.append(nn.Conv2d(before, after, 4, stride=2, padding=1, bias=not normalised))
            if normalised:
                layers.append(nn.BatchNorm2d(after))
            layers.append(nn.LeakyReLU(0.2, inplace=True))
            before = after
        self.features = nn.Sequential(*layers)
        self.output = nn.Conv2d(before, 1, 3 if start == 7 else 4)

    def forward(self, x: Tensor) -> Tensor:
        """One number per image, (B,)."""
        number: Tensor = self.output(self.features(x))
        return number.flatten()


@torch.no_grad()
def initialise(network: nn.Module, rng: torch.Generator) -> None:
    """Weights from N(0, 0.02), batch-norm scales from N(1, 0.02), biases 0 (section 4)."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            nn.init.normal_(module.weight, 0.0, INITIAL_STD, generator=rng)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.weight, 1.0, INITIAL_STD, generator=rng)
            nn.init.zeros_(module.bias)
