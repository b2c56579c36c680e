"""Reconstructions per second on a GPU: 64 x 64 in colour, k = 100, m = 500.

Claim: a larger batch gives more of them. The generator is a DCGAN with random weights, which costs
what a trained one does; signals are its own images. Seconds are those between two CUDA events, with
the bank of starts computed before.

    ganprior figure benchmarks/gpu --preset paper --device cuda
"""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from functools import partial

import torch

from experiments.benchmarks.random_prior import random_prior
from experiments.intervals import grouped
from experiments.rows import Row
from experiments.sweep.clock import timed
from experiments.sweep.device import current_device
from experiments.sweep.figure import Tables, declare
from ganprior import CSGM
from ganprior.jobs import Cell, grid
from ganprior.physics import Gaussian
from ganprior.solvers import EFFORTS

SPEED = "reconstructions per second"


@dataclass(frozen=True)
class Config:
    """What is measured; the presets are below."""

    m: int = 500
    size: int = 64
    channels: int = 3
    k: int = 100
    filters: int = 64
    batches: tuple[int, ...] = (64, 512)
    efforts: tuple[str, ...] = ("fast", "balanced")
    runs: int = 3


def cells(config: Config) -> list[Cell]:
    """A cell per batch, with all efforts in it."""
    return grid(["all"], "batch", config.batches)


def rows(config: Config, cell: Cell) -> list[Row]:
    """One row per effort."""
    device, batch = current_device(), int(cell.number)
    prior = random_prior(config.size, config.channels, config.k, config.filters).to(device)
    rng = torch.Generator().manual_seed(1)
    physics = Gaussian(config.m, prior.image_shape, rng).to(device)
    y = physics.A(prior.render(prior.latent.sample(batch, rng).to(device)))
    found = []
    for name in config.efforts:
        solve = partial(CSGM(prior, 0.1, effort=EFFORTS[name]).solve, y, physics)
        taken = statistics.median(timed(solve, config.runs))
        found.append(
            {
                "method": name,
                "seconds_per_batch": f"{taken:.3f}",
                SPEED: f"{batch / taken:.1f}",
                "m": config.m,
                "n": config.channels * config.size**2,
                "k": config.k,
                "runs": config.runs,
            }
        )
    return found


def tables(found: list[Row]) -> Tables:
    """One line per batch and effort."""
    columns = {"device": "device", "method": "effort", "batch": "batch"}
    columns |= {"seconds_per_batch": "seconds", SPEED: SPEED}
    return {"summary": [{new: row[old] for old, new in columns.items()} for row in found]}


def claims(found: list[Row]) -> dict[str, bool]:
    """More images in a batch, more per second."""
    held = {}
    for (effort,), own in grouped(found, ["method"]).items():
        speeds = [float(row[SPEED]) for row in sorted(own, key=lambda row: int(row["batch"]))]
        held[f"{effort}: a larger batch gives more per second"] = speeds == sorted(speeds)
    return held


declare(
    __name__,
    "benchmarks/gpu",
    "reconstructions per second on a GPU, 64 x 64 in colour",
    paper=Config(),
    smoke=Config(m=10, size=8, k=4, filters=2, batches=(2,), efforts=("fast",), runs=1),
    column=SPEED,
    needs_gpu=True,
    timed=True,
)
