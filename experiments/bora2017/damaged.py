"""Inpainting of a centre block, and super-resolution, as compressed sensing (Bora et al. 2017).

A is a mask in the one, the means of blocks of 2 x 2 and 4 x 4 pixels in the other: it is not
random, and there is no noise. Claims: CSGM fills the block with what belongs there, nearer to the
image than the Lassos, which hardly see that it is missing; from a sixteenth of the pixels CSGM is
nearer to the image than the Lassos and the blocks themselves.

    ganprior figure bora2017/inpainting --preset paper
    ganprior figure bora2017/inpainting-faces --preset paper
    ganprior figure bora2017/super-resolution --preset paper
    ganprior figure bora2017/super-resolution-faces --preset paper

Rows hold the pixels of the first images, the plot is a grid of them. Of faces, therefore, none is a
photograph of the data set: they are a portrait in the public domain and images of the generator
itself. The figures of Yeh et al. (2017) have more holes, and methods made for them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from torch import Tensor

from experiments.bora2017.setting import hashes_of, image_rows, inputs_of, problem, solver_of
from experiments.comparison import errors_of, means_of, paired_tests
from experiments.images import FACES, PORTRAIT_NAME, STAND_INS, held_out_block
from experiments.rows import Row
from experiments.strips import GIVEN, ORIGINAL, draw_strips, with_pixels
from experiments.sweep.figure import Tables, declare, headline_of, means_by_place, place_columns
from ganprior import downsampling, inpainting
from ganprior.jobs import Cell, grid
from ganprior.physics import masks

MISSING, FACTOR = "missing", "factor"
LASSOS = ("lasso-dct", "lasso-wavelet")
WORDS = {MISSING: "{:.0%} missing", FACTOR: "x{:g}"}


@dataclass(frozen=True)
class Config:
    """What is run; the presets are below."""

    axis: str
    values: tuple[float, ...]
    data: str = "MNIST"
    prior: str = "mnist"
    images: int = 100
    shown: int = 8
    block: int = 50
    effort: str = "balanced"


def cells(config: Config) -> list[Cell]:
    """Every value of the axis, method and block."""
    methods = (ORIGINAL, GIVEN, f"csgm {config.prior}", *LASSOS)
    return grid(methods, config.axis, config.values, images=config.images, block=config.block)


def damage(cell: Cell, x: Tensor) -> tuple[Any, Tensor]:
    """Physics of a cell, and the measurements as images of full size, (B, C, H, W)."""
    channels, height, width = x.shape[1:]
    shape = channels, height, width
    if cell.axis == MISSING:
        mask = inpainting(masks.center(shape, cell.number), shape)
        return mask, mask.A(x)
    factor = int(cell.number)
    physics = downsampling(shape, factor)
    return physics, physics.A(x).repeat_interleave(factor, -1).repeat_interleave(factor, -2)


def rows(config: Config, cell: Cell) -> list[Row]:
    """Errors and pixels of a method."""
    signals = held_out_block(config.data, cell)
    physics, given = damage(cell, signals[1])
    found = problem(signals, physics, 0.0, cell)
    x_hat, status = {ORIGINAL: found.x, GIVEN: given}.get(cell.method), [""] * len(found.names)
    if x_hat is None:
        solver = solver_of(cell.method, 0.0, config.effort)
        solution = solver.solve(found.y, physics, rng=found.streams)
        x_hat, status = solution.x, [str(end) for end in solution.status]
    own = image_rows(found, x_hat, status, **hashes_of(config.data, cell.method))
    return with_pixels(own, x_hat, max(0, config.shown - cell.first))


def claims(found: list[Row]) -> dict[str, bool]:
    """CSGM is the nearest for every hole, and at the largest factor."""
    axis = place_columns(found)[0]
    mean = means_of(errors_of(found, axis))
    ours = next(name for name in mean if name.startswith("csgm"))
    places = list(mean[ours]) if axis == MISSING else [max(mean[ours])]
    return {
        f"CSGM is below all others with {WORDS[axis].format(place)}": all(
            mean[ours][place] < mean[name][place] for name in mean if name != ours
        )
        for place in places
    }


def tables(found: list[Row]) -> Tables:
    """Mean error per value of the axis, and tests."""
    axis = place_columns(found)[0]
    errors = errors_of(found, axis)
    ours = next(name for name in errors if name.startswith("csgm"))
    return {"summary": means_by_place(found), "tests": paired_tests(errors, ours, axis)}


def headline(found: list[Row]) -> str:
    """Mean errors per value of the axis, and those of the portrait where it is among others."""
    alone = [row for row in found if row["image"] == PORTRAIT_NAME]
    portrait = f". The portrait alone, {headline_of(means_by_place(alone), alone)}" if alone else ""
    return headline_of(means_by_place(found), found) + portrait


def plot(found: list[Row], path: Path) -> None:
    """Grid: a value of the axis and method per row."""
    axis = place_columns(found)[0]
    labelled = [{**row, axis: WORDS[axis].format(float(row[axis]))} for row in found]
    draw_strips(labelled, path, (axis, "method"))


def _declare(
    name: str, axis: str, values: tuple[float, float], claim: str, published: str, *differs: str
) -> None:
    gray = Config(axis, values)
    faces = replace(gray, data=STAND_INS, prior=FACES, images=16, shown=5, block=16)
    few = partial(replace, values=values[-1:], effort="smoke")
    shared = {"inputs": inputs_of, "published": published}
    declare(
        __name__,
        f"bora2017/{name}",
        claim,
        paper=gray,
        smoke=few(gray, images=6, shown=4),
        differs=differs[0],
        **shared,
    )
    declare(
        __name__,
        f"bora2017/{name}-faces",
        "the same for faces, 64 x 64 in colour",
        paper=faces,
        smoke=few(faces, images=2, shown=2),
        differs="no photograph: a portrait and images of the generator, which it can draw exactly; "
        f"{differs[1]} is nearer to the portrait",
        **shared,
    )


_declare(
    "super-resolution",
    FACTOR,
    (2, 4),
    "from a sixteenth of the pixels CSGM is nearest",
    "images to look at: CSGM draws sharp digits from 7 x 7 pixels",
    "digits, no noise; errors are given too",
    "the DCT Lasso",
)
_declare(
    "inpainting",
    MISSING,
    (0.1, 0.25),
    "CSGM fills a centre block, the Lassos do not",
    "images to look at: CSGM fills the block of a face",
    "digits; errors over the whole image are given too",
    "with 10% missing the wavelet Lasso",
)
