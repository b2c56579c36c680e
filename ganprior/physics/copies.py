"""Copies of a physics: one that a probe may use up, and one for some of its signals."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from types import FunctionType, MethodType, ModuleType
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

# Larger arrays are shared with the physics they come from: a matrix may fill half of the memory,
# and what a call changes in place (a counter, the mask of the day) is small.
LARGEST_COPIED = 4 * 2**20


def private_copy(physics: Any) -> Any:
    """Copy of a physics that can be called without a trace in the original.

    Calls that overwrite an attribute (deepinv's ``A(x, mask=...)``) or change a small tensor in
    place leave the original alone. Arrays above ``LARGEST_COPIED`` bytes are shared. The copy
    takes part in differentiation even if the original was made under ``torch.inference_mode``.

    Returns
    -------
    object
        The physics itself where it cannot be copied: one that holds an open device, say.
    """
    with torch.inference_mode(False), torch.no_grad():
        try:
            # Held until the end: the memo knows objects by their address alone.
            arrays = list(_arrays(physics, set()))
            return copy.deepcopy(physics, {id(array): _own(array) for array in arrays})
        except Exception:
            # A class that will not be copied may raise anything.
            return physics


def copy_of_signals(physics: Any, count: int, signals: Tensor) -> Any:
    """Copy of a physics made for ``count`` signals, cut down to some of them.

    Tensors with one row per signal keep the chosen rows. Whether that is what the physics means by
    its tensors remains to be tried.

    Parameters
    ----------
    physics : object
        Made for a batch of ``count`` signals.
    count : int
        Number of its signals.
    signals : Tensor
        Positions to keep, int64.
    """
    part = private_copy(physics)
    holders = list(part.modules()) if isinstance(part, nn.Module) else [part]
    for holder in holders:
        if not hasattr(holder, "__dict__"):
            continue
        for table in (vars(holder), *(getattr(holder, t, {}) for t in ("_buffers", "_parameters"))):
            for name, value in list(table.items()):
                if isinstance(value, Tensor) and value.dim() > 1 and len(value) == count:
                    rows = value.detach()[signals.to(value.device)]
                    keep_type = isinstance(value, nn.Parameter)
                    table[name] = nn.Parameter(rows, False) if keep_type else rows
    return part


def rows_held(physics: Any) -> list[int]:
    """Lengths of the tensors of several axes that a physics holds, above 1, in rising order."""
    held = [array for array in _arrays(physics, set()) if isinstance(array, Tensor)]
    return sorted({len(tensor) for tensor in held if tensor.dim() > 1 and len(tensor) > 1})


def _arrays(value: Any, seen: set[int]) -> Iterator[Any]:
    """Tensors and NumPy arrays that an object holds, at whatever depth."""
    if id(value) in seen:
        return
    seen.add(id(value))
    if isinstance(value, Tensor | np.ndarray):
        yield value
        return
    held: list[Any] = []
    if isinstance(value, dict):
        held = list(value.values())
    elif isinstance(value, list | tuple | set | frozenset):
        held = list(value)
    elif isinstance(value, MethodType):
        held = [value.__self__]
    elif not isinstance(value, type | FunctionType | ModuleType):
        held = list(getattr(value, "__dict__", {}).values())
    for part in held:
        yield from _arrays(part, seen)


def _own(array: Any) -> Any:
    """An array for the copy: the same memory where it is large, without the graph behind it."""
    if isinstance(array, np.ndarray):
        return array if array.nbytes > LARGEST_COPIED else array.copy()
    small = array.numel() * array.element_size() <= LARGEST_COPIED
    # A tensor made under inference_mode cannot be saved for a derivative, nor can its views.
    data = array.detach().clone() if small or array.is_inference() else array.detach()
    return nn.Parameter(data, False) if isinstance(array, nn.Parameter) else data
