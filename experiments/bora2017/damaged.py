"""What super-resolution and inpainting share: images measured by a physics of their own, no noise.

Both are figures of Bora et al. (2017) in which A is not random: rows hold the pixels of the first
images, the plot is a grid of them. Of faces, therefore, none is a photograph of the data set: they
are a portrait in the public domain and images of the generator itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from torch import Tensor

from experiments.bora2017 import comparison
from experiments.bora2017.held_out import (
    FACES,
    PORTRAIT_NAME,
    STAND_INS,
    held_out_block,
)
from experiments.bora2017.setting import (
    PAPER,
    cost_per_image,
    hashes_of,
    image_rows,
    inputs_of,
    problem,
    solver_of,
)
from experiments.bora2017.strips import draw_strips, with_pixels
from experiments.rows import Row
from experiments.sweep.cell import Cell, blocks
from experiments.sweep.figure import Figure, Tables

ORIGINAL, GIVEN = "original", "given"
METHODS = (ORIGINAL, GIVEN, "csgm", "lasso-dct", "lasso-wavelet")

Label = Callable[[float], str]


@dataclass(frozen=True)
class Config:
    """What is run; the figures have the presets."""

    values: tuple[float, ...]
    data: str = "MNIST"
    prior: str = "mnist"
    images: int = 100
    shown: int = 8
    block: int = 50
    effort: str = "balanced"


def face_presets(values: tuple[float, ...], most: float) -> dict[str, Config]:
    """Presets at 64 x 64 in colour, of all values and of the one that damages most."""
    paper = Config(values, STAND_INS, FACES, images=16, shown=5, block=16)
    return {
        "paper": paper,
        "smoke": replace(paper, values=(most,), images=2, shown=2, effort="smoke"),
    }


def damaged_rows(config: Config, cell: Cell, physics: Any, given: Tensor) -> list[Row]:
    """Errors and pixels of a method.

    Parameters
    ----------
    config, cell
        What is computed.
    physics : object
        What measures.
    given : Tensor
        The measurements as images of full size, (B, C, H, W): what no method has touched.
    """
    found = problem(held_out_block(config.data, cell), physics, 0.0, cell)
    hashes = hashes_of(config.data, cell.method)
    shown = max(0, config.shown - cell.first)
    as_they_are = {ORIGINAL: found.x, GIVEN: given}
    if cell.method in as_they_are:
        x_hat, status = as_they_are[cell.method], [""] * len(found.names)
    else:
        solver = solver_of(cell.method, 0.0, config.effort)
        solution = solver.solve(found.y, physics, rng=found.streams)
        x_hat, status = solution.x, [str(end) for end in solution.status]
    return with_pixels(image_rows(found, x_hat, status, **hashes), x_hat, shown)


def inputs(config: Config) -> dict[str, str]:
    """Hashes of images and prior."""
    return inputs_of(config.data, [config.prior])


def errors_of(found: list[Row], axis: str) -> comparison.Errors:
    """Errors of every method, the original left out."""
    return comparison.errors_of((row for row in found if row["method"] != ORIGINAL), axis)


def below_all(errors: comparison.Errors, place: float) -> bool:
    """Whether CSGM has the lowest mean error at a place."""
    mean: Mapping[str, float] = {name: float(own[place].mean()) for name, own in errors.items()}
    return min(mean, key=lambda name: mean[name]).startswith("csgm")


def cost(config: Config, cell: Cell) -> float:
    """Seconds of a cell."""
    return (cell.last - cell.first) * cost_per_image(cell.method, config.effort)


def cells(name: str, axis: str, config: Config) -> list[Cell]:
    """Every value of the axis, method and block."""
    return [
        Cell(name, f"csgm {config.prior}" if method == "csgm" else method, axis, value, "", 0, *b)
        for value in config.values
        for method in METHODS
        for b in blocks(config.images, config.block)
    ]


def tables(axis: str, found: list[Row]) -> Tables:
    """Mean error per value of the axis, and tests."""
    errors = errors_of(found, axis)
    ours = next(name for name in errors if name.startswith("csgm"))
    return {
        "summary": comparison.summarise(errors, axis),
        "tests": comparison.paired_tests(errors, ours, axis),
    }


def headline(axis: str, label: Label, found: list[Row]) -> str:
    """Mean errors per value of the axis, and those of the portrait where it is among others."""
    alone = [row for row in found if row["image"] == PORTRAIT_NAME]
    portrait = f". The portrait alone, {_means(axis, label, alone)}" if alone else ""
    return _means(axis, label, found) + portrait


def _means(axis: str, label: Label, found: list[Row]) -> str:
    return "; ".join(
        f"{label(float(line[axis]))}: "
        + ", ".join(f"{n} {line[n]}" for n in line if n != axis and "±" not in n and line[n])
        for line in comparison.summarise(errors_of(found, axis), axis)
    )


def plot(axis: str, label: Label, found: list[Row], path: Path) -> None:
    """Grid: a value of the axis and method per row."""
    labelled = [{**row, axis: label(float(row[axis]))} for row in found]
    draw_strips(labelled, path, (axis, "method"))


def damaged_figure(figure: str, axis: str, label: Label, **declared: Any) -> Figure:
    """Figure of this kind.

    Parameters
    ----------
    figure : str
        Its name, without the paper's.
    axis : str
        What it varies.
    label : callable
        Value of the axis to text.
    **declared
        Presets, rows, claims and texts of :class:`~experiments.sweep.figure.Figure`.
    """
    name = f"{PAPER}/{figure}"
    return Figure(
        name=name,
        cells=partial(cells, name, axis),
        inputs=inputs,
        tables=partial(tables, axis),
        plot=partial(plot, axis, label),
        cost=cost,
        headline=partial(headline, axis, label),
        **declared,
    )
