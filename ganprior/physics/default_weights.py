"""Default weights: a tuned table, read at what is known of a physics.

A table belongs to A with columns of unit norm, as N(0, 1/m) entries make them. Its axes are the
measurements per pixel, m / n, and the noise level sqrt(m) noise_std: the noise of Bora et al.
(2017), whose A has N(0, 1) entries. With A, y and noise_std multiplied by c a weight beside
||y - A x||^2 is c^2 times as large, and the same image is found.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor


@dataclass(frozen=True)
class Table:
    """Weights for some measurements per pixel and noise levels.

    Between tabulated points a weight is linear in log(m / n) and in the level, and constant
    outside. Above the largest level the noise alone matters.

    Attributes
    ----------
    curves : tuple
        For each level, in rising order: the level, values of m / n in rising order, and weights.
    logarithmic : bool
        Whether the logarithm of the weight, in place of the weight, is linear in log(m / n).
    power : int
        Power of the noise level to which a weight above the largest one is proportional.
    """

    curves: tuple[tuple[float, np.ndarray, np.ndarray], ...]
    logarithmic: bool
    power: int

    @classmethod
    def of(
        cls, rows: Iterable[tuple[float, float, float]], *, logarithmic: bool, power: int
    ) -> Table:
        """Make a table of rows (m / n, noise level, weight) in any order."""
        levels: dict[float, list[tuple[float, float]]] = {}
        for fraction, level, weight in rows:
            levels.setdefault(level, []).append((fraction, weight))
        curves = ((level, *np.array(sorted(own)).T) for level, own in sorted(levels.items()))
        return cls(tuple(curves), logarithmic, power)

    def at(self, fraction: float, level: float) -> float:
        """Weight for m / n = ``fraction`` and a noise level."""
        levels = [known for known, _, _ in self.curves]
        at_levels = [self._along(fraction, *curve) for _, *curve in self.curves]
        excess = max(level / levels[-1], 1.0) ** self.power if levels[-1] else 1.0
        return float(np.interp(level, levels, at_levels) * excess)

    def _along(self, fraction: float, fractions: np.ndarray, weights: np.ndarray) -> float:
        at, known = math.log(fraction), np.log(fractions)
        if self.logarithmic:
            return math.exp(np.interp(at, known, np.log(weights)))
        return float(np.interp(at, known, weights))


def default_weight(table: Table, n: int, m: Tensor, scale: Tensor, noise_std: Tensor) -> Tensor:
    """Weight of each signal for a physics whose columns have any size.

    Parameters
    ----------
    table : Table
        For columns of unit norm.
    n : int
        Pixels of an image.
    m : Tensor
        Numbers that are measured of each signal, (B,).
    scale : Tensor
        Mean squared norm of the columns of A, (B,).
    noise_std : Tensor
        Standard deviation of the noise of each entry of y, (B,).

    Returns
    -------
    Tensor
        (B,), float64.
    """
    levels = noise_std * (m / scale).sqrt()
    pairs = zip((m / n).tolist(), levels.tolist(), strict=True)
    weights = [table.at(fraction, level) for fraction, level in pairs]
    return scale * torch.tensor(weights, dtype=torch.float64).to(scale)
