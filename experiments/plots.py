"""Drawing: curves with intervals, and PNG with SVG, whole or absent."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from experiments.comparison import Errors, errors_of, places_of
from experiments.intervals import grouped, mean_of, measured
from experiments.rows import Row
from ganprior.files import write_atomically

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MARKERS = "osD^v<>pPX*h"
# Rows hold errors to so many decimals: a mean of 0 is drawn there.
ROUNDED = 1e-7
# Names of curves that a panel has room for.
MOST_INSIDE = 6
# Width of a character on the axis, as a fraction of the axis.
CHARACTER = 0.011
# Gap between neighbours on the axis over which the curves are spread, so that all are seen.
SPREAD, WIDEST = 0.3, 0.15
DASHES: tuple[Any, ...] = ("-", "--", ":", "-.", (0, (5, 1, 1, 1, 1, 1)))
# Behind the name of what is drawn with its interval.
NAMED = "mean and 95% interval"
# The same file for the same numbers: no date, and identifiers that do not change.
FORMATS: dict[str, dict[str, Any]] = {
    ".png": {"dpi": 150},
    ".svg": {"metadata": {"Date": None}},
    ".pdf": {"metadata": {"CreationDate": None}},
}


def new_figure(
    panels: int = 1, *, rows: int = 1, width: float = 6.4, height: float = 4.2
) -> tuple[Any, Any]:
    """Figure with rows of panels side by side, outside of pyplot: (figure, list of axes)."""
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    matplotlib.rcParams["svg.hashsalt"] = "ganprior"
    figure = Figure(figsize=(width * panels, height * rows), layout="constrained")
    FigureCanvasAgg(figure)
    return figure, list(figure.subplots(rows, panels, squeeze=False).flat)


def save(figure: Any, path: Path) -> None:
    """Write ``path``.png and ``path``.svg, or ``path`` alone where its suffix is of a format."""
    for suffix in [path.suffix] if path.suffix in FORMATS else [".png", ".svg"]:
        options = FORMATS[suffix]
        write_atomically(path.with_suffix(suffix), functools.partial(figure.savefig, **options))


def draw_places(
    found: Sequence[Row], path: Path, column: str, place: Sequence[str], across: str
) -> None:
    """Means with 95% intervals of a column by place: curves along a numeric axis, bars elsewhere.

    Parameters
    ----------
    found : sequence of dict
        The rows.
    path : Path
        Without suffix.
    column : str
        What is drawn.
    place : sequence of str
        Columns that say where a row stands: ``panel``, each value of which has axes of its own,
        the axis, and ``method``.
    across : str
        That of them whose values are curves or bars.
    """
    apart = ["panel"] if "panel" in place and across != "panel" else []
    along = [name for name in place if name not in (*apart, across, "method")]
    groups = grouped(found, apart)
    figure, panels = new_figure(len(groups), width=4.8 if len(groups) > 1 else 6.4)
    for axes, (title, own) in zip(panels, groups.items(), strict=True):
        axes.set_title(", ".join(title), fontsize=9)
        numbers = {_number(row[along[0]]) for row in own} if along else set()
        # Of one place there is no curve.
        if None not in numbers and len(numbers) > 1:
            errors = errors_of(own, along[0], column, across)
            draw_curves(axes, errors, f"{column.replace('_', ' ')}, {NAMED}")
            finish(axes, places_of(errors), along[0].replace("_", " "))
        else:
            _draw_bars(
                axes, {", ".join(k): v for k, v in grouped(own, [*along, across]).items()}, column
            )
    save(figure, path)


def _number(value: object) -> float | None:
    try:
        return float(str(value))
    except ValueError:
        return None


def _draw_bars(axes: Axes, groups: Mapping[str, list[Row]], column: str) -> None:
    """Mean with its interval per group of rows, the first on top."""
    values = {name: measured(own, column) for name, own in groups.items()}
    values = {name: own for name, own in values.items() if own.size}
    mean = [mean_of(own, column)[0] for own in values.values()]
    reach = _reach(list(values.values()), column)
    axes.barh(range(len(mean)), mean, xerr=reach, color="C0", capsize=2)
    axes.set_yticks(range(len(mean)), list(values), fontsize=7)
    axes.invert_yaxis()
    axes.set_xlabel(f"{column.replace('_', ' ')}, {NAMED}")


def _reach(values: Sequence[np.ndarray], column: str = "") -> np.ndarray:
    """How far the intervals reach below and above their means, (2, N)."""
    ends = [mean_of(own, column) for own in values]
    # A mean can lie a rounding outside of the interval where all values are alike.
    return np.maximum([(mean - low, high - mean) for mean, low, high in ends], 0).T


def draw_curves(
    axes: Axes,
    errors: Errors,
    label: str = f"per-pixel squared error, {NAMED}",
    *,
    dashed: str = "lasso",
) -> None:
    """Mean error of every method against the axis, with 95% intervals, both logarithmic.

    Curves stand a little beside each other, and the later ones are thinner and hollow: those that
    coincide are all seen.
    """
    steps = _steps_aside(places_of(errors), len(errors))
    for i, (name, own) in enumerate(errors.items()):
        places = sorted(own)
        mean = [max(own[place].mean(), ROUNDED) for place in places]
        reach = _reach([own[place] for place in places])
        axes.errorbar(
            [place * steps[i] for place in places],
            mean,
            reach,
            ls="--" if name.startswith(dashed) else "-",
            capsize=2,
            label=name,
            elinewidth=1,
            **unhidden(i, len(errors)),
        )
    axes.set(xscale="log", yscale="log", ylabel=label)
    axes.grid(alpha=0.3)


def unhidden(number: int, count: int) -> dict[str, Any]:
    """Style by which a curve of several shows where it coincides with the one drawn before it."""
    share = number / max(1, count - 1)
    return {
        "marker": MARKERS[number % len(MARKERS)],
        "markersize": 7 - 3 * share,
        "markerfacecolor": "none",
        "linewidth": 2.8 - 1.8 * share,
    }


def _steps_aside(places: Sequence[float], count: int) -> np.ndarray:
    """What the places of each curve are multiplied by, so that they stand side by side."""
    logs = np.log([place for place in places if place > 0])
    gap = min(np.diff(logs).min() if len(logs) > 1 else 1.0, WIDEST / SPREAD)
    return np.exp(SPREAD * gap * (np.arange(count) / max(1, count - 1) - 0.5))


def draw_lines(axes: Axes, lines: Mapping[str, float]) -> None:
    """Horizontal reference lines."""
    for (name, value), style in zip(lines.items(), [":", "-.", (0, (1, 3)), "--"], strict=False):
        axes.axhline(value, ls=style, color="0.4", lw=1, label=name)


def finish(axes: Axes, places: Sequence[float], xlabel: str) -> None:
    """Name the places on the axis, and the curves."""
    from matplotlib.ticker import NullLocator

    names = [f"{place:g}" for place in places]
    axes.set_xticks(places, names, fontsize=8, rotation=45 if _crowded(axes, places, names) else 0)
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xlabel(xlabel)
    # Many curves leave no room for their names between them.
    beside = len(axes.get_legend_handles_labels()[0]) > MOST_INSIDE
    place = {"loc": "upper left", "bbox_to_anchor": (1, 1)} if beside else {"loc": "best"}
    axes.legend(fontsize=7, **place)


def _crowded(axes: Axes, places: Sequence[float], names: Sequence[str]) -> bool:
    """Whether names side by side would touch."""
    at = axes.transAxes.inverted().transform(axes.transData.transform([(p, 1) for p in places]))
    ends = list(zip(at[:, 0], map(len, names), strict=True))
    return any(
        b - a < CHARACTER * (m + n + 1) / 2 for (a, m), (b, n) in itertools.pairwise(sorted(ends))
    )
