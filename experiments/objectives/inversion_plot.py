"""Scatter plots of errors against the Fréchet distance, priors numbered and named beside."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from experiments import plots
from experiments.rows import Row

COLORS = {"shipped": "C3", "f-gan": "C0", "wgan": "C2", "vae": "C1"}
OTHER = "C4"


def color_of(prior: str) -> str:
    """Colour of a prior's family."""
    return next((c for family, c in COLORS.items() if prior.startswith(family)), OTHER)


def draw(lines: list[Row], titles: Mapping[str, str], path: Path) -> None:
    """Draw a panel per column of ``titles``; numbers are places in the order of samples.

    Parameters
    ----------
    lines : list of dict
        ``prior``, ``k``, ``Fréchet distance`` and the errors, best samples first.
    titles : mapping
        Title of a panel by the column that it shows.
    path : Path
        File without suffix.
    """
    figure, axes = plots.new_figure(len(titles) + 1, width=3.4, height=4.0)
    for place, (column, title) in zip(axes, titles.items(), strict=False):
        for number, line in enumerate(lines, 1):
            at = line["Fréchet distance"], line[column]
            color = color_of(line["prior"])
            place.plot(*at, "o", ms=4, color=color)
            place.annotate(
                str(number), at, xytext=(3, 3), textcoords="offset points", fontsize=7, color=color
            )
        place.set(xscale="log", yscale="log", xlabel="Fréchet distance of samples")
        place.tick_params(which="both", labelsize=7)
        place.tick_params(axis="x", which="both", rotation=45)
        place.set_ylabel("per-pixel error" + ("" if column.startswith("m") else f" ({column})"))
        place.set_title(f"{column}\n{title}", fontsize=9)
        place.grid(alpha=0.3, which="both")
    axes[-1].axis("off")
    for number, line in enumerate(lines, 1):
        axes[-1].text(
            0.0,
            1 - number / (len(lines) + 1),
            f"{number}  {line['prior']}, k = {line['k']}",
            transform=axes[-1].transAxes,
            fontsize=7,
            color=color_of(line["prior"]),
        )
    plots.save(figure, path)
