"""Inpainting of a centre block by compressed sensing with a mask for A (Bora et al. 2017).

Claim: CSGM fills the block with what belongs there, nearer to the image than the Lassos, which
hardly see that it is missing.

    ganprior figure bora2017/inpainting --preset paper

The experiments on Yeh et al. (2017), in ``experiments/yeh2017``, have more holes and methods made
for them.
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
from ganprior import inpainting
from ganprior.physics import masks

NAME = f"{PAPER}/inpainting"
AXIS = "missing"
METHODS = (ORIGINAL, GIVEN, "csgm", "lasso-dct", "lasso-wavelet")


def cells(config: Config) -> list[Cell]:
    """Every fraction, method and block."""
    return [
        Cell(NAME, f"csgm {config.prior}" if method == "csgm" else method, AXIS, part, "", 0, *b)
        for part in config.values
        for method in METHODS
        for b in blocks(config.images, config.block)
    ]


def rows(config: Config, cell: Cell) -> list[Row]:
    """Errors of a method on a block of images."""
    _, x = held_out_block(config.data, cell)
    channels, height, width = x.shape[1:]
    physics = inpainting(
        masks.center((channels, height, width), cell.value), (channels, height, width)
    )
    return damaged_rows(config, cell, physics, physics.A(x))


def tables(found: list[Row]) -> Tables:
    """Mean error per fraction, and tests."""
    errors = errors_of(found, AXIS)
    ours = next(name for name in errors if name.startswith("csgm"))
    return {
        "summary": comparison.summarise(errors, AXIS),
        "tests": comparison.paired_tests(errors, ours, AXIS),
    }


def claims(found: list[Row]) -> dict[str, bool]:
    """CSGM is the nearest for every hole."""
    errors = errors_of(found, AXIS)
    return {
        f"CSGM is below all others with {place:.0%} missing": below_all(errors, place)
        for place in comparison.places_of(errors)
    }


def headline(found: list[Row]) -> str:
    """Mean errors per fraction."""
    return "; ".join(
        f"{float(line[AXIS]):.0%} missing: "
        + ", ".join(f"{n} {line[n]}" for n in line if n != AXIS and "±" not in n and line[n])
        for line in comparison.summarise(errors_of(found, AXIS), AXIS)
    )


def plot(found: list[Row], path: Path) -> None:
    """Grid: a fraction and method per row."""
    labelled = [{**row, AXIS: f"{float(row[AXIS]):.0%} missing"} for row in found]
    draw_strips(labelled, path, (AXIS, "method"))


FIGURES = {
    NAME: Figure(
        name=NAME,
        presets={
            "paper": Config(values=(0.1, 0.25)),
            "smoke": Config(values=(0.25,), images=6, shown=4, effort="smoke"),
        },
        cells=cells,
        rows=rows,
        inputs=inputs,
        tables=tables,
        plot=plot,
        claims=claims,
        cost=cost,
        headline=headline,
        published="images to look at: CSGM fills the block of a face",
        differs="digits, not CelebA; errors over the whole image are given too",
    )
}
