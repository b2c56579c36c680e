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

from dataclasses import dataclass, replace

import numpy as np

from experiments.bora2017.setting import (
    LASSOS,
    compressed,
    hashes_of,
    image_rows,
    inputs_of,
    solved,
)
from experiments.comparison import errors_of
from experiments.images import FACES, STAND_INS, held_out_block
from experiments.rows import Row
from experiments.strips import ORIGINAL, draw_strips, with_pixels
from experiments.sweep.figure import declare
from ganprior.jobs import Cell, grid


@dataclass(frozen=True)
class Config:
    """What is run; the presets are below."""

    data: str
    priors: tuple[str, ...]
    m: int = 100
    noise_level: float = 0.1  # sqrt(m) noise_std
    images: int = 12
    effort: str = "balanced"


def cells(config: Config) -> list[Cell]:
    """A cell per method."""
    methods = [ORIGINAL, *(f"csgm {prior}" for prior in config.priors), *LASSOS]
    return grid(methods, "m", [config.m], images=config.images)


def rows(config: Config, cell: Cell) -> list[Row]:
    """Errors and pixels."""
    found = compressed(held_out_block(config.data, cell), config.m, config.noise_level, cell)
    x_hat, status = found.x, [""] * len(found.names)
    if cell.method != ORIGINAL:
        solution = solved(found, cell.method, config.effort, config.data)
        x_hat, status = solution.x, [str(end) for end in solution.status]
    own = image_rows(found, x_hat, status, **hashes_of(config.data, cell.method))
    return with_pixels(own, x_hat, config.images)


def claims(found: list[Row]) -> dict[str, bool]:
    """CSGM is below every Lasso on most images."""
    errors = {name: next(iter(own.values())) for name, own in errors_of(found).items()}
    ours = next(own for name, own in errors.items() if name.startswith("csgm"))
    best = np.min([errors[name] for name in LASSOS], 0)
    share = (ours < best).mean()
    return {"CSGM is below every Lasso on at least 80% of the images": share >= 0.8}


def _declare(name: str, claim: str, paper: Config, few: int, *texts: str) -> None:
    declare(
        __name__,
        f"bora2017/image-grid-{name}",
        claim,
        paper=paper,
        smoke=replace(paper, priors=paper.priors[:1], images=few, effort="smoke"),
        inputs=inputs_of,
        plot=draw_strips,
        published=texts[0],
        differs=texts[1],
    )


FIRST_ONES = "the images are the first ones of the test set"
_declare(
    "mnist",
    "100 measurements show CSGM the digit, and no Lasso",
    Config("MNIST", ("mnist",)),
    5,
    "digits to look at: those of CSGM are legible, those of Lasso are not",
    FIRST_ONES,
)
_declare(
    "fashion-mnist",
    "the same for clothes, with two priors",
    Config("Fashion-MNIST", ("fashion-mnist-dcgan", "fashion-mnist-wgan-gp")),
    5,
    "none: the paper has no Fashion-MNIST",
    FIRST_ONES,
)
_declare(
    "faces",
    "500 measurements show CSGM the face, and no Lasso",
    Config(STAND_INS, (FACES,), m=500, noise_level=0.005, images=8),
    2,
    "photographs to look at: CSGM draws a face, the Lassos do not",
    "no photograph of the data set is shown: a portrait in the public domain and images of "
    "the generator, which it can draw exactly",
)
