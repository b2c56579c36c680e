"""A(x) for images that stand as (restarts, signals), for any physics.

A physics knows batches of images, (B, C, H, W), and may hold tensors of its own per image: masks
(B, 1, H, W), say. Such a physics must see all restarts of a signal with that signal's mask, and
must be cut down with the batch when signals leave it. What a given physics allows is found out
once, by applying it to random images in several ways and comparing; nothing is assumed about its
class.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from ganprior.streams import uniform

Operator = Callable[[Tensor], Tensor]


class Forward:
    """The forward operator of a batch of B signals, for every restart of each.

    Parameters
    ----------
    physics : object
        Anything with ``A``; a private copy is made that shares its tensors.
    count : int
        B, the number of signals that ``physics`` was made for.
    image : Tensor
        One image (1, C, H, W), for shape, dtype and device.

    Attributes
    ----------
    can_select : bool
        Whether the operator can be cut down to some of the signals.
    alike : bool
        Whether it measures all signals alike, and hence any number of images.
    """

    def __init__(self, physics: Any, count: int, image: Tensor) -> None:
        self._physics = _shared_copy(physics)
        self._count = count
        rng = torch.Generator().manual_seed(0)
        probe = uniform((count, *image.shape[1:]), rng).to(image)
        with torch.no_grad():
            whole = self._physics.A(probe)
            self._indexed = False
            self.can_select = count == 1 or self._find_selection(probe, whole)
            self._over_restarts = self._find_restarts(probe, whole)
            self.alike = self._measures_alike(probe, whole)

    def A(self, x: Tensor) -> Tensor:
        """Noise-free measurements (R, B, ...) of images (R, B, C, H, W)."""
        return self._over_restarts(self._physics.A, x)

    def back_projection(self, y: Tensor) -> Tensor | None:
        """A^+ y (B, C, H, W), by the physics' own A_dagger; None where it has none."""
        try:
            x = self._physics.A_dagger(y)
        except (AttributeError, RuntimeError, ValueError, TypeError, NotImplementedError):
            return None
        return x if isinstance(x, Tensor) and x.dim() == 4 and not x.is_complex() else None

    def select(self, signals: Tensor) -> Forward:
        """Operator of some of the signals only, by their positions, int64 (number kept,).

        Raises
        ------
        RuntimeError
            If :attr:`can_select` is False.
        """
        if not self.can_select:
            raise RuntimeError("this physics cannot be cut down to a part of its signals")
        part = copy.copy(self)
        if self._indexed:
            part._physics = _indexed(self._physics, self._count, signals)
            part._count = len(signals)
        return part

    def _find_selection(self, probe: Tensor, whole: Tensor) -> bool:
        # Every second signal, and at least one: fewer than all, so that a tensor that still has
        # all signals shows up as an error, a wrong shape or wrong numbers.
        kept = torch.arange(0, self._count, 2, device=probe.device)
        if _agrees(lambda: self._physics.A(probe[kept]), whole[kept]):
            return True
        part = _indexed(self._physics, self._count, kept)
        self._indexed = _agrees(lambda: part.A(probe[kept]), whole[kept])
        return self._indexed

    def _measures_alike(self, probe: Tensor, whole: Tensor) -> bool:
        # Other images, and another number of them, in the place of the first.
        images, expected = probe.flip(0), whole.flip(0)
        twice = torch.cat([images, images])
        return _agrees(lambda: self._physics.A(twice), torch.cat([expected, expected]))

    def _find_restarts(self, probe: Tensor, whole: Tensor) -> Callable[[Operator, Tensor], Tensor]:
        twice, expected = torch.stack([probe, probe]), torch.stack([whole, whole])
        for way in (_flattened, _mapped):
            if _agrees(lambda way=way: way(self._physics.A, twice), expected):  # type: ignore[misc]
                return way
        return _looped


def _flattened(operator: Operator, x: Tensor) -> Tensor:
    return operator(x.flatten(0, 1)).unflatten(0, x.shape[:2])


def _mapped(operator: Operator, x: Tensor) -> Tensor:
    result: Tensor = torch.vmap(operator)(x)
    return result


def _looped(operator: Operator, x: Tensor) -> Tensor:
    return torch.stack([operator(images) for images in x])


def _agrees(compute: Callable[[], Tensor], expected: Tensor) -> bool:
    try:
        result = compute()
    except (RuntimeError, ValueError, IndexError, TypeError):
        return False
    if result.shape != expected.shape:
        return False
    scale = float(expected.abs().max())
    return bool(torch.allclose(result, expected, rtol=1e-4, atol=1e-4 * scale, equal_nan=True))


def _shared_copy(physics: Any) -> Any:
    """Copy of ``physics`` with its own attributes and the same tensors.

    Calls that overwrite an attribute (deepinv's ``A(x, mask=...)``) then leave the user's object
    alone, at no cost in memory.
    """
    memo = {id(tensor): tensor for tensor in _tensors(physics)}
    try:
        return copy.deepcopy(physics, memo)
    except (TypeError, RuntimeError, AttributeError):
        # Objects that hold what cannot be copied (an open device, a lambda) are used as they are.
        return physics


def _tensors(physics: Any) -> list[Tensor]:
    if isinstance(physics, nn.Module):
        tensors = [*physics.parameters(), *physics.buffers()]
        holders: list[Any] = list(physics.modules())
    else:
        tensors, holders = [], [physics]
    for holder in holders:
        attributes = getattr(holder, "__dict__", {}).values()
        tensors += [value for value in attributes if isinstance(value, Tensor)]
    return tensors


def _indexed(physics: Any, count: int, signals: Tensor) -> Any:
    """Copy whose tensors with one row per signal keep the chosen rows."""
    part = _shared_copy(physics)
    holders = list(part.modules()) if isinstance(part, nn.Module) else [part]
    for holder in holders:
        for table in (vars(holder), *(getattr(holder, t, {}) for t in ("_buffers", "_parameters"))):
            for name, value in list(table.items()):
                if isinstance(value, Tensor) and value.dim() > 1 and len(value) == count:
                    rows = value.detach()[signals.to(value.device)]
                    keep_type = isinstance(value, nn.Parameter)
                    table[name] = nn.Parameter(rows, False) if keep_type else rows
    return part
