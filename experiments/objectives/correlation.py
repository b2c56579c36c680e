"""Correlation of two measured quantities, with an interval that does not take it for exact.

Spearman's is that of ranks, Pearson's that of values. Intervals are 95% percentile bootstrap
intervals. Measurements along one training run are no independent observations: blocks of
neighbours are drawn instead of single ones (H. R. Künsch, "The jackknife and the bootstrap for
general stationary observations", Annals of Statistics 17, 1989).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import rankdata

from experiments.rows import Row

Array = np.ndarray
RESAMPLES = 2000


@dataclass(frozen=True)
class Correlation:
    """A coefficient in [-1, 1], NaN where one quantity does not vary, and its 95% interval."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.value:+.2f} [{self.low:+.2f}, {self.high:+.2f}]"


def pearson(a: Array, b: Array) -> Array:
    """Pearson's coefficient of (..., N) and (..., N), (...); NaN where one of them is constant."""
    a, b = (v - v.mean(-1, keepdims=True) for v in (a, b))
    scale = np.sqrt((a * a).sum(-1) * (b * b).sum(-1))
    found: Array = np.divide((a * b).sum(-1), scale, np.full_like(scale, np.nan), where=scale > 0)
    return found


def spearman(a: Array, b: Array) -> Array:
    """Spearman's coefficient: Pearson's of the ranks, ties sharing their mean rank."""
    return pearson(rankdata(a, axis=-1), rankdata(b, axis=-1))


def correlate(
    a: Sequence[float] | Array,
    b: Sequence[float] | Array,
    coefficient: Callable[[Array, Array], Array] = spearman,
    *,
    block: int = 1,
) -> Correlation:
    """Coefficient of two sequences and its bootstrap interval.

    Parameters
    ----------
    a, b : sequence of float
        (N,) each, finite.
    coefficient : callable
        :func:`spearman` or :func:`pearson`.
    block : int
        Neighbours that are drawn together; 1 for independent observations.

    Raises
    ------
    ValueError
        If the sequences differ in length, or have fewer than three entries.
    """
    one, two = np.asarray(a, float), np.asarray(b, float)
    if one.shape != two.shape or one.ndim != 1 or len(one) < 3:
        raise ValueError(
            f"a correlation is of two sequences of one length, at least 3, got {one.shape} and "
            f"{two.shape}"
        )
    drawn = resampled(len(one), block)
    # A resample of one value over and over has no coefficient.
    low, high = np.nanquantile(coefficient(one[drawn], two[drawn]), [0.025, 0.975])
    return Correlation(float(coefficient(one, two)), float(low), float(high))


def resampled(count: int, block: int) -> Array:
    """Numbers of observations, (RESAMPLES, count), drawn in runs of ``block`` neighbours."""
    rng, block = np.random.default_rng(0), min(block, count)
    runs = -(-count // block)
    first = rng.integers(0, count - block + 1, (RESAMPLES, runs, 1))
    drawn: Array = (first + np.arange(block)).reshape(RESAMPLES, -1)[:, :count]
    return drawn


def correlation_columns(a: Sequence[float], b: Sequence[float], *, block: int = 1) -> Row:
    """Both coefficients with their intervals, as cells of a table."""
    return {
        "Spearman": str(correlate(a, b, spearman, block=block)),
        "Pearson": str(correlate(a, b, pearson, block=block)),
    }
