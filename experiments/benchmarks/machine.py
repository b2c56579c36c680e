"""What every row of a benchmark says about the machine, and how its seconds are measured."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import torch

from experiments.rows import Row

Result = TypeVar("Result")


def machine(device: torch.device | str = "cpu") -> Row:
    """Columns about the machine: processor, cores, threads, torch, and where tensors live."""
    return {
        "cpu": _processor(),
        "cores": _cores(),
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "device": _device_name(torch.device(device)),
    }


def timed(
    function: Callable[[], object],
    runs: int,
    *,
    device: torch.device | str = "cpu",
    warm_up: int = 1,
) -> list[float]:
    """Seconds of each of ``runs`` calls of a function, after ``warm_up`` calls that do not count.

    On a GPU they are those between two CUDA events around the call, else those of the wall clock.
    """
    for _ in range(warm_up):
        function()
    return [clocked(function, device)[0] for _ in range(runs)]


def clocked(
    function: Callable[[], Result], device: torch.device | str = "cpu"
) -> tuple[float, Result]:
    """Seconds of a call, as ``timed`` has them, and what it returned."""
    if torch.device(device).type != "cuda":
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


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def _cores() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _device_name(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
