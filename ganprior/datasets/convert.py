"""The two conversions that a caller may ask for: one square size, one number of channels."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional

from ganprior.datasets.room import CHUNK, room

# ITU-R BT.601, section 2.5.1: weights of R, G and B in luma.
_LUMA = (0.299, 0.587, 0.114)

# How an image becomes square: its largest centred square; its border repeated on both sides of the
# shorter axis; or not at all, and then its axes are scaled apart.
Fit = Literal["crop", "pad", "stretch"]


def convert(pixels: Tensor, size: int | None, channels: int | None, fit: Fit = "crop") -> Tensor:
    """Convert to ``size`` x ``size`` and to ``channels``; None leaves either as it is.

    Parameters
    ----------
    pixels : Tensor
        (N, C, H, W), uint8 or float32 in [0, 1], C = 1 or 3. What is made of a NaN is NaN.
    size : int or None
        Side after an antialiased bilinear resize.
    fit : {"crop", "pad", "stretch"}
        What is resized: :func:`center_square`, :func:`padded_square`, or the image as it is.
    channels : int or None
        1: luma of colour images; 3: gray images repeated.

    Returns
    -------
    Tensor
        Same dtype; the input itself where nothing has to be done.
    """
    channels = channels or pixels.shape[1]
    size_is_right = size is None or pixels.shape[2:] == (size, size)
    if size_is_right and channels == pixels.shape[1]:
        return pixels
    # In chunks, because luma and resizing work in float32: four times the bytes of uint8.
    sides = pixels.shape[2:] if size is None else (size, size)
    converted = room((len(pixels), channels, *sides), pixels.numpy().dtype)
    for first in range(0, len(pixels), CHUNK):
        part = _to_channels(_resize(pixels[first : first + CHUNK], size, fit), channels)
        converted[first : first + CHUNK] = part.numpy()
    return torch.from_numpy(converted)


def center_square(pixels: Tensor) -> Tensor:
    """Largest centred square of (N, C, H, W) images; one pixel off centre where odd."""
    height, width = pixels.shape[2:]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    return pixels[:, :, top : top + side, left : left + side]


def padded_square(pixels: Tensor) -> Tensor:
    """Floats (N, C, H, W) with their borders repeated on both sides, up to a square."""
    height, width = pixels.shape[2:]
    across, down = max(height - width, 0), max(width - height, 0)
    margins = (across // 2, across - across // 2, down // 2, down - down // 2)
    return functional.pad(pixels, margins, mode="replicate")


def _resize(pixels: Tensor, size: int | None, fit: Fit) -> Tensor:
    if size is None or pixels.shape[2:] == (size, size):
        return pixels
    framed = {"crop": center_square, "pad": padded_square, "stretch": lambda x: x}[fit](
        pixels.float()
    )
    resized = functional.interpolate(framed, (size, size), mode="bilinear", antialias=True)
    return _like(resized, pixels)


def _to_channels(pixels: Tensor, channels: int) -> Tensor:
    if pixels.shape[1] == channels:
        return pixels
    if channels == 3:
        return pixels.repeat(1, 3, 1, 1)
    weights = torch.tensor(_LUMA).reshape(1, 3, 1, 1)
    return _like((pixels * weights).sum(1, keepdim=True), pixels)


def _like(values: Tensor, original: Tensor) -> Tensor:
    """Values in the dtype and range of the original pixels, which rounding may leave by a hair."""
    if original.dtype == torch.uint8:
        return values.round().clamp(0, 255).to(torch.uint8)
    return values.clamp(0, 1)
