"""PSNR and SSIM of every method and every kind of hole: section 4 and table 1 of Yeh et al. (2017).

Claim, in the paper's direction: with large holes that need to be understood (centre, half) semantic
inpainting beats total variation and low-rank completion in SSIM. With 80% of the pixels missing at
random total variation may well win, for what is near every missing pixel is known.

Nothing is tuned here: every method has its defaults. The context encoder has been trained on these
four kinds of holes, and is there for clothes alone; the others know nothing of them.

    GANPRIOR_DATA=FOLDER ganprior figure yeh2017/methods --preset paper

FOLDER holds FashionMNIST and MNIST as torchvision has them, for the nearest patch. ``differences``
has the SSIM of ours less that of each other method, image by image; a picture per data set is in
the paper's layout.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from experiments.intervals import Array, grouped, interval, mean_cell, measured
from experiments.rows import Row
from experiments.strips import GIVEN, ORIGINAL, draw_strips
from experiments.sweep.figure import Tables, declare, headline_of
from experiments.yeh2017.setting import (
    OURS,
    PRIORS,
    RAW,
    metric_tables,
    not_filled,
    place_of,
    rival,
    score_rows,
    semantic,
    task,
)
from ganprior.jobs import Cell, grid

ENCODER = "context encoder"
LARGE = ("center", "left half")
PLACE = ["panel", "holes"]


@dataclass(frozen=True)
class Config:
    """What is run; the presets are below."""

    data: tuple[str, ...] = ("Fashion-MNIST", "MNIST")
    priors: tuple[str, ...] = tuple(PRIORS.values())
    holes: tuple[str, ...] = ("center", "pattern", "random 80%", "left half")
    rivals: tuple[str, ...] = (ENCODER, "TV", "low rank", "nearest patch", "biharmonic")
    images: int = 100
    shown: int = 4


def cells(config: Config) -> list[Cell]:
    """Every data set, kind of holes and method."""
    methods = (ORIGINAL, GIVEN, *config.rivals, RAW, OURS)
    found = grid(
        methods,
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
    if cell.method in (OURS, RAW):
        solution = semantic(*place_of(cell))
        x_hat = solution.x if cell.method == OURS else solution.raw
    elif cell.method in (ORIGINAL, GIVEN):
        x_hat = not_filled(found, cell.method)
    else:
        x_hat = rival(cell.method, cell.panel).solve(found.y, found.physics).x
    return score_rows(found, x_hat, shown=config.shown, method=cell.method)


def tables(found: list[Row]) -> Tables:
    """SSIM, PSNR, and differences in SSIM."""
    differences = [
        {
            **dict(zip(PLACE, place, strict=True)),
            **{f"ours - {name}": mean_cell(gap, "+.3f") for name, gap in gaps(own).items()},
        }
        for place, own in grouped(found, PLACE).items()
    ]
    columns = dict.fromkeys(key for line in differences for key in line)
    lines = [{key: line.get(key, "") for key in columns} for line in differences]
    return {**metric_tables(found, PLACE, "ssim", "psnr"), "differences": lines}


def gaps(found: list[Row]) -> dict[str, Array]:
    """SSIM of ours less that of every other method, (images, 1), at one place."""
    values = {name: measured(own, "ssim") for (name,), own in grouped(found, ["method"]).items()}
    ours = values.pop(OURS)
    return {name: ours - own for name, own in values.items() if own.size}


def claims(found: list[Row]) -> dict[str, bool]:
    """Ours is above total variation and low rank where the holes are large, by the interval."""
    return {
        f"{data}, {holes}: ours is above {name} in SSIM": interval(gaps(own)[name])[0] > 0
        for (data, holes), own in grouped(found, PLACE).items()
        for name in ("TV", "low rank")
        if holes in LARGE
    }


def headline(found: list[Row]) -> str:
    """SSIM with large holes."""
    large = [row for row in found if row["holes"] in LARGE]
    return headline_of(tables(large)["summary"], large)


def plot(found: list[Row], path: Path) -> None:
    """An image per row, a method per column; a picture per data set."""
    for (data,), own in grouped(found, ["panel"]).items():
        draw_strips(own, path.with_name(data.lower() + path.suffix), ("holes",), "method", "ssim")


declare(
    __name__,
    "yeh2017/methods",
    "semantic inpainting beats total variation and low rank in large holes",
    paper=Config(),
    smoke=Config(
        ("Fashion-MNIST",),
        ("fashion-mnist-dcgan",),
        LARGE,
        (ENCODER, "TV", "low rank", "biharmonic"),
        images=6,
        shown=2,
    ),
    published="PSNR on faces, house numbers and cars (table 1)",
    differs="clothes and digits; SSIM beside PSNR",
)
