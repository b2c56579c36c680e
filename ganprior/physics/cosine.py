"""The matrix of the orthonormal discrete cosine transform, DCT-II."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def cosine_matrix(
    length: int, dtype: torch.dtype = torch.float64, device: torch.device | None = None
) -> Tensor:
    """Matrix D (length, length) of the orthonormal DCT-II: D v transforms v.

    D[k, i] = c_k cos(pi k (2 i + 1) / (2 length)), with c_0 = sqrt(1 / length), else
    sqrt(2 / length).
    """
    k = torch.arange(length, device=device)
    # The angle repeats after 4 length: reduced as whole numbers it stays exact in float32.
    angle = (k[:, None] * (2 * k + 1)) % (4 * length)
    matrix = torch.cos(angle.to(dtype) * (math.pi / (2 * length))) * math.sqrt(2 / length)
    return torch.where(k[:, None] == 0, matrix / math.sqrt(2), matrix)
