"""Network of the context encoder, which fills in what is missing from an image.

D. Pathak, P. Krahenbuhl, J. Donahue, T. Darrell, A. A. Efros, "Context Encoders: Feature Learning
by Inpainting", 2016, arXiv 1604.07379, section 3: strided convolutions down to a bottleneck that
sees the whole image, and transposed convolutions back up. Here it is given the mask as one more
channel, so that one network serves every mask.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn

# A grid of this side or less is taken in whole by the bottleneck.
SMALLEST_SIDE = 4
WIDEST = 8


class ContextEncoder(nn.Module):
    """Masked image and mask to the whole image, (B, C, H, W) in [-1, 1].

    Parameters
    ----------
    image_shape : tuple of int
        (C, H, W), height and width of at least 4 pixels.
    filters : int
        Channels of the first layer; each later one has twice as many, up to 8 times.
    bottleneck : int
        Numbers that the whole image is brought down to.

    Raises
    ------
    ValueError
        If the image is smaller than 4 pixels.
    """

    def __init__(
        self, image_shape: tuple[int, int, int], filters: int = 32, bottleneck: int = 512
    ) -> None:
        super().__init__()
        channels, height, width = image_shape
        if min(height, width) < SMALLEST_SIDE:
            raise ValueError(
                f"image_shape must be (C, H, W) of at least {SMALLEST_SIDE} x {SMALLEST_SIDE} "
                f"pixels, got {tuple(image_shape)}"
            )
        sides = _sides(height, width)
        widths = [filters * min(2**i, WIDEST) for i in range(len(sides) - 1)]
        self.image_shape = (channels, height, width)
        self.filters, self.bottleneck = filters, bottleneck
        self.encoder = nn.Sequential(
            *_down([channels + 1, *widths]),
            nn.Conv2d(widths[-1], bottleneck, sides[-1], bias=False),
            nn.BatchNorm2d(bottleneck),
            nn.LeakyReLU(0.2, inplace=True),
        )
        self.decoder = nn.Sequential(
            nn.ConvTranspose2d(bottleneck, widths[-1], sides[-1], bias=False),
            nn.BatchNorm2d(widths[-1]),
            nn.ReLU(inplace=True),
            *_up([*widths[::-1], channels], sides[::-1]),
            nn.Tanh(),
        )

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """Fill in images.

        Parameters
        ----------
        x : Tensor
            Images (B, C, H, W) in [-1, 1]; what the mask hides is not looked at.
        mask : Tensor
            1 for a known pixel and 0 for a missing one, (B, 1, H, W) or (1, 1, H, W).

        Returns
        -------
        Tensor
            Whole images (B, C, H, W) in [-1, 1]; the known pixels are the network's as well.
        """
        mask = mask.to(x).expand(len(x), -1, -1, -1)
        seen = torch.where(mask > 0, x, 0.0)
        images: Tensor = self.decoder(self.encoder(torch.cat([seen, mask], 1)))
        return images


def _sides(height: int, width: int) -> list[tuple[int, int]]:
    """Sides of the grids, from the image's down to the smallest; each is half the one before."""
    sides = [(height, width)]
    while len(sides) == 1 or (max(sides[-1]) > SMALLEST_SIDE and min(sides[-1]) > 1):
        height, width = sides[-1]
        sides.append((height // 2, width // 2))
    return sides


def _down(widths: list[int]) -> list[nn.Module]:
    layers: list[nn.Module] = []
    for depth, (before, after) in enumerate(pairwise(widths)):
        layers.append(nn.Conv2d(before, after, 4, stride=2, padding=1, bias=depth == 0))
        layers += [nn.BatchNorm2d(after)] if depth > 0 else []
        layers.append(nn.LeakyReLU(0.2, inplace=True))
    return layers


def _up(widths: list[int], sides: list[tuple[int, int]]) -> list[nn.Module]:
    """Transposed convolutions; a side that was odd gets its last row back by output padding."""
    layers: list[nn.Module] = []
    for depth, (before, after) in enumerate(pairwise(widths)):
        height, width = sides[depth + 1]
        last = depth == len(widths) - 2
        odd = (height % 2, width % 2)
        layers.append(
            nn.ConvTranspose2d(before, after, 4, stride=2, padding=1, output_padding=odd, bias=last)
        )
        layers += [] if last else [nn.BatchNorm2d(after), nn.ReLU(inplace=True)]
    return layers
