"""Latent laws: where a generator's input comes from."""

from __future__ import annotations

import math
import operator
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import Any

import torch
from torch import Tensor

from ganprior.streams import as_generator, standard_normal, uniform


def checked_latent_shape(shape: int | Sequence[int]) -> tuple[int, ...]:
    """Shape of one latent as whole numbers; an int k means (k,).

    Raises
    ------
    ValueError
        If it is neither a whole number nor some of them, or one is below 1.
    """
    try:
        sizes = shape if isinstance(shape, Iterable) else (shape,)
        found = tuple(operator.index(size) for size in sizes)
    except TypeError:
        found = ()
    if not found or min(found) < 1:
        raise ValueError(f"latent shape must hold positive sizes, got {shape!r}")
    return found


class Latent(ABC):
    """Law of the latent z, with independent entries.

    Parameters
    ----------
    shape : int or sequence of int
        Shape of one latent; an int k means (k,).

    Raises
    ------
    ValueError
        If ``shape`` is neither a whole number nor some of them, or one is below 1.
    """

    name: str

    def __init__(self, shape: int | Sequence[int]) -> None:
        self.shape = checked_latent_shape(shape)

    @property
    def size(self) -> int:
        """Number of entries of one latent: k in Bora et al. (2017)."""
        return math.prod(self.shape)

    @abstractmethod
    def sample(self, count: int, rng: torch.Generator | int) -> Tensor:
        """Draw ``count`` latents, float32 (count, *shape), by a generator or a seed."""

    @abstractmethod
    def penalty(self, z: Tensor) -> Tensor:
        """-log p(z) up to a constant, summed over a latent's axes: (..., *shape) to (...)."""

    def describe(self) -> dict[str, Any]:
        """JSON form of the law, read back by :func:`latent_from_description`."""
        return {"law": self.name, "shape": list(self.shape)}

    def _sum(self, entries: Tensor) -> Tensor:
        return entries.flatten(-len(self.shape)).sum(-1)


class GaussianLatent(Latent):
    """z ~ N(0, I)."""

    name = "gaussian"

    def sample(self, count: int, rng: torch.Generator | int) -> Tensor:
        """Draw ``count`` latents."""
        return standard_normal((count, *self.shape), as_generator(rng))

    def penalty(self, z: Tensor) -> Tensor:
        """||z||^2 / 2."""
        return self._sum(z.square()) / 2


class UniformLatent(Latent):
    """z uniform on [-1, 1]^k."""

    name = "uniform"

    def sample(self, count: int, rng: torch.Generator | int) -> Tensor:
        """Draw ``count`` latents."""
        return uniform((count, *self.shape), as_generator(rng)) * 2 - 1

    def penalty(self, z: Tensor) -> Tensor:
        """0 inside the cube, infinite outside."""
        outside = self._sum((z.abs() > 1).to(z.dtype)) > 0
        return torch.where(outside, torch.inf, torch.zeros_like(outside, dtype=z.dtype))


def latent_from_description(description: dict[str, Any]) -> Latent:
    """Make the law that :meth:`Latent.describe` wrote.

    Raises
    ------
    ValueError
        If the law is unknown.
    """
    laws: dict[str, type[Latent]] = {law.name: law for law in (GaussianLatent, UniformLatent)}
    law = description.get("law")
    if law not in laws:
        raise ValueError(f"unknown latent law {law!r}; known laws: {', '.join(laws)}")
    return laws[law](description["shape"])
