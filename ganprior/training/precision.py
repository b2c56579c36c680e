"""The number format of a run's convolutions."""

from __future__ import annotations

import torch


def precision_for(precision: str, device: torch.device) -> torch.dtype:
    """Number format of convolutions: bfloat16 where the device has units for it.

    A CPU without such units emulates it, several times slower than float32.
    """
    if precision != "auto":
        return torch.bfloat16 if precision == "bfloat16" else torch.float32
    if device.type == "cuda":
        fast = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        units = torch.cpu.get_capabilities()
        fast = bool(units.get("amx_bf16") or units.get("avx512_bf16"))
    return torch.bfloat16 if fast else torch.float32
