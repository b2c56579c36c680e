"""Random images that are measured to find out what a physics does.

Their streams are derived from a purpose of their own: an image that was ``torch.randn`` of seed 0
would be the first row of every matrix that a user drew from that seed. Every call is one of a fresh
copy of the physics, and leaves no trace in it. What the physics may raise becomes a ValueError.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import Any

import torch
from torch import Tensor

from ganprior.physics.batches import agrees
from ganprior.physics.copies import private_copy
from ganprior.solution import squared_norm
from ganprior.streams import derive_seed, standard_normal, uniform

# Pairs of images x and 1 - x that are measured. From P of them the mean square of a random A's
# columns is known to sqrt(2 / (P m)), that of a mask exactly.
PAIRS = 16
# Bound on the images that are measured at once; those of 256 x 256 in colour all are.
BYTES = 64 * 2**20
# An entry of y responds where it changes by more than so many rounding errors of the largest one:
# the imaginary part of a symmetric spectrum is zero but for rounding.
ROUNDING = 16
# Relative difference from which A is not linear.
LINEAR = 1e-3


class Probe:
    """A physics under examination.

    Parameters
    ----------
    physics : object
        With ``A``, and with ``A_adjoint`` where it has one.
    image_shape : tuple of int
        (C, H, W).
    count : int
        B, the signals that it measures.
    like : Tensor
        Gives the images their type and device.

    Attributes
    ----------
    name : str
        Class of the physics.
    first : Tensor
        An image, (1, C, H, W), uniform in [0, 1].
    whole : Tensor
        Its measurements as all signals, (B, ...).
    alike : bool
        Whether signals are measured alike, in any number.

    Raises
    ------
    ValueError
        If ``A`` does not take the images, or does not give a row of a tensor for each.
    """

    def __init__(
        self, physics: Any, image_shape: tuple[int, ...], count: int, like: Tensor
    ) -> None:
        self._physics = physics
        self._like = like
        self._count = count
        self.name = type(physics).__name__
        self.image_shape = image_shape
        size = like.element_size() * math.prod(image_shape)
        self._at_once = min(2 * (PAIRS + 1), max(4, BYTES // size))
        self.first = self._draw(uniform, "first")
        self.whole = self._checked(self.repeated(self.first))
        self.alike = self._measures_alike()

    def repeated(self, image: Tensor) -> Tensor:
        """One image (1, C, H, W) for every signal, (B, C, H, W)."""
        return image.expand(self._count, *self.image_shape).contiguous()

    def responses(self) -> tuple[Tensor, Tensor]:
        """How strongly each signal's measurements respond to the image, and which of them do.

        Returns
        -------
        squares : Tensor
            Sum of the squared norms of the columns of A, float64, (B,).
        respond : Tensor
            Whether an entry of y, as a real row, ever changes with the image: bool, (B, M).
            A single row for all signals that are measured alike, here as there.
        """
        firsts = chain([self.first], (self._draw(_coins, "pairs", i) for i in range(PAIRS)))
        measured = self._each(x for first in firsts for x in (first, 1 - first))
        squares: list[Tensor] = []
        changes: list[Tensor] = []
        largest: list[Tensor] = []
        for a, b in zip(measured, measured, strict=True):
            change = (a - b).nan_to_num(0, 0, 0).abs()
            squares.append(squared_norm(change.double()))
            changes = [torch.maximum(change, *changes) if changes else change]
            size = a.abs().nan_to_num(0, 0, 0).amax(1, keepdim=True)
            largest = [torch.maximum(size, *largest) if largest else size]
        rounding = ROUNDING * torch.finfo(a.dtype).eps * largest[0]
        # All pixels of the images but the first differ from their counterparts by 1 or -1.
        return torch.stack(squares[1:]).mean(0), changes[0] > rounding

    def linear(self) -> tuple[bool, Tensor | None]:
        """Whether A is linear, and ``physics.matrix`` where it is the matrix of A."""
        v, w = self._normal()
        try:
            a, b, both = self._each([v, w, v + w])
        except Exception:  # some take no negative pixels, and assert it
            return False, None
        gap = squared_norm(a + b - both)
        if not bool((gap <= LINEAR**2 * squared_norm(both)).all()):
            return False, None
        matrix = getattr(self._physics, "matrix", None)
        if not self.alike or not isinstance(matrix, Tensor) or matrix.dtype != v.dtype:
            return True, None
        # A physics may call something else its matrix: believe it only if it measures the same.
        shown = agrees(lambda: v.flatten(1) @ matrix.detach().T, a)
        return True, matrix.detach() if shown else None

    def adjoint(self) -> bool | None:
        """Whether <A p, A p> = <p, A^T A p> and A^T 0 = 0; None without an ``A_adjoint``."""
        physics = private_copy(self._physics)
        if not callable(getattr(physics, "A_adjoint", None)):
            return None
        p = self._normal()[0]
        p = p if self.alike else self.repeated(p)
        try:
            y = self._measure(p)
            back = physics.A_adjoint(y)
            forth = squared_norm(y.to(torch.promote_types(y.dtype, torch.float64)))
            product = (back.real.double() * p.double()).flatten(1).sum(1)
            eps = float(torch.finfo(p.dtype).eps)
            close = (product - forth).abs() <= eps**0.4 * forth
            # Of a constant that is added the product shows little, and a descent adds it up.
            constant = private_copy(self._physics).A_adjoint(torch.zeros_like(y)).abs().max()
            none = constant <= eps * back.abs().max()
            return back.shape == p.shape and bool(close.all() & none)
        except Exception:  # whatever its class
            return False

    def _draw(self, law: Any, purpose: str, index: int = 0) -> Tensor:
        rng = torch.Generator().manual_seed(derive_seed(0, f"facts, {purpose}", index))
        drawn: Tensor = law((1, *self.image_shape), rng)
        return drawn.to(self._like)

    def _normal(self) -> tuple[Tensor, Tensor]:
        return self._draw(standard_normal, "normal", 0), self._draw(standard_normal, "normal", 1)

    def _measure(self, x: Tensor) -> Tensor:
        y: Tensor = private_copy(self._physics).A(x)
        return y

    def _each(self, images: Iterable[Tensor]) -> Iterator[Tensor]:
        """Measurements of images (1, C, H, W) as all signals, real rows (B, M); (1, M) if alike."""
        if self.alike:
            waiting = iter(images)
            while some := list(islice(waiting, self._at_once)):
                yield from as_rows(self._checked(torch.cat(some)))[:, None]
            return
        for image in images:
            yield as_rows(self._checked(self.repeated(image)))

    def _checked(self, x: Tensor) -> Tensor:
        try:
            y: Any = self._measure(x)
        except Exception as error:
            # Whatever its class: deepinv asserts, and others do as they like.
            raise ValueError(self._refusal(x, error)) from error
        y = one_tensor(y)
        if y.dim() < 2 or len(y) != len(x):
            raise ValueError(
                f"physics {self.name} gives measurements of shape {tuple(y.shape)} for images of "
                f"shape {tuple(x.shape)}; there must be one row for each image"
            )
        return y

    def _refusal(self, x: Tensor, error: Exception) -> str:
        try:
            self._measure(x.to(x.dtype.to_complex()))
        except Exception:
            lines = str(error).strip().splitlines() or [type(error).__name__]
            return (
                f"physics {self.name} does not take images of shape {tuple(x.shape)} and type "
                f"{x.dtype}: {lines[0]}"
            )
        return (
            f"physics {self.name} takes images of a complex type only, and images here are real; "
            f"make it for real ones (dtype={x.dtype}), or wrap it in a physics of your own whose "
            "A makes them complex"
        )

    def _measures_alike(self) -> bool:
        # The same image as all signals gives the same rows, and so it does among other images, in
        # another number: the one that is measured at once later on.
        if not agrees(lambda: self.whole[:1].expand_as(self.whole), self.whole):
            return False
        number = self._at_once
        others = (1 - self.first).expand(number - (number != self._count), *self.image_shape)
        batch = torch.cat([self.first, others[1:], self.first])
        return agrees(lambda: self._measure(batch)[[0, -1]], self.whole[[0, 0]])


def _coins(shape: Sequence[int], rng: torch.Generator) -> Tensor:
    """Pixels that are 0 or 1."""
    return torch.randint(2, tuple(shape), generator=rng)


def as_rows(y: Tensor) -> Tensor:
    """Measurements as real rows (B, M); a complex entry becomes two real ones."""
    return (torch.view_as_real(y) if y.is_complex() else y).flatten(1)


def one_tensor(y: Any) -> Tensor:
    """Return measurements if they are one tensor.

    Raises
    ------
    ValueError
        If they are a list, as of a stacked physics.
    """
    if not isinstance(y, Tensor):
        raise ValueError(
            f"measurements must be one tensor, got {type(y).__name__}; stacked physics are not "
            "supported, measure with one of them"
        )
    return y
