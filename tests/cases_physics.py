"""Every physics as a factory: name -> (image size, function that makes it)."""

from collections.abc import Callable
from typing import Any

import torch

from ganprior.physics import (
    Dense,
    Gaussian,
    SingleCoilMRI,
    StructuredRows,
    blur,
    cartesian_mask,
    downsampling,
    gray,
    identity,
    inpainting,
    make_physics,
    masks,
)
from ganprior.registry import Entry, entries
from tests.checks import random_tensor

Size = tuple[int, int, int]
GREY: Size = (1, 12, 10)
COLOUR: Size = (3, 8, 8)
BATCH = 3


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def tall_matrix(size: Size) -> torch.Tensor:
    n = torch.Size(size).numel()
    return torch.randn(n + 20, n, generator=seeded())


def mask_per_image(size: Size) -> torch.Tensor:
    return torch.stack([masks.random(size, 0.5, seeded(i)) for i in range(BATCH)])


CASES: dict[str, tuple[Size, Callable[[Size], Any]]] = {
    "gaussian": (GREY, lambda size: Gaussian(30, size)),
    "gaussian, colour": (COLOUR, lambda size: Gaussian(50, size, seeded(3))),
    "gaussian, m = n": (GREY, lambda size: Gaussian(120, size)),
    "dense, m > n": (GREY, lambda size: Gaussian.from_matrix(tall_matrix(size), size)),
    "dense, one row": (COLOUR, lambda size: Dense(torch.ones(1, 192), size)),
    "mask center": (GREY, lambda size: inpainting(masks.center(size), size)),
    "mask random": (COLOUR, lambda size: inpainting(masks.random(size, 0.8), size)),
    "mask half": (GREY, lambda size: inpainting(masks.half(size, "left"), size)),
    "mask pattern": (GREY, lambda size: inpainting(masks.pattern(size), size)),
    "mask per channel": (COLOUR, lambda size: inpainting(torch.eye(8).expand(size), size)),
    "mask per image": (COLOUR, lambda size: inpainting(mask_per_image(size), size)),
    "downsample": (COLOUR, lambda size: downsampling(size, 4)),
    "downsample, bicubic": ((1, 12, 12), lambda size: downsampling(size, 2, "bicubic")),
    "blur": (GREY, lambda size: blur(size, 1)),
    "blur, colour": (COLOUR, lambda size: blur(size, 0.5)),
    "mri": (GREY, lambda size: SingleCoilMRI(cartesian_mask(size, 4), size)),
    "mri, odd": ((1, 9, 7), lambda size: SingleCoilMRI(cartesian_mask(size, 2.5), size)),
    "structured": (GREY, lambda size: StructuredRows(40, size)),
    "structured, colour, m = n": (COLOUR, lambda size: StructuredRows(192, size, seeded(1))),
    "gray": (COLOUR, lambda size: gray(size)),
    "identity": (GREY, lambda size: identity()),
}


def _as_registered(entry: Entry) -> tuple[Size, Callable[[Size], Any]]:
    """Case of a name that has none above, with the examples of its options."""
    size = COLOUR if entry.needs == "colour" else GREY
    return size, lambda size: make_physics(entry.example, size)


CASES.update(
    {
        name: _as_registered(entry)
        for name, entry in entries("physics").items()
        if not any(case.replace(",", " ").split()[0] == name for case in CASES)
    }
)

# One mask per image makes a different operator of a batch of another size.
ANY_BATCH = [name for name in CASES if name != "mask per image"]


def make(name: str, dtype: torch.dtype = torch.float64) -> tuple[Any, Size]:
    """Physics of a case in the type asked for, and its image size."""
    size, factory = CASES[name]
    return factory(size).to(dtype), size


def images(size: Size, count: int = BATCH, seed: int = 0) -> torch.Tensor:
    """Signals with entries of both signs: harder to satisfy by accident than real images."""
    return random_tensor((count, *size), seed)
