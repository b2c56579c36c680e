"""Devices by name."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

_NAMES = re.compile(r"auto|cpu|cuda(:(?P<number>[0-9]{1,3}))?")


def pick_device(name: str) -> torch.device:
    """Device of a ``--device`` value; ``"auto"`` is CUDA where there is one, else the CPU.

    Raises
    ------
    ValueError
        If the name is unknown or the device is not there.
    """
    # Not torch.device(): it knows devices that nothing here runs on, and counts in 8 bits.
    known = _NAMES.fullmatch(name)
    if known is None:
        raise ValueError(f"--device must be auto, cpu, cuda or cuda:N, got {name!r}")

    import torch

    if name == "cpu" or (name == "auto" and not torch.cuda.is_available()):
        return torch.device("cpu")
    if int(known["number"] or 0) >= torch.cuda.device_count():
        raise ValueError(f"--device {name}: this machine has no such CUDA device; use cpu")
    device = torch.device("cuda" if name == "auto" else name)
    try:
        torch.zeros(1, device=device)
    except RuntimeError as error:
        reason = str(error).splitlines()[0]
        raise ValueError(f"--device {name} cannot be used: {reason}; use cpu") from error
    return device
