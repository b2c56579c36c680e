"""Methods compared on the same images: errors, tests, measurements saved.

An image measured with several draws of A counts once, with the mean of its errors: its errors under
two draws are no independent observations.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np

from experiments.intervals import Array, bounds, grouped, measured, weights
from experiments.rows import Row

# Method -> place on the axis -> error of each image and draw of A, (images, draws).
Errors = dict[str, dict[float, Array]]
# Below every error that a CSV shows: logarithms need it where a Lasso is exact.
SMALLEST = 1e-9


def errors_of(
    rows: Iterable[Row], axis: str = "m", column: str = "per_pixel_error", across: str = "method"
) -> Errors:
    """Errors by method and place on the axis; places without any are left out."""
    found: Errors = {}
    for (method, place), own in grouped(rows, [across, axis]).items():
        if (values := measured(own, column)).size:
            found.setdefault(method, {})[float(place)] = values
    return found


def means_of(errors: Errors) -> dict[str, dict[float, float]]:
    """Mean errors by method and place."""
    return {
        name: {place: float(values.mean()) for place, values in own.items()}
        for name, own in errors.items()
    }


def places_of(errors: Errors) -> list[float]:
    """All places on the axis, rising."""
    return sorted({place for own in errors.values() for place in own})


def holm(p: Sequence[float]) -> list[float]:
    """Adjust p-values for the family-wise error.

    S. Holm, "A simple sequentially rejective multiple test procedure", Scandinavian Journal of
    Statistics 6, 1979: the i-th smallest of N is multiplied by N - i + 1, and none may fall below
    the one before it.
    """
    adjusted, highest = [0.0] * len(p), 0.0
    for rank, i in enumerate(sorted(range(len(p)), key=lambda i: p[i])):
        highest = max(highest, min(1.0, (len(p) - rank) * p[i]))
        adjusted[i] = highest
    return adjusted


def paired_tests(errors: Errors, ours: str, axis: str = "m") -> list[Row]:
    """Paired Wilcoxon signed-rank tests of one method against every other, Holm's per place."""
    from scipy.stats import wilcoxon

    table = []
    for place in places_of(errors):
        if place not in errors[ours]:
            continue
        mine = errors[ours][place].mean(1)
        others = [name for name in errors if name != ours and place in errors[name]]
        gaps = [mine - errors[name][place].mean(1) for name in others]
        # Where no image differs there is nothing to rank.
        p = [float(wilcoxon(gap).pvalue) if gap.any() else 1.0 for gap in gaps]
        for name, gap, raw, adjusted in zip(others, gaps, p, holm(p), strict=True):
            table.append(
                {
                    axis: f"{place:g}",
                    "method": ours,
                    "against": name,
                    "mean difference": f"{gap.mean():+.4f}",
                    "images better": f"{int((gap < 0).sum())} of {len(gap)}",
                    "p": f"{raw:.2g}",
                    "p (Holm)": f"{adjusted:.2g}",
                }
            )
    return table


def saved(errors: Errors, ours: str, rivals: Sequence[str]) -> list[Row]:
    """Measurements saved: those that the best rival needs for our error at m, divided by m.

    The rivals' curve is the lowest mean error of those tried at m, made falling and read between
    its points linearly in log(m) and log(error). The interval is the 95% percentile bootstrap over
    images, which are resampled alike for all methods and m. Where the rivals are not that good even
    with the most measurements tried, or better with the fewest, the factor is a bound.
    """
    tried = {m: [errors[r][m].mean(1) for r in rivals if m in errors[r]] for m in places_of(errors)}
    curves = {m: np.array(own) for m, own in tried.items() if own}  # (rivals, images) each
    axis = list(curves)
    draws = weights(curves[axis[0]].shape[-1]).T
    mean = np.array([own.mean(-1).min() for own in curves.values()])
    lowest = np.array([(own @ draws).min(0) for own in curves.values()]).T  # (resamples, m)
    table = []
    for m, mine in sorted(errors[ours].items()):
        factor = _needed(axis, mean, float(mine.mean())) / m
        pairs = zip(lowest, mine.mean(1) @ draws, strict=True)
        resampled = [_needed(axis, curve, float(error)) / m for curve, error in pairs]
        low, high = bounds(np.array(resampled))
        table.append(
            {
                "m": f"{m:g}",
                "error": f"{mine.mean():.4f}",
                "measurements saved": _bounded(factor, axis, m),
                "95% interval": f"{_bounded(low, axis, m)} to {_bounded(high, axis, m)}",
            }
        )
    return table


def _needed(axis: Sequence[float], curve: Array, error: float) -> float:
    """Number of measurements at which a falling curve reaches an error."""
    falling = np.log(np.maximum(np.minimum.accumulate(curve), SMALLEST))
    target = math.log(max(error, SMALLEST))
    return float(np.exp(np.interp(-target, -falling, np.log(axis))))


def _bounded(factor: float, axis: Sequence[float], m: float) -> str:
    """Factor with the sign that says on which side of the measurements tried it lies."""
    needed = factor * m
    sign = "> " if needed > 0.9999 * axis[-1] else "< " if needed < 1.0001 * axis[0] else ""
    return f"{sign}{factor:.1f}"
