"""Masks, images and the four inpainting baselines that their tests share."""

from __future__ import annotations

import torch
from torch import Tensor

from ganprior.baselines import Biharmonic, LowRank, NearestPatch, TotalVariation
from ganprior.solution import Reconstructor
from tests.cases_baselines import images

SHAPE = (1, 8, 10)


def masks(count: int, seed: int = 0, shape: tuple[int, int, int] = SHAPE) -> Tensor:
    """One mask per image, float64 (B, 1, H, W): about half of the pixels at random."""
    generator = torch.Generator().manual_seed(seed)
    return (torch.rand(count, 1, *shape[1:], generator=generator) > 0.5).double()


def hole(shape: tuple[int, int, int] = SHAPE) -> Tensor:
    """One mask for all images, (1, 1, H, W): a block in the middle is missing."""
    mask = torch.ones(1, 1, *shape[1:], dtype=torch.float64)
    mask[..., 2:5, 2:5] = 0
    return mask


def training_set(shape: tuple[int, int, int] = SHAPE, dtype: torch.dtype = torch.float64) -> Tensor:
    return images(12, shape, seed=7, dtype=dtype)


def inpainters(shape: tuple[int, int, int] = SHAPE) -> dict[str, Reconstructor]:
    """One of each baseline, by the name it has in a table."""
    return {
        "tv": TotalVariation(),
        "low-rank": LowRank(),
        "nearest-patch": NearestPatch(training_set(shape)),
        "biharmonic": Biharmonic(),
    }
