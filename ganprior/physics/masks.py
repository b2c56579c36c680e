"""Masks of inpainting: float32 tensors (1, H, W), 1 where a pixel is known and 0 where it is not.

The shapes are those of Yeh, Chen, Lim, Schwing, Hasegawa-Johnson, Do 2017, "Semantic image
inpainting with deep generative models" (arXiv 1607.07539), section 4. Every fraction is the
fraction that is missing, and is met to the nearest pixel (to the nearest row and column for the
centre block): two seeds hide the same number of pixels.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Literal, get_args

import torch
import torch.nn.functional as F
from torch import Tensor

from ganprior.physics.arguments import checked_generator, checked_img_size
from ganprior.physics.drawn_masks import freehand, text
from ganprior.registry import Choice, Count, Number, register
from ganprior.streams import Streams, uniform

__all__ = [
    "center",
    "freehand",
    "grid",
    "half",
    "holes",
    "pattern",
    "per_image",
    "random",
    "text",
]

Side = Literal["left", "right", "top", "bottom"]


@register(
    "mask",
    "center",
    "a block in the centre",
    Number(
        "center",
        "fraction that is missing, 0.25 by default",
        argument="fraction",
        example=0.25,
        default=0.25,
        minimum=0,
        below=1,
    ),
)
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
    mask = torch.ones(1, height, width, dtype=torch.float32)
    mask[:, top : top + rows, left : left + columns] = 0
    return _not_empty(mask, fraction)


@register(
    "mask",
    "random",
    "random pixels",
    Number(
        "random",
        "fraction that is missing",
        required=True,
        argument="fraction",
        example=0.8,
        minimum=0,
        below=1,
    ),
    random=True,
)
def random(
    img_size: Sequence[int], fraction: float, generator: torch.Generator | int | None = None
) -> Tensor:
    """Hide pixels drawn uniformly at random, all channels of a pixel together.

    Parameters
    ----------
    img_size : sequence of int
        (C, H, W) of the images.
    fraction : float
        Fraction of the pixels that is missing, in [0, 1).
    generator : torch.Generator or int, optional
        On the CPU, or a seed; seed 0 when absent.

    Raises
    ------
    ValueError
        If the fraction is outside [0, 1) or leaves no pixel.
    """
    _, height, width = checked_img_size(img_size)
    hidden = round(height * width * _checked_fraction(fraction))
    mask = torch.ones(height * width, dtype=torch.float32)
    mask[torch.randperm(height * width, generator=checked_generator(generator))[:hidden]] = 0
    return _not_empty(mask.reshape(1, height, width), fraction)


@register(
    "mask",
    "half",
    "one half",
    Choice(
        "half",
        "the half that is missing",
        argument="side",
        words=("left", "right", "top", "bottom"),
        example="left",
        required=True,
    ),
)
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
    mask = torch.ones(1, height, width, dtype=torch.float32)
    hidden = {
        "left": mask[:, :, : width // 2],
        "right": mask[:, :, width - width // 2 :],
        "top": mask[:, : height // 2],
        "bottom": mask[:, height - height // 2 :],
    }
    hidden[side].zero_()
    return mask


@register(
    "mask",
    "pattern",
    "irregular blobs",
    Number(
        "pattern",
        "fraction that is missing, 0.25 by default",
        argument="fraction",
        example=0.25,
        default=0.25,
        minimum=0,
        below=1,
    ),
    random=True,
)
def pattern(
    img_size: Sequence[int], fraction: float = 0.25, generator: torch.Generator | int | None = None
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
    generator : torch.Generator or int, optional
        On the CPU, or a seed; seed 0 when absent.

    Raises
    ------
    ValueError
        If the fraction is outside [0, 1) or leaves no pixel.
    """
    _, height, width = checked_img_size(img_size)
    hidden = round(height * width * _checked_fraction(fraction))
    coarse = uniform((1, 1, 6, 6), checked_generator(generator))
    smooth = F.interpolate(coarse, (height, width), mode="bicubic", align_corners=True)
    mask = torch.ones(height * width, dtype=torch.float32)
    mask[smooth.flatten().argsort(stable=True)[:hidden]] = 0
    return _not_empty(mask.reshape(1, height, width), fraction)


