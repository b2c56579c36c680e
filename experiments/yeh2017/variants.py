"""Semantic inpainting with one setting varied: what the ablations of Yeh et al. (2017) share."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from experiments.rows import Row, git_revision
from experiments.yeh2017.grids import Block, draw_grid
from experiments.yeh2017.setting import (
    DATA,
    RESULTS,
    draw_masks,
    held_out,
    load_prior,
    physics_of,
    score_rows,
    tabulate,
    write_results,
)
from ganprior import Effort, Prior, Streams
from ganprior.solvers import EFFORTS, InpaintingSolution, SemanticInpainting


@dataclass(frozen=True)
class Config:
    """What is run; presets are in the experiments."""

    data: str = "Fashion-MNIST"
    holes: tuple[str, ...] = ("center", "random 80%")
    images: int = 30
    effort: str = "balanced"
    seed: int = 0


PRESETS = {"paper": Config(), "smoke": Config(holes=("center",), images=4, effort="fast")}


@dataclass(frozen=True)
class Task:
    """Images with holes, and what every setting fills them with."""

    prior: Prior
    y: Tensor
    mask: Tensor
    physics: Any
    effort: Effort
    streams: Streams

    def solve(self, **settings: Any) -> InpaintingSolution:
        """Semantic inpainting with some settings that are not the default."""
        solver = SemanticInpainting(self.prior, effort=self.effort, **settings)
        return solver.solve(self.y, self.physics, rng=self.streams)


# Filled images by setting, and "raw" or "blended".
Filled = dict[tuple[str, str], Tensor]
Fill = Callable[[Task], Filled]


@dataclass(frozen=True)
class Varied:
    """Every setting on one kind of holes: rows of scores, and what a figure shows."""

    rows: list[Row]
    block: Block


def vary(config: Config, fill: Fill) -> Iterator[Varied]:
    """Fill the same holes with every setting."""
    data, revision = DATA[config.data], git_revision()
    prior = load_prior(data.prior)
    if prior is None:
        return
    images = held_out(data, config.images)
    x = images.floats()
    for holes in config.holes:
        mask = draw_masks(holes, images.shape, len(x), config.seed)
        physics = physics_of(mask, images.shape)
        effort, streams = EFFORTS[config.effort], Streams(config.seed)
        filled = fill(Task(prior, physics.A(x), mask, physics, effort, streams))
        rows = []
        for (setting, result), x_hat in filled.items():
            head = {"data": config.data, "holes": holes, "result": result, "setting": setting}
            tail = {
                "seed": config.seed,
                "data_sha256": images.sha256[:12],
                "prior_sha256": prior.card["weights_sha256"][:12],
                "revision": revision,
            }
            logits = _logits(prior, x_hat)
            for row, logit in zip(
                score_rows(head, x_hat, x, images.names, {}), logits, strict=True
            ):
                rows.append({**row, "discriminator": round(logit, 4), **tail})
        shown = {f"{setting} {result}": x_hat for (setting, result), x_hat in filled.items()}
        print(config.data, holes, flush=True)
        yield Varied(rows, Block(holes, x, mask, shown))


@torch.no_grad()
def _logits(prior: Prior, x: Tensor) -> list[float]:
    """Raw output of the discriminator, (B,): the larger, the more real an image looks to it."""
    assert prior.discriminator is not None
    values: list[float] = prior.discriminator(prior.from_unit(x.clamp(0, 1))).tolist()
    return values


def tables(rows: list[Row]) -> dict[str, list[Row]]:
    """Every summary of the rows, by the name of its file."""
    lines = ("data", "holes", "result")
    metrics = ("psnr", "ssim", "discriminator")
    return {metric: tabulate(rows, metric, lines, "setting") for metric in metrics}


def run_preset(name: str, description: str, fill: Fill) -> None:
    """Run a preset and write its results to ``results/NAME``, or smoke's to ``runs/NAME``."""
    parser = argparse.ArgumentParser(description=description.splitlines()[0])
    parser.add_argument("--preset", choices=sorted(PRESETS), default="smoke")
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    config = PRESETS[arguments.preset]
    folder = RESULTS if arguments.preset == "paper" else Path("runs")
    out = arguments.out or folder / name
    parts = list(vary(config, fill))
    rows = [row for part in parts for row in part.rows]
    write_results(out, arguments.preset, config, rows, tables(rows))
    draw_grid(out / "figure.png", [part.block for part in parts], rows=6)
