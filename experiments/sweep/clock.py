"""Seconds of a call."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

import torch

from experiments.sweep.device import current_device

Result = TypeVar("Result")


def timed(function: Callable[[], object], runs: int, *, warm_up: int = 1) -> list[float]:
    """Seconds of ``runs`` calls of a function, each, after ``warm_up`` calls that do not count."""
    for _ in range(warm_up):
        function()
    return [clocked(function)[0] for _ in range(runs)]


def clocked(function: Callable[[], Result]) -> tuple[float, Result]:
    """Seconds of a call, and what it returned.

    Where the sweep runs on a GPU they are those between two CUDA events around the call, else those
    of the wall clock.
    """
    if current_device().type != "cuda":
        start = time.perf_counter()
        result = function()
        return time.perf_counter() - start, result
    begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    torch.cuda.synchronize()
    begin.record()
    result = function()
    end.record()
    torch.cuda.synchronize()
    return begin.elapsed_time(end) / 1000, result
