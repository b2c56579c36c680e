"""Derivatives along a direction, by forward differentiation."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import torch
from torch import Tensor


def pushforward(function: Callable[[Tensor], Tensor], at: Tensor, direction: Tensor) -> Tensor:
    """Derivative of a function along a direction, of the shape of its values."""
    with warnings.catch_warnings():
        # torch 2.14 says so of itself, when it differentiates forwards for the first time.
        warnings.filterwarnings("ignore", "`torch.jit.script", FutureWarning)
        tangent: Tensor = torch.func.jvp(function, (at,), (direction,))[1]
    return tangent
