"""Paths between latents: straight, and along the sphere.

White (2016), "Sampling generative networks", arXiv 1609.04468, section 2.1. Latents of N(0, I) in
k dimensions lie close to the sphere of radius sqrt(k); the middle of a straight line between two
of them has a norm that the generator has hardly seen in training. The spherical path keeps to
the norms of its ends.
"""

from __future__ import annotations

import torch
from torch import Tensor


def linear_path(start: Tensor, end: Tensor, frames: int) -> Tensor:
    """Points (1 - t) start + t end at ``frames`` equal steps of t from 0 to 1.

    Parameters
    ----------
    start, end : Tensor
        Latents of one shape, of any law.
    frames : int
        Number of points, both ends included: at least 2.

    Returns
    -------
    Tensor
        (frames, *shape).

    Raises
    ------
    ValueError
        If ``frames`` is below 2 or the shapes differ.
    """
    t = _times(start, end, frames)
    return (1 - t) * start + t * end


def spherical_path(start: Tensor, end: Tensor, frames: int) -> Tensor:
    """Points sin((1 - t) theta) / sin(theta) start + sin(t theta) / sin(theta) end.

    theta is the angle between the ends. Ends of one norm give an arc of that radius, at constant
    speed. Where ends have no arc of their own (one is 0, or they point in the same or in opposite
    directions), the path is the straight one.

    Parameters
    ----------
    start, end, frames
        As for :func:`linear_path`.

    Returns
    -------
    Tensor
        (frames, *shape).

    Raises
    ------
    ValueError
        If ``frames`` is below 2 or the shapes differ.
    """
    t = _times(start, end, frames)
    theta = _angle(start, end)
    # Near 0 and pi the quotient has lost half its digits; below, it is noise.
    if not theta.sin() > torch.finfo(start.dtype).eps ** 0.5:
        return linear_path(start, end, frames)
    return ((1 - t) * theta).sin() / theta.sin() * start + (t * theta).sin() / theta.sin() * end


def grid_walk(corners: Tensor, side: int) -> Tensor:
    """Latents of a square grid between four corners, row by row.

    The left and the right edge are spherical paths, and each row is one between them.

    Parameters
    ----------
    corners : Tensor
        Latents at the top left, top right, bottom left and bottom right, (4, *shape).
    side : int
        Points along an edge, both corners included: at least 2.

    Returns
    -------
    Tensor
        (side * side, *shape).

    Raises
    ------
    ValueError
        If there are not four corners or ``side`` is below 2.
    """
    if len(corners) != 4:
        raise ValueError(f"a grid has 4 corners, got {len(corners)}")
    left = spherical_path(corners[0], corners[2], side)
    right = spherical_path(corners[1], corners[3], side)
    return torch.cat(
        [spherical_path(start, end, side) for start, end in zip(left, right, strict=True)]
    )


def _angle(start: Tensor, end: Tensor) -> Tensor:
    # Kahan's formula: arccos of the inner product loses half the digits of a small angle.
    u, v = start / start.norm(), end / end.norm()
    return 2 * torch.atan2((u - v).norm(), (u + v).norm())


def _times(start: Tensor, end: Tensor, frames: int) -> Tensor:
    """Times from 0 to 1, shaped to multiply latents."""
    if frames < 2:
        raise ValueError(f"frames must be at least 2, the two ends of the path, got {frames}")
    if start.shape != end.shape:
        raise ValueError(
            f"start and end must have one shape, got {tuple(start.shape)} and {tuple(end.shape)}"
        )
    t = torch.linspace(0, 1, frames, dtype=start.dtype, device=start.device)
    return t.reshape(-1, *[1] * start.dim())
