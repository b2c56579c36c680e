"""PSNR and SSIM of every method and every kind of hole: section 4 and table 1 of Yeh et al. (2017).

Claim, in the paper's direction: with large holes that need to be understood (centre, half) semantic
inpainting beats total variation and low-rank completion in SSIM. With 80% of the pixels missing at
random total variation may well win, for what is near every missing pixel is known.

Nothing is tuned here: every method has its defaults. The context encoder has been trained on these
four kinds of holes; the others know nothing of them.

    GANPRIOR_DATA=FOLDER python -m experiments.yeh2017.methods --preset paper

writes ``results/methods/``: ``rows.csv`` (a row per image, hole and method), ``psnr.csv`` and
``ssim.csv`` (means with 95% bootstrap intervals), ``claims.csv`` (differences in SSIM between ours
and the others, image by image), ``config.json``, and a figure per data set in the paper's layout.
The folder holds FashionMNIST and MNIST as torchvision has them, for the nearest patch. It takes
about ten minutes on one CPU core, smoke some seconds.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

from torch import Tensor

from experiments.rows import Row, git_revision
from experiments.yeh2017.grids import Block, draw_grid
from experiments.yeh2017.setting import (
    DATA,
    asked,
    column,
    draw_masks,
    fill_holes,
    held_out,
    load_prior,
    mean_cell,
    other_methods,
    physics_of,
    score_rows,
    tabulate,
    values_of,
    write_results,
)


@dataclass(frozen=True)
class Config:
    """What is run; the presets are below."""

    data: tuple[str, ...] = ("Fashion-MNIST", "MNIST")
    holes: tuple[str, ...] = ("center", "pattern", "random 80%", "left half")
    images: int = 100
    seed: int = 0


PRESETS = {
    "paper": Config(),
    "smoke": Config(data=("Fashion-MNIST",), holes=("center", "left half"), images=6),
}


@dataclass(frozen=True)
class Filled:
    """All methods on one kind of holes: rows of scores, and what a figure shows."""

    data: str
    holes: str
    rows: list[Row]
    x: Tensor
    mask: Tensor
    images: dict[str, Tensor]


def fill(config: Config) -> Iterator[Filled]:
    """Fill the holes of every kind in the images of every data set whose prior is there."""
    revision = git_revision()
    for name in config.data:
        data = DATA[name]
        prior = load_prior(data.prior)
        if prior is None:
            continue
        images = held_out(data, config.images)
        x, methods = images.floats(), other_methods(data, prior)
        for holes in config.holes:
            begin = time.perf_counter()
            mask = draw_masks(holes, images.shape, len(x), config.seed)
            physics = physics_of(mask, images.shape)
            filled = fill_holes(methods, prior, physics.A(x), physics, config.seed)
            tail = {
                "seed": config.seed,
                "data_sha256": images.sha256[:12],
                "prior_sha256": prior.card["weights_sha256"][:12],
                "revision": revision,
            }
            rows = [
                row
                for method, x_hat in filled.items()
                for row in score_rows(
                    {"data": name, "holes": holes, "method": method}, x_hat, x, images.names, tail
                )
            ]
            print(f"{name}, {holes}: {time.perf_counter() - begin:.0f} s", flush=True)
            yield Filled(name, holes, rows, x, mask, filled)


def run(config: Config) -> Iterator[Row]:
    """Yield one row per data set, kind of holes, method and image."""
    for filled in fill(config):
        yield from filled.rows


def claims(rows: list[Row]) -> list[Row]:
    """SSIM of ours less that of each other method, with the interval of the mean difference."""
    table = []
    for data in values_of(rows, "data"):
        for holes in values_of(rows, "holes"):
            where = {"data": data, "holes": holes}
            ours = column(rows, "ssim", **where, method="ours")
            others = {m: column(rows, "ssim", **where, method=m) for m in values_of(rows, "method")}
            cells = {
                f"ours - {method}": mean_cell(ours - other, "+.3f")
                for method, other in others.items()
                if method != "ours" and len(other)
            }
            if cells:
                table.append({**where, **cells})
    return table


def tables(rows: list[Row]) -> dict[str, list[Row]]:
    """Every summary of the rows, by the name of its file."""
    lines = ("data", "holes")
    found = {metric: tabulate(rows, metric, lines, "method") for metric in ("psnr", "ssim")}
    return {**found, "claims": claims(rows)}


def main() -> None:
    """Run a preset and write its results."""
    preset, out = asked("methods", __doc__ or "", PRESETS)
    config = PRESETS[preset]
    rows: list[Row] = []
    blocks: dict[str, list[Block]] = {}
    for filled in fill(config):
        rows += filled.rows
        block = Block(filled.holes, filled.x, filled.mask, filled.images)
        blocks.setdefault(filled.data, []).append(block)
        # As they come: the run is long.
        write_results(out, preset, config, rows, tables(rows))
        draw_grid(out / f"{filled.data.lower()}.png", blocks[filled.data])


if __name__ == "__main__":
    main()
