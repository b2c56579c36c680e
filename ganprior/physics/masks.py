"""Masks of inpainting: float32 tensors (1, H, W), 1 where a pixel is known and 0 where it is not.

The shapes are those of Yeh, Chen, Lim, Schwing, Hasegawa-Johnson, Do 2017, "Semantic image
inpainting with deep generative models" (arXiv 1607.07539), section 4. Every fraction is the
fraction that is missing, and is met to the nearest pixel (to the nearest row and column for the
centre block): two seeds hide the same number of pixels.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal, get_args

import torch
import torch.nn.functional as F
from torch import Tensor

from ganprior.physics.arguments import checked_generator, checked_img_size

Side = Literal["left", "right", "top", "bottom"]


def center(img_size: Sequence[int], fraction: float = 0.25) -> Tensor:
    """Hide a block in the centre, of the image's own proportions.

    Parameters
    ----------
    img_size : sequence of int
        (C, H, W) of the images.
    fraction : float
        Area of the block over the area of the image, in [0, 1).

    Raises
    ------
    ValueError
        If the fraction is outside [0, 1) or the block covers the whole image.
    """
    _, height, width = checked_img_size(img_size)
    side = math.sqrt(_checked_fraction(fraction))
    rows, columns = round(height * side), round(width * side)
    top, left = (height - rows) // 2, (width - columns) // 2
    mask = torch.ones(1, height, width)
    mask[:, top : top + rows, left : left + columns] = 0
    return _not_empty(mask, fraction)


def random(
    img_size: Sequence[int], fraction: float, generator: torch.Generator | None = None
) -> Tensor:
    """Hide pixels drawn uniformly at random, all channels of a pixel together.

    Parameters
    ----------
    img_size : sequence of int
        (C, H, W) of the images.
    fraction : float
        Fraction of the pixels that is missing, in [0, 1).
    generator : torch.Generator, optional
        CPU generator; a new one with seed 0 when absent.

    Raises
    ------
    ValueError
        If the fraction is outside [0, 1) or leaves no pixel.
    """
    _, height, width = checked_img_size(img_size)
    hidden = round(height * width * _checked_fraction(fraction))
    mask = torch.ones(height * width)
    mask[torch.randperm(height * width, generator=checked_generator(generator))[:hidden]] = 0
    return _not_empty(mask.reshape(1, height, width), fraction)


def half(img_size: Sequence[int], side: Side) -> Tensor:
    """Hide one half of the image; of an odd length the smaller half.

    Parameters
    ----------
    img_size : sequence of int
        (C, H, W) of the images.
    side : {"left", "right", "top", "bottom"}
        The half that is missing.

    Raises
    ------
    ValueError
        If ``side`` is none of the four.
    """
    if side not in get_args(Side):
        raise ValueError(f"side must be one of {', '.join(get_args(Side))}, got {side!r}")
    _, height, width = checked_img_size(img_size)
    mask = torch.ones(1, height, width)
    hidden = {
        "left": mask[:, :, : width // 2],
        "right": mask[:, :, width - width // 2 :],
        "top": mask[:, : height // 2],
        "bottom": mask[:, height - height // 2 :],
    }
    hidden[side].zero_()
    return mask


def pattern(
    img_size: Sequence[int], fraction: float = 0.25, generator: torch.Generator | None = None
) -> Tensor:
    """Hide irregular blobs, about a sixth of the image wide.

    White noise on a coarse grid, enlarged smoothly and cut at the level that hides the fraction
    asked for, as the code of Pathak et al. 2016 does, "Context encoders" (arXiv 1604.07379).

    Parameters
    ----------
    img_size : sequence of int
        (C, H, W) of the images.
    fraction : float
        Fraction of the pixels that is missing, in [0, 1).
    generator : torch.Generator, optional
        CPU generator; a new one with seed 0 when absent.

    Raises
    ------
    ValueError
        If the fraction is outside [0, 1) or leaves no pixel.
    """
    _, height, width = checked_img_size(img_size)
    hidden = round(height * width * _checked_fraction(fraction))
    coarse = torch.rand(1, 1, 6, 6, generator=checked_generator(generator))
    smooth = F.interpolate(coarse, (height, width), mode="bicubic", align_corners=True)
    mask = torch.ones(height * width)
    mask[smooth.flatten().argsort(stable=True)[:hidden]] = 0
    return _not_empty(mask.reshape(1, height, width), fraction)


def _checked_fraction(fraction: float) -> float:
    if not 0 <= fraction < 1:
        raise ValueError(f"fraction, the part that is missing, must be in [0, 1), got {fraction}")
    return fraction


def _not_empty(mask: Tensor, fraction: float) -> Tensor:
    if not mask.any():
        raise ValueError(f"a mask with fraction={fraction} missing hides every pixel; lower it")
    return mask
