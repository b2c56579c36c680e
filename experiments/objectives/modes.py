"""Modes that a generator covers: which ones, how evenly, and which it forgets again."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

# Standard deviations of its mode within which a point is one of the data's kind.
NEAR = 3.0


def ring(count: int = 8, radius: float = 1.0) -> Tensor:
    """Centres on a circle, (count, 2)."""
    angles = torch.arange(count) * (2 * math.pi / count)
    return radius * torch.stack([angles.cos(), angles.sin()], 1)


def square(side: int = 5, spacing: float = 0.75) -> Tensor:
    """Centres on a square grid around 0, (side^2, 2)."""
    axis = (torch.arange(side) - (side - 1) / 2) * spacing
    return torch.cartesian_prod(axis, axis)


def draw_around(centres: Tensor, std: float, runs: int, count: int, rng: torch.Generator) -> Tensor:
    """Points of Gaussians of equal weights around the centres, (runs, count, 2)."""
    chosen = torch.randint(len(centres), (runs, count), generator=rng)
    return centres[chosen] + std * torch.randn(runs, count, 2, generator=rng)


def read_points(points: Tensor, centres: Tensor, std: float) -> tuple[Tensor, Tensor]:
    """The nearest centre of each point (N, 2), and whether it is near: int64 and bool, (N,)."""
    distances, nearest = torch.cdist(points, centres).min(1)
    return nearest, distances <= NEAR * std


def shares(classes: Tensor, count: int) -> Tensor:
    """Share of each of ``count`` classes, float64, from the class of every sample (N,)."""
    return torch.bincount(classes, minlength=count).double() / max(len(classes), 1)


def covered(classes: Tensor, count: int, samples: int, least: float) -> Tensor:
    """Which modes are covered, bool (count,).

    Parameters
    ----------
    classes : Tensor
        Mode of every sample that counts, int64, (N,).
    count : int
        Number of modes.
    samples : int
        Number of all samples, at least N.
    least : float
        Share of what a mode would have by right, ``samples`` / ``count``, from which it is
        covered; 0 for a single sample.
    """
    found = torch.bincount(classes, minlength=count)
    return found >= max(1.0, least * samples / count)


def divergence_from_uniform(classes: Tensor, count: int) -> float:
    """KL(share of every mode || uniform), between 0 and log ``count``."""
    own = shares(classes, count)
    return (torch.xlogy(own, own).sum() + math.log(count)).item()


def forgotten(history: Sequence[Tensor]) -> int:
    """Modes that were covered at some time and are not at the end, from bools (count,)."""
    ever = torch.stack(list(history)).any(0)
    return int((ever & ~history[-1]).sum())