@register(
    "mask",
    "grid",
    "the pixels between those of a grid",
    Count(
        "grid",
        "spacing of the known pixels, 4 by default",
        argument="spacing",
        example=4,
        default=4,
        minimum=2,
    ),
)
def grid(img_size: Sequence[int], spacing: int = 4) -> Tensor:
    """Hide all pixels but every ``spacing``-th one of every ``spacing``-th row, from the first on.

    Parameters
    ----------
    img_size : sequence of int
        (C, H, W) of the images.
    spacing : int
        Distance between known pixels, at least 2; 4 hides 15 of 16 pixels.

    Raises
    ------
    ValueError
        If ``spacing`` is below 2.
    """
    if spacing < 2:
        raise ValueError(f"spacing of known pixels must be at least 2, got {spacing}")
    _, height, width = checked_img_size(img_size)
    mask = torch.zeros(1, height, width, dtype=torch.float32)
    # A step beyond the image, which tensors count in 64 bits, leaves the first pixel as any other.
    step = min(spacing, max(mask.shape))
    mask[:, ::step, ::step] = 1
    return mask


@register(
    "mask",
    "holes",
    "several square blocks",
    Count("holes", "their number, 3 by default", argument="count", example=3, default=3),
    random=True,
)
def holes(
    img_size: Sequence[int],
    count: int = 3,
    fraction: float = 0.25,
    generator: torch.Generator | int | None = None,
) -> Tensor:
    """Hide several square blocks of one size, apart from each other, at random places.

    Parameters
    ----------
    img_size : sequence of int
        (C, H, W) of the images.
    count : int
        Number of blocks.
    fraction : float
        Area of all blocks together over that of the image, in [0, 1).
    generator : torch.Generator or int, optional
        On the CPU, or a seed; seed 0 when absent.

    Raises
    ------
    ValueError
        If an argument is out of range, or the blocks do not fit with a pixel between them; fewer
        or smaller ones, or another seed, may.
    """
    _, height, width = checked_img_size(img_size)
    if count < 1:
        raise ValueError(f"count of holes must be at least 1, got {count}")
    rng = checked_generator(generator)
    side = max(1, round(math.sqrt(height * width * _checked_fraction(fraction) / count)))
    mask = torch.ones(1, height, width, dtype=torch.float32)
    for _ in range(count):
        places = _free_places(mask, side)
        if not len(places):
            raise ValueError(
                f"{count} holes of {side} x {side} pixels do not fit into {height} x {width}; "
                "lower their number or fraction, or take another seed"
            )
        _, top, left = places[int(torch.randint(len(places), (), generator=rng))].tolist()
        mask[:, top : top + side, left : left + side] = 0
    return _not_empty(mask, fraction)


def _free_places(mask: Tensor, side: int) -> Tensor:
    """Upper left corners (N, 3) of blocks that a pixel at least separates from those hidden."""
    if side > min(mask.shape[1:]):
        return mask.new_empty(0, 3)
    hidden = F.pad(1 - mask, (1, 1, 1, 1))
    return (F.max_pool2d(hidden, side + 2, 1) == 0).nonzero()


def per_image(count: int, make: Callable[[torch.Generator], Tensor], streams: Streams) -> Tensor:
    """Draw a mask of its own for each image, from the image's own stream ``"mask"``.

    Parameters
    ----------
    count : int
        Number of images.
    make : callable
        Draws a mask (1, H, W) by a generator: ``lambda rng: masks.random(size, 0.8, rng)``.
    streams : Streams
        Random streams of the images: an image keeps its mask in any batch.

    Returns
    -------
    Tensor
        (count, 1, H, W).
    """
    return torch.stack([make(streams.generator("mask", i)) for i in range(count)])


def _checked_fraction(fraction: float) -> float:
    if not 0 <= fraction < 1:
        raise ValueError(f"fraction, the part that is missing, must be in [0, 1), got {fraction}")
    return fraction


def _not_empty(mask: Tensor, fraction: float) -> Tensor:
    if not mask.any():
        raise ValueError(f"a mask with fraction={fraction} missing hides every pixel; lower it")
    return mask
