"""A(x) for images that stand as (restarts, signals), for any physics."""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import Tensor

from ganprior.physics import Facts
from ganprior.physics.copies import copy_of_signals, private_copy
from ganprior.solvers.engine.blocks import in_blocks, in_blocks_or_one


class Forward:
    """The forward operator of a batch of B signals, for every restart of each.

    Parameters
    ----------
    physics : object
        Anything with ``A``; a private copy is made that shares its large tensors.
    known : Facts
        What is known of it: how it takes restarts, whether signals can leave, and the units of y.

    Attributes
    ----------
    can_select : bool
        Whether the operator can be cut down to some of the signals.
    alike : bool
        Whether it measures all signals alike, and hence any number of images.
    """

    def __init__(self, physics: Any, known: Facts) -> None:
        self._physics = private_copy(physics)
        self._count = known.count
        self._batching = known.batching
        # One for all where it is the same: any number of images can then be measured.
        same = bool((known.unit == known.unit[0]).all())
        self._unit = known.unit[:1] if same else known.unit
        self._divides = not (same and known.unit[0] == 1)
        self.can_select = known.batching.can_select
        self.alike = known.batching.alike

    @property
    def can_repeat(self) -> bool:
        """Whether a signal can be selected more than once."""
        return self.alike or self._batching.indexed

    def A(self, x: Tensor) -> Tensor:
        """Noise-free measurements (R, B, ...) of images (R, B, C, H, W)."""
        if not self.alike:
            return self._in_units(self._batching.over_restarts(self._physics.A, x))
        y = in_blocks_or_one(self._physics.A, x.flatten(0, 1))
        return self._in_units(y.unflatten(0, x.shape[:2]))

    def all_at_once(self, x: Tensor) -> Tensor:
        """Measurements (N, ...) of images (N, C, H, W) as restarts of one signal."""
        return self._in_units(self._batching.over_restarts(self._physics.A, x[:, None]))[:, 0]

    def measurements(self, y: Tensor) -> Tensor:
        """The user's measurements (B, ...) in the units of this operator."""
        return self._in_units(y[None])[0]

    def back_projection(self, y: Tensor) -> Tensor | None:
        """A^+ y (B, C, H, W), by the physics' own A_dagger; None where it has none."""
        try:
            x = self._inverse(y * self._units_like(y) if self._divides else y)
        except Exception:
            # Whatever the class of a physics raises: a start is not worth a failure.
            return None
        return x if isinstance(x, Tensor) and x.dim() == 4 and not x.is_complex() else None

    def _inverse(self, y: Tensor) -> Tensor:
        invert = self._physics.A_dagger
        if y.is_cuda or not self.alike:
            x: Tensor = invert(y)
            return x
        # Physics of this package stop iterating for each signal by itself, others perhaps not
        # before the last signal of a batch.
        if type(self._physics).__module__.startswith("ganprior."):
            return in_blocks(invert, y)
        return torch.cat([invert(one) for one in y.split(1)])

    def select(self, signals: Tensor) -> Forward:
        """Operator of some of the signals only, by their positions, int64 (number kept,).

        A signal may be named more than once where :attr:`can_repeat`.

        Raises
        ------
        RuntimeError
            If ``can_select`` is False.
        """
        if not self.can_select:
            raise RuntimeError("this physics cannot be cut down to a part of its signals")
        part = copy.copy(self)
        part._unit = self._unit if len(self._unit) == 1 else self._unit[signals]
        if self._batching.indexed:
            part._physics = copy_of_signals(self._physics, self._count, signals)
            part._count = len(signals)
        return part

    def _in_units(self, y: Tensor) -> Tensor:
        return y / self._units_like(y[0]) if self._divides else y

    def _units_like(self, y: Tensor) -> Tensor:
        """Unit of each signal, of a shape that broadcasts to measurements (B, ...)."""
        return self._unit.to(y.dtype.to_real()).reshape(-1, *[1] * (y.dim() - 1))
