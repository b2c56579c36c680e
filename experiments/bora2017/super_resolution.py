"""Super-resolution: images from means of blocks of 2 x 2 and 4 x 4 pixels (Bora et al. 2017).

Claim: from a sixteenth of the pixels CSGM is nearer to the image than the Lassos and the blocks
themselves.

    ganprior figure bora2017/super-resolution --preset paper
"""

from __future__ import annotations

from pathlib import Path

from experiments.bora2017 import comparison
from experiments.bora2017.damaged import (
    GIVEN,
    ORIGINAL,
    Config,
    below_all,
    cost,
    damaged_rows,
    errors_of,
    inputs,
)
from experiments.bora2017.setting import PAPER, held_out_block
from experiments.bora2017.strips import draw_strips
from experiments.rows import Row
from experiments.sweep.cell import Cell, blocks
from experiments.sweep.figure import Figure, Tables
from ganprior import downsampling

NAME = f"{PAPER}/super-resolution"
AXIS = "factor"
METHODS = (ORIGINAL, GIVEN, "csgm", "lasso-dct", "lasso-wavelet")


def cells(config: Config) -> list[Cell]:
    """Every factor, method and block."""
    return [
        Cell(NAME, f"csgm {config.prior}" if method == "csgm" else method, AXIS, factor, "", 0, *b)
        for factor in config.values
        for method in METHODS
        for b in blocks(config.images, config.block)
    ]


def rows(config: Config, cell: Cell) -> list[Row]:
    """Errors of a method on a block of images."""
    factor = int(cell.value)
    _, x = held_out_block(config.data, cell)
    channels, height, width = x.shape[1:]
    physics = downsampling((channels, height, width), factor)
    given = physics.A(x).repeat_interleave(factor, -1).repeat_interleave(factor, -2)
    return damaged_rows(config, cell, physics, given)


def tables(found: list[Row]) -> Tables:
    """Mean error per factor, and tests."""
    errors = errors_of(found, AXIS)
    ours = next(name for name in errors if name.startswith("csgm"))
    return {
        "summary": comparison.summarise(errors, AXIS),
        "tests": comparison.paired_tests(errors, ours, AXIS),
    }


def claims(found: list[Row]) -> dict[str, bool]:
    """CSGM is the nearest at the largest factor."""
    errors = errors_of(found, AXIS)
    most = max(comparison.places_of(errors))
    return {f"CSGM is below all others at x{most:g}": below_all(errors, most)}


def headline(found: list[Row]) -> str:
    """Mean errors per factor."""
    return "; ".join(
        f"x{line[AXIS]}: "
        + ", ".join(f"{n} {line[n]}" for n in line if n != AXIS and "±" not in n and line[n])
        for line in comparison.summarise(errors_of(found, AXIS), AXIS)
    )


def plot(found: list[Row], path: Path) -> None:
    """Grid: a factor and method per row."""
    labelled = [{**row, AXIS: f"x{row[AXIS]}"} for row in found]
    draw_strips(labelled, path, (AXIS, "method"))


FIGURES = {
    NAME: Figure(
        name=NAME,
        presets={
            "paper": Config(values=(2, 4)),
            "smoke": Config(values=(4,), images=6, shown=4, effort="smoke"),
        },
        cells=cells,
        rows=rows,
        inputs=inputs,
        tables=tables,
        plot=plot,
        claims=claims,
        cost=cost,
        headline=headline,
        published="images to look at: CSGM draws sharp digits from 7 x 7 pixels",
        differs="digits, no noise; errors are given too",
    )
}
