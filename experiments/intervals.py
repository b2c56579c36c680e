"""Means with 95% intervals, and the tables made of them: the one home of intervals.

An interval is the percentile bootstrap (B. Efron, R. Tibshirani, "An Introduction to the
Bootstrap", 1993, section 13.3). Where every image was measured with several draws of A, images and
draws are resampled alike: an image is no independent observation under each draw, nor is a draw one
for each image.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from experiments.rows import Row

Array = np.ndarray
RESAMPLES = 2000
# Column of decibels, of images in [0, 1].
PSNR = "psnr"


def weights(count: int, seed: int = 0) -> Array:
    """Shares of observations that are drawn with replacement, (RESAMPLES, count)."""
    equal = np.full(count, 1 / count)
    return np.random.default_rng(seed).multinomial(count, equal, RESAMPLES) / count


def bounds(resampled: Array) -> tuple[float, float]:
    """Ends of the interval, from the statistic of every resample that has one."""
    low, high = np.nanquantile(resampled, [0.025, 0.975])
    return float(low), float(high)


def interval(values: Array) -> tuple[float, float]:
    """Interval of the mean of values (images,) or (images, draws)."""
    table = values if values.ndim == 2 else values[:, None]
    images, draws = table.shape
    return bounds(((weights(images) @ table) * weights(draws, seed=1)).sum(1))


def mean_of(values: Array, column: str = "") -> tuple[float, float, float]:
    """Mean of a column's values and the ends of its interval.

    The mean PSNR is the PSNR of the mean error: decibels of an image that is exact are infinite,
    and a mean without it would put a method behind one that is worse on every image.
    """
    if column != PSNR:
        return (float(values.mean()), *interval(values))
    errors = 10 ** (-values / 10)
    with np.errstate(divide="ignore"):
        mean, high, low = (-10 * np.log10((errors.mean(), *interval(errors)))).tolist()
    return mean, low, high


def mean_cell(values: Array, form: str, column: str = "") -> str:
    """Mean with its interval, such as ``0.71 [0.69, 0.73]``; see :func:`mean_of`."""
    mean, low, high = mean_of(values, column)
    return f"{mean:{form}} [{low:{form}}, {high:{form}}]"


def grouped(rows: Iterable[Row], keys: Sequence[str]) -> dict[tuple[str, ...], list[Row]]:
    """Rows by the text of some of their columns, in order."""
    groups: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        groups.setdefault(tuple(str(row[key]) for key in keys), []).append(row)
    return groups


def measured(rows: Iterable[Row], column: str) -> Array:
    """Numbers of a column, (images, draws); rows without one, of the original say, are left out.

    Rows that name no image are observations of their own.
    """
    images: dict[str, list[float]] = {}
    for number, row in enumerate(rows):
        if row[column] != "":
            images.setdefault(str(row.get("image", number)), []).append(float(row[column]))
    return np.array(list(images.values()))


def tabulate(
    rows: Sequence[Row], column: str, lines: Sequence[str], across: str, form: str
) -> list[Row]:
    """Means with intervals: a row per value of ``lines``, a column per value of ``across``."""
    names = [name for (name,) in grouped(rows, [across])]
    table = []
    for place, own in grouped(rows, lines).items():
        found = {name: measured(group, column) for (name,), group in grouped(own, [across]).items()}
        cells = {
            n: mean_cell(found[n], form, column) if n in found and found[n].size else ""
            for n in names
        }
        table.append({**dict(zip(lines, place, strict=True)), **cells})
    shown = [name for name in names if any(line[name] for line in table)]
    return [{key: line[key] for key in (*lines, *shown)} for line in table]
