"""What a sweep is reported as: rows and means as CSV, a table, and a plot."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ganprior.files import write_atomically
from ganprior.jobs import Row, write_csv

if TYPE_CHECKING:
    from matplotlib.axes import Axes

INTERVAL = "±: 95% interval of the mean over the images, 1.96 standard errors to either side"
# Curves that lie on one another are told apart by all of these.
_MARKERS, _DASHES = "osD^vPX*", ("-", "--", "-.", ":")


def write_report(out: Path, axis: str, rows: Sequence[Row]) -> None:
    """Write ``rows.csv``, ``summary.csv``, ``figure.png`` and ``figure.pdf``.

    Raises
    ------
    ValueError
        If a file cannot be written.
    """
    write_csv(out / "rows.csv", rows)
    found = summary(axis, rows)
    write_csv(out / "summary.csv", found)
    draw(out, axis, found)


def summary(axis: str, rows: Sequence[Row]) -> list[Row]:
    """Means of each solver at each value, the error's with its interval, in the order of the rows.

    An image that was measured by several draws is one observation: the mean of its draws.
    """
    groups: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        groups.setdefault((str(row[axis]), row["solver"]), []).append(row)
    return [_means(axis, value, solver, own) for (value, solver), own in groups.items()]


def _means(axis: str, value: str, solver: str, rows: Sequence[Row]) -> Row:
    images: dict[str, list[float]] = {}
    for row in rows:
        if row["per_pixel_error"] is not None:
            images.setdefault(row["image"], []).append(row["per_pixel_error"])
    errors = [sum(draws) / len(draws) for draws in images.values()]
    mean = sum(errors) / len(errors) if errors else math.nan
    half = math.nan
    if len(errors) > 1:
        variance = sum((error - mean) ** 2 for error in errors) / (len(errors) - 1)
        half = 1.96 * math.sqrt(variance / len(errors))
    similar = [row["ssim"] for row in rows if row["ssim"] is not None]
    return {
        axis: value,
        "solver": solver,
        "images": len(images),
        "per_pixel_error": _short(mean),
        "low": _short(max(0.0, mean - half)),
        "high": _short(mean + half),
        # Of the mean error: the mean of decibels has no place for an image that is exact.
        "psnr": _short(-10 * math.log10(mean)) if mean > 0 else "",
        "ssim": _short(sum(similar) / len(similar)) if similar else "",
        "seconds": _short(sum(row["seconds"] for row in rows) / len(rows)),
        "not_finite": sum(row["per_pixel_error"] is None for row in rows),
    }


def _short(number: float) -> float | str:
    return float(f"{number:.6g}") if math.isfinite(number) else ""


def table(axis: str, rows: Sequence[Row]) -> str:
    """Mean per-pixel error with its interval: a line per value, a column per solver."""
    found = summary(axis, rows)
    solvers = list(dict.fromkeys(row["solver"] for row in found))
    values = list(dict.fromkeys(row[axis] for row in found))
    cells = {(row[axis], row["solver"]): _cell(row) for row in found}
    lines = [[axis, *solvers]]
    lines += [[value, *(cells.get((value, solver), "-") for solver in solvers)] for value in values]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    shown = [
        "  ".join(word.ljust(width) for word, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    ]
    return "\n".join(["mean per-pixel error", *shown, INTERVAL])


def _cell(row: Row) -> str:
    if row["per_pixel_error"] == "":
        return "-"
    text = f"{row['per_pixel_error']:#.3g}"
    return text if row["high"] == "" else f"{text} ± {row['high'] - row['per_pixel_error']:#.2g}"


def draw(out: Path, axis: str, found: Sequence[Row]) -> None:
    """Plot the mean error with its interval against what was varied, as PNG and PDF.

    Raises
    ------
    ValueError
        If a file cannot be written.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 4.2), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    curves(axes, axis, found)
    write_atomically(out / "figure.png", lambda file: figure.savefig(file, dpi=150))
    # Without a date: the same file for the same numbers.
    write_atomically(
        out / "figure.pdf", lambda file: figure.savefig(file, metadata={"CreationDate": None})
    )


def curves(axes: Axes, axis: str, found: Sequence[Row]) -> None:
    """A curve per solver; words on the axis stand side by side."""
    drawn = [row for row in found if row["per_pixel_error"] != ""]
    values = list(dict.fromkeys(row[axis] for row in found))
    try:
        places = {value: float(value) for value in values}
    except ValueError:
        places = {value: float(i) for i, value in enumerate(values)}
        axes.set_xticks(list(places.values()), values)
    solvers = list(dict.fromkeys(row["solver"] for row in drawn))
    for i, solver in enumerate(solvers):
        own = sorted((r for r in drawn if r["solver"] == solver), key=lambda r: places[r[axis]])
        means = [row["per_pixel_error"] for row in own]
        ends = [
            [m - (r["low"] if r["low"] != "" else m) for m, r in zip(means, own, strict=True)],
            [(r["high"] if r["high"] != "" else m) - m for m, r in zip(means, own, strict=True)],
        ]
        axes.errorbar(
            [places[row[axis]] for row in own],
            means,
            yerr=ends,
            label=solver,
            marker=_MARKERS[i % len(_MARKERS)],
            linestyle=_DASHES[i % len(_DASHES)],
            # Later curves are thinner and hollow: what lies below them still shows.
            linewidth=2.6 - 1.4 * i / max(1, len(solvers) - 1),
            markersize=8 - 3 * i / max(1, len(solvers) - 1),
            markerfacecolor="none",
            capsize=3,
        )
    _scale(axes, list(places.values()), [row["per_pixel_error"] for row in drawn])
    axes.set_xlabel(axis)
    axes.set_ylabel("mean per-pixel error, 95% interval")
    axes.grid(alpha=0.3)
    if solvers:
        for text in axes.legend(prop={"size": 8}).get_texts():
            # A dollar in a path begins no formula.
            text.set_parse_math(False)


def _scale(axes: Axes, places: Sequence[float], errors: Sequence[float]) -> None:
    """Logarithmic axes where numbers are above 0 and span more than five times the least."""
    if errors and min(errors) > 0 and max(errors) > 5 * min(errors):
        axes.set_yscale("log")
    if min(places) > 0 and max(places) > 5 * min(places):
        axes.set_xscale("log")
        axes.set_xticks(places, [f"{place:g}" for place in places])
        axes.minorticks_off()
