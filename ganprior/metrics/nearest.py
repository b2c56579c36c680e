"""The training images that generated ones are nearest to, to tell new ones from memorised ones."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

# Images compared at once.
_CHUNK = 5000


class Nearest(NamedTuple):
    """The nearest image of a set, for each of B images.

    Attributes
    ----------
    place : Tensor
        Which image of the set it is, int64, (B,).
    per_pixel_error : Tensor
        Mean squared difference per pixel from it, (B,); see
        :func:`~ganprior.metrics.image.per_pixel_error`.
    """

    place: Tensor
    per_pixel_error: Tensor


def nearest_images(images: Tensor, among: Tensor) -> Nearest:
    """Nearest image of a set, by Euclidean distance between pixels.

    Parameters
    ----------
    images : Tensor
        (B, C, H, W) in [0, 1].
    among : Tensor
        The set, (N, C, H, W): uint8, or float in [0, 1].

    Raises
    ------
    ValueError
        If either holds no image or they differ in shape.
    """
    if images.shape[1:] != among.shape[1:] or not (len(images) and len(among)):
        raise ValueError(
            "images and the set to search must hold images of one shape, got "
            f"{tuple(images.shape)} and {tuple(among.shape)}"
        )
    x = images.clamp(0, 1).double().flatten(1)
    best = torch.full((len(x),), torch.inf, dtype=x.dtype)
    place = torch.zeros(len(x), dtype=torch.long)
    for start in range(0, len(among), _CHUNK):
        part = among[start : start + _CHUNK].flatten(1)
        known = part.double() / 255 if part.dtype == torch.uint8 else part.double()
        distance, within = torch.cdist(x, known).min(1)
        closer = distance < best
        best = torch.where(closer, distance, best)
        place = torch.where(closer, within + start, place)
    return Nearest(place, best.square() / x.shape[1])
