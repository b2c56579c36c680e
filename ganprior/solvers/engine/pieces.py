"""How a table of latents is cut into pieces that are evaluated at once.

Latents (R, B, k) are numbered row by row. A piece is given by the numbers of its latents, int64
(rows, columns), where each column holds restarts of one signal.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor


def in_line(count: int, sizes: list[int]) -> Iterator[Tensor]:
    """Pieces of one row, of given sizes; the last one is filled up by the last latent.

    Parameters
    ----------
    count : int
        R B.
    sizes : list of int
        Their sum is ``count`` or more.
    """
    first = 0
    for size in sizes:
        yield torch.arange(first, first + size).clamp_max(count - 1)[None]
        first += size


def in_rectangles(
    restarts: int, signals: int, most: int, width: int, device: torch.device
) -> Iterator[Tensor]:
    """Pieces of at most ``most`` latents, but of at least one row of ``width`` signals."""
    for columns in torch.arange(signals, device=device).split(width):
        for rows in torch.arange(restarts, device=device).split(max(1, most // width)):
            yield rows[:, None] * signals + columns
