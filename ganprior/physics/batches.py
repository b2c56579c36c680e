"""How a physics takes batches: several images for each signal, and some of its signals.

A physics knows batches of images, (B, C, H, W), and may hold tensors of its own per image: masks
(B, 1, H, W), say. Such a physics must see all restarts of a signal with that signal's mask, and
must be cut down with the batch when signals leave it. What a given physics allows is tried out, by
applying it to random images in several ways and comparing; nothing is assumed about its class.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ganprior.physics.copies import copy_of_signals, private_copy

Operator = Callable[[Tensor], Tensor]
# Applies an operator on (B, C, H, W) to (R, B, C, H, W).
Way = Callable[[Operator, Tensor], Tensor]


@dataclass(frozen=True)
class Batching:
    """What a physics allows.

    Attributes
    ----------
    alike : bool
        Whether it measures all signals alike, and takes any number of images.
    can_select : bool
        Whether signals can leave the batch.
    indexed : bool
        Whether the physics must be cut down with the batch (``copy_of_signals``).
    over_restarts : callable
        Applies ``A`` to images (R, B, C, H, W).
    """

    alike: bool
    can_select: bool
    indexed: bool
    over_restarts: Way


def batching(physics: Any, probe: Tensor, whole: Tensor, alike: bool) -> Batching:
    """Try out what a physics allows.

    Parameters
    ----------
    physics : object
        With ``A``; copies of it are tried.
    probe : Tensor
        One random image for each signal, (B, C, H, W).
    whole : Tensor
        Their measurements, (B, ...).
    alike : bool
        Whether all signals are known to be measured alike, in any number.
    """
    if alike:
        return Batching(True, True, False, flattened)
    count = len(probe)
    way = _way_over_restarts(physics, probe, whole)
    # Every second signal, and at least one: fewer than all, so that a tensor that still has all
    # signals shows up as an error, a wrong shape or wrong numbers.
    kept = torch.arange(0, count, 2, device=probe.device)
    if count == 1 or agrees(lambda: private_copy(physics).A(probe[kept]), whole[kept]):
        return Batching(False, True, False, way)
    indexed = agrees(lambda: copy_of_signals(physics, count, kept).A(probe[kept]), whole[kept])
    return Batching(False, indexed, indexed, way)


def _way_over_restarts(physics: Any, probe: Tensor, whole: Tensor) -> Way:
    twice, expected = torch.stack([probe, probe]), torch.stack([whole, whole])
    for way in (flattened, mapped):
        if agrees(lambda way=way: way(private_copy(physics).A, twice), expected):  # type: ignore[misc]
            return way
    return looped


def flattened(operator: Operator, x: Tensor) -> Tensor:
    """Measure restarts as further images of one batch."""
    return operator(x.flatten(0, 1)).unflatten(0, x.shape[:2])


def mapped(operator: Operator, x: Tensor) -> Tensor:
    """Measure restarts by vectorising the operator."""
    result: Tensor = torch.vmap(operator)(x)
    return result


def looped(operator: Operator, x: Tensor) -> Tensor:
    """Measure one restart after the other."""
    return torch.stack([operator(images) for images in x])


def agrees(compute: Callable[[], Tensor], expected: Tensor) -> bool:
    """Whether a computation gives what is expected but for rounding; not if it raises."""
    try:
        result = compute()
    except Exception:
        # deepinv's convolutions assert; another one's physics may raise anything.
        return False
    if not isinstance(result, Tensor) or result.shape != expected.shape:
        return False
    scale = float(expected.abs().nan_to_num(0, 0, 0).max())
    return bool(torch.allclose(result, expected, rtol=1e-4, atol=1e-4 * scale, equal_nan=True))
