"""Where the solvers of a sweep run: the device that ``ganprior figure --device`` names."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import torch

_CPU = torch.device("cpu")
_current: ContextVar[torch.device] = ContextVar("device", default=_CPU)


def current_device() -> torch.device:
    """Device of the sweep that is running, the CPU by default."""
    return _current.get()


@contextmanager
def on_device(device: torch.device) -> Iterator[None]:
    """Run cells on a device."""
    before = _current.set(device)
    try:
        yield
    finally:
        _current.reset(before)


def device_name() -> str:
    """Name of the current device for the column of a row: ``cpu`` or the name of the GPU."""
    device = current_device()
    return torch.cuda.get_device_name(device) if device.type == "cuda" else str(device)
