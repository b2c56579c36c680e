"""The picture of mode collapse: modes covered over time, and points of the generators."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from torch import Tensor

from experiments import plots
from experiments.rows import Row

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Places = Mapping[tuple[int, str, str], list[Row]]


def draw(places: Places, centres: Mapping[int, Tensor], plain: str, path: Path) -> None:
    """A row of panels per number of modes.

    Parameters
    ----------
    places : mapping
        Rows by number of modes, stabiliser and objective.
    centres : mapping
        Centres of the modes (count, 2) by their number.
    plain : str
        The name of no stabiliser: points are drawn of the games without.
    path : Path
        Without suffix.
    """
    counts = list(dict.fromkeys(count for count, _, _ in places))
    stabilisers = list(dict.fromkeys(stabiliser for _, stabiliser, _ in places))
    objectives = list(dict.fromkeys(objective for _, _, objective in places))
    columns = len(stabilisers) + len(objectives)
    figure, panels = plots.new_figure(columns, rows=len(counts), width=2.4, height=2.6)
    remaining = iter(panels)
    for count in counts:
        for stabiliser in stabilisers:
            axes = next(remaining)
            for i, objective in enumerate(objectives):
                if own := places.get((count, stabiliser, objective)):
                    _curve(axes, own, objective, f"C{i}")
            axes.set(title=stabiliser, xlabel="generator step", ylim=(-0.5, count + 0.5))
        for objective in objectives:
            axes = next(remaining)
            _scatter(axes, places[count, plain, objective], centres[count])
            axes.set_title(f"{objective}, {plain}", fontsize=9)
    panels[0].legend(fontsize=6)
    panels[0].set_ylabel("modes covered")
    plots.save(figure, path)


def _curve(axes: Axes, own: list[Row], label: str, color: str) -> None:
    """Mean over the runs against the step."""
    steps = sorted({int(row["step"]) for row in own})
    means = []
    for step in steps:
        values = [float(row["covered"]) for row in own if int(row["step"]) == step]
        means.append(sum(values) / len(values))
    axes.plot(steps, means, lw=1.2, color=color, label=label)


def _scatter(axes: Axes, own: list[Row], centres: Tensor) -> None:
    """Points of the first run after the last step, and the centres of the modes."""
    text = next(row["points"] for row in own if row["points"])
    points = [[float(number) for number in pair.split()] for pair in text.split(";")]
    axes.plot(*centres.T, "k+", ms=5)
    axes.plot(*zip(*points, strict=True), "C3.", ms=2)
    reach = centres.abs().max().item() * 1.4
    axes.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal", xticks=[], yticks=[])
