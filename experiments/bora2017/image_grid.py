"""Reconstructions from few Gaussian measurements, side by side (Bora et al. 2017, figures 2 and 3).

Claim: with 100 measurements of 784 values, or 500 of 12,288, CSGM draws the image, and no Lasso
does.

    ganprior figure bora2017/image-grid-mnist --preset paper
    ganprior figure bora2017/image-grid-fashion-mnist --preset paper
    ganprior figure bora2017/image-grid-faces --preset paper

The images are the first of the test set, and not chosen. Of faces none is a photograph of the data
set: they are a portrait in the public domain and images of the generator itself, which CSGM can
draw exactly.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path

from experiments.bora2017 import comparison
from experiments.bora2017.held_out import FACES, STAND_INS, held_out_block
from experiments.bora2017.setting import (
    LASSOS,
    PAPER,
    compressed,
    cost_per_image,
    hashes_of,
    image_rows,
    inputs_of,
    solved,
)
from experiments.bora2017.strips import draw_strips, with_pixels
from experiments.rows import Row
from experiments.sweep.cell import Cell
from experiments.sweep.figure import Figure, Tables

ORIGINAL = "original"


@dataclass(frozen=True)
class Config:
    """What is run; the presets are below."""

    data: str
    priors: tuple[str, ...]
    m: int = 100
    noise_level: float = 0.1  # sqrt(m) noise_std
    images: int = 12
    effort: str = "balanced"


def cells(name: str, config: Config) -> list[Cell]:
    """A cell per method."""
    methods = [ORIGINAL, *(f"csgm {prior}" for prior in config.priors), *LASSOS]
    return [Cell(name, method, "m", config.m, last=config.images) for method in methods]


def rows(config: Config, cell: Cell) -> list[Row]:
    """Errors and pixels."""
    found = compressed(held_out_block(config.data, cell), config.m, config.noise_level, cell)
    hashes = hashes_of(config.data, cell.method)
    if cell.method == ORIGINAL:
        blank = image_rows(found, found.x, ["" for _ in found.names], **hashes)
        return with_pixels(blank, found.x, config.images)
    solution = solved(found, cell.method, config.effort, config.data)
    reconstructed = image_rows(found, solution.x, solution.status, **hashes)
    return with_pixels(reconstructed, solution.x, config.images)


def inputs(config: Config) -> dict[str, str]:
    """Hashes of images and priors."""
    return inputs_of(config.data, config.priors)


def tables(found: list[Row]) -> Tables:
    """Mean error of the images shown."""
    errors = comparison.errors_of(row for row in found if row["method"] != ORIGINAL)
    return {"summary": comparison.summarise(errors)}


def claims(found: list[Row]) -> dict[str, bool]:
    """CSGM is below every Lasso on most images."""
    errors = comparison.errors_of(row for row in found if row["method"] != ORIGINAL)
    [m] = comparison.places_of(errors)
    ours = next(own[m] for name, own in errors.items() if name.startswith("csgm"))
    best = [errors[name][m] for name in LASSOS]
    share = sum(mine < min(others) for mine, *others in zip(ours, *best, strict=True)) / len(ours)
    return {"CSGM is below every Lasso on at least 80% of the images": share >= 0.8}


def cost(config: Config, cell: Cell) -> float:
    """Seconds of a cell."""
    return config.images * cost_per_image(cell.method, config.effort)


def headline(found: list[Row]) -> str:
    """Mean errors of the images shown."""
    [line] = tables(found)["summary"]
    return ", ".join(f"{name} {line[name]}" for name in line if name != "m" and "±" not in name)


def plot(found: list[Row], path: Path) -> None:
    """A method per row, an image per column."""
    draw_strips(found, path)


def _figure(name: str, published: str, differs: str, paper: Config, smoke: Config) -> Figure:
    name = f"{PAPER}/image-grid-{name}"
    return Figure(
        name=name,
        presets={"paper": paper, "smoke": smoke},
        cells=partial(cells, name),
        rows=rows,
        inputs=inputs,
        tables=tables,
        plot=plot,
        claims=claims,
        cost=cost,
        headline=headline,
        published=published,
        differs=differs,
    )


FIRST_ONES = "the images are the first ones of the test set"
FIGURES = {
    figure.name: figure
    for figure in (
        _figure(
            "mnist",
            "digits to look at: those of CSGM are legible, those of Lasso are not",
            FIRST_ONES,
            Config("MNIST", ("mnist",)),
            Config("MNIST", ("mnist",), images=5, effort="smoke"),
        ),
        _figure(
            "fashion-mnist",
            "none: the paper has no Fashion-MNIST",
            FIRST_ONES,
            Config("Fashion-MNIST", ("fashion-mnist-dcgan", "fashion-mnist-wgan-gp")),
            Config("Fashion-MNIST", ("fashion-mnist-dcgan",), images=5, effort="smoke"),
        ),
        _figure(
            "faces",
            "photographs to look at: CSGM draws a face, the Lassos do not",
            "no photograph of the data set is shown: a portrait in the public domain and images "
            "of the generator, which it can draw exactly",
            Config(STAND_INS, (FACES,), m=500, noise_level=0.005, images=8),
            Config(STAND_INS, (FACES,), m=500, noise_level=0.005, images=2, effort="smoke"),
        ),
    )
}
