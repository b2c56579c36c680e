"""Labels in turn: each as often as the others, or as often as it weighs."""

from __future__ import annotations

import torch
from torch import Tensor


def take_turns(weights: Tensor | None, classes: int, count: int) -> Tensor | None:
    """Labels of ``count`` images, int64 (count,); None without classes.

    Parameters
    ----------
    weights : Tensor or None
        Of the labels, (classes,); None where each has the same.
    classes : int
        How many labels there are.
    count : int
        How many turns.
    """
    if weights is not None:
        return in_shares(weights, count)
    return torch.arange(count) % classes if classes else None


def in_shares(weights: Tensor, count: int) -> Tensor:
    """Numbers 0 ... T - 1 of which each comes as often as it weighs, int64 (count,).

    Whoever is furthest behind the share that is due has the next turn, so that the first numbers
    are the same whatever ``count`` is, and no share is ever off by more than a few turns. Equal
    weights take turns from 0 on.

    Parameters
    ----------
    weights : Tensor
        Of sum 1, (T,).
    count : int
        How many turns.

    Examples
    --------
    >>> import torch
    >>> in_shares(torch.tensor([0.5, 0.25, 0.25]), 8).tolist()
    [0, 1, 2, 0, 0, 1, 2, 0]
    """
    due = [0.0] * len(weights)
    shares = [float(weight) for weight in weights.double()]
    turns = []
    for _ in range(count):
        due = [behind + share for behind, share in zip(due, shares, strict=True)]
        # Rounded: equal weights are then equal whatever the order of their sums.
        turn = max(range(len(due)), key=lambda i: (round(due[i], 9), -i))
        due[turn] -= 1
        turns.append(turn)
    return torch.tensor(turns, dtype=torch.long)
