"""Holes filled by a density, beside semantic inpainting and what needs no generator.

The images and the two large holes of ``yeh2017/methods``, of 100 test images. ``auto`` and
``map`` take the generator for a density (of another prior than semantic inpainting, which asks a
discriminator); the mixture of 30 Gaussians and LMMSE are exact conditional means of laws that
were fitted to the same training images, and the context encoder was trained on these holes. That
``auto`` gives its models equal shares where pixels are hidden was chosen on 24 to 40 tuning images.
Claims: the error of ``auto`` is below the mean of its models' errors; it is above the mixture and
the context encoder in both scores; of clothes it has 24 dB and SSIM .76 in the centre, 21 dB and
.80 in the left half, in the mean of the images' PSNR and not in the PSNR of the mean error, which
images that are filled badly decide.

    ganprior figure density/inpainting --preset paper
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from experiments.images import load_mixture, load_prior
from experiments.intervals import Array, grouped, interval, mean_cell, mean_of, measured
from experiments.rows import Row
from experiments.strips import GIVEN, ORIGINAL, draw_strips
from experiments.sweep.figure import Tables, declare, headline_of
from experiments.yeh2017.setting import (
    PRIORS,
    metric_tables,
    not_filled,
    place_of,
    rival,
    score_rows,
    semantic,
    task,
)
from ganprior import LMMSE, MAP, Auto, GaussianMixture, Reconstructor
from ganprior.jobs import Cell, grid

ENCODER, MIXTURE, LINEAR, MODES, AUTO = "context encoder", "mixture", "LMMSE", "map", "auto"
SEMANTIC = "semantic inpainting"
LARGE = ("center", "left half")
PLACE = ["panel", "holes"]
DENSE = {"Fashion-MNIST": "fashion-mnist-k128-vae", "MNIST": "mnist-k64-vae"}
# PSNR in dB and SSIM that auto is to have, of clothes.
ASKED = {"center": (24.0, 0.76), "left half": (21.0, 0.80)}


@dataclass(frozen=True)
class Config:
    """What is run; the presets are below."""

    data: tuple[str, ...] = ("Fashion-MNIST", "MNIST")
    priors: tuple[str, ...] = (*PRIORS.values(), *DENSE.values())
    holes: tuple[str, ...] = LARGE
    methods: tuple[str, ...] = (ENCODER, SEMANTIC, LINEAR, MIXTURE, MODES, AUTO)
    images: int = 100
    shown: int = 4


def cells(config: Config) -> list[Cell]:
    """Every data set, kind of holes and method."""
    found = grid(
        (ORIGINAL, GIVEN, *config.methods),
        "holes",
        config.holes,
        panels=config.data,
        images=config.images,
        block=config.images,
    )
    return [cell for cell in found if (cell.panel, cell.method) != ("MNIST", ENCODER)]


def rows(config: Config, cell: Cell) -> list[Row]:
    """Scores of a method on all images."""
    found = task(*place_of(cell))
    if cell.method == SEMANTIC:
        x_hat = semantic(*place_of(cell)).x
    elif cell.method in (ORIGINAL, GIVEN):
        x_hat = not_filled(found, cell.method)
    elif cell.method == ENCODER:
        x_hat = rival(ENCODER, cell.panel).solve(found.y, found.physics).x
    else:
        solved = solvers(cell.panel)[cell.method]().solve(found.y, found.physics).x
        x_hat = found.x.where(found.mask > 0, solved.clamp(0, 1))
    return score_rows(found, x_hat, shown=config.shown, method=cell.method)


def solvers(data: str) -> dict[str, Callable[[], Reconstructor]]:
    """Laws of images and densities, by name; nothing measures with noise."""
    dense, law = load_prior(DENSE[data]), load_mixture(PRIORS[data])
    return {
        MODES: lambda: MAP(dense, 0.0),
        AUTO: lambda: Auto(dense, 0.0),
        MIXTURE: lambda: GaussianMixture(law, 0.0),
        LINEAR: lambda: LMMSE(law, 0.0),
    }


def tables(found: list[Row]) -> Tables:
    """PSNR of the mean error, SSIM, and the mean of the images' PSNR, with 95% intervals."""
    tables = metric_tables(found, PLACE, "psnr", "ssim")
    tables["mean_of_psnr"] = []
    for place, own in grouped(found, PLACE).items():
        means = {name: mean_cell(each, ".2f") for name, each in _scores(own, "psnr").items()}
        tables["mean_of_psnr"].append({**dict(zip(PLACE, place, strict=True)), **means})
    return tables


def claims(found: list[Row]) -> dict[str, bool]:
    """Auto above the others by the interval, and what was asked."""
    held = {}
    for (data, holes), own in grouped(found, PLACE).items():
        error = {
            name: float((10 ** (-each / 10)).mean()) for name, each in _scores(own, "psnr").items()
        }
        half = (error[MODES] + error[MIXTURE]) / 2
        held[f"{data}, {holes}: auto's error is below the mean of its models'"] = error[AUTO] < half
        if len(_scores(own, "psnr")[AUTO]) < 20:  # of fewer images an interval says nothing
            continue
        for score in ("psnr", "ssim"):
            values = _scores(own, score)
            for name in (MIXTURE, ENCODER):
                if name in values:
                    above = interval(values[AUTO] - values[name])[0] > 0
                    held[f"{data}, {holes}: auto is above the {name} in {score.upper()}"] = above
        if data == "Fashion-MNIST":
            least = ASKED[holes]
            means = [mean_of(_scores(own, score)[AUTO])[0] for score in ("psnr", "ssim")]
            asked = f"{data}, {holes}: auto has {least[0]:g} dB and SSIM {least[1]:g} in the mean"
            held[asked] = all(mean >= bound for mean, bound in zip(means, least, strict=True))
    return held


def _scores(found: list[Row], score: str) -> dict[str, Array]:
    """A score of every method, (images, 1), at one place."""
    each = {name: measured(own, score) for (name,), own in grouped(found, ["method"]).items()}
    return {name: own for name, own in each.items() if own.size}


def headline(found: list[Row]) -> str:
    """PSNR of every method."""
    return headline_of(tables(found)["summary"], found)


def plot(found: list[Row], path: Path) -> None:
    """An image per row, a method per column; a picture per data set."""
    for (data,), own in grouped(found, ["panel"]).items():
        draw_strips(own, path.with_name(data.lower() + path.suffix), ("holes",), "method", "psnr")


declare(
    __name__,
    "density/inpainting",
    "a generator that is a density fills large holes better than exact conditional means",
    paper=Config(),
    smoke=Config(
        ("MNIST",),
        ("mnist-k20-vae-gan", "mnist-k64-vae"),
        LARGE[:1],
        (LINEAR, MIXTURE, MODES, AUTO),
        images=2,
        shown=2,
    ),
)
