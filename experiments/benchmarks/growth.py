"""Growth of the engine's seconds with images, restarts, m, n and k.

Claim: nothing grows worse than linearly in the number of images.

Every solve does the same work: a bank of starts that is there already, a fixed number of L-BFGS
steps on all restarts and one Levenberg-Marquardt step on each, with no race and no early stop, on
DCGANs with random weights. One number is varied, the others keep their base. The exponent is the
slope of a straight line through log seconds against log size, by least squares; where a cost has a
constant part, as that of A has in m, it is below that of the part that grows.

    python -m experiments.benchmarks.growth --preset paper

writes ``results/growth.csv``, a row per point, and ``growth_summary.csv`` with the exponents, in
less than two minutes on two CPU cores.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch

from experiments.benchmarks.command import run_preset
from experiments.benchmarks.machine import machine, timed
from experiments.benchmarks.random_prior import random_prior
from experiments.rows import Row, git_revision
from ganprior import BALANCED, CSGM, Effort
from ganprior.physics import Gaussian


@dataclass(frozen=True)
class Point:
    """The size of one solve; n is ``side`` squared."""

    images: int = 8
    restarts: int = 2
    m: int = 100
    side: int = 32
    k: int = 64

    @property
    def n(self) -> int:
        """Pixels of an image."""
        return self.side**2


@dataclass(frozen=True)
class Config:
    """What is measured; the presets are below."""

    base: Point = Point()
    images: tuple[int, ...] = (8, 16, 32, 64, 128)
    restarts: tuple[int, ...] = (1, 2, 4, 8, 16)
    m: tuple[int, ...] = (25, 50, 100, 200, 400, 800)
    side: tuple[int, ...] = (16, 32, 64, 128)
    k: tuple[int, ...] = (16, 32, 64, 128, 256)
    filters: int = 16
    steps: int = 20
    bank: int = 512
    runs: int = 3


PRESETS = {
    "paper": Config(),
    "smoke": Config(
        base=Point(images=2, m=10, side=8, k=4),
        images=(2, 4),
        restarts=(1, 2),
        m=(5, 10),
        side=(8, 16),
        k=(2, 4),
        filters=2,
        steps=2,
        bank=8,
        runs=1,
    ),
}

AXES = {"images": "images", "restarts": "restarts", "m": "m", "side": "n", "k": "k"}


def solve_seconds(point: Point, config: Config) -> float:
    """Median seconds of a solve; the bank is computed in a run that does not count."""
    prior = random_prior(point.side, 1, point.k, config.filters)
    rng = torch.Generator().manual_seed(1)
    physics = Gaussian(point.m, prior.image_shape, rng)
    y = physics.A(prior.sample(point.images, rng))
    solver = CSGM(prior, 0.1, effort=effort(point.restarts, config))
    return statistics.median(timed(lambda: solver.solve(y, physics), config.runs))


def effort(restarts: int, config: Config) -> Effort:
    """Balanced, with the work the same for every signal."""
    return replace(
        BALANCED,
        restarts=restarts,
        steps=config.steps,
        bank=config.bank,
        race=(),
        tolerance=0.0,
        polish_steps=1,
    )


def run(config: Config) -> Iterator[Row]:
    """Yield one row per size along each axis."""
    about = {"runs": config.runs, **machine(), "revision": git_revision()}
    for field, axis in AXES.items():
        for value in getattr(config, field):
            point = replace(config.base, **{field: value})
            seconds = solve_seconds(point, config)
            yield {
                "axis": axis,
                "value": getattr(point, axis),
                "seconds": f"{seconds:.4f}",
                **{name: getattr(point, name) for name in AXES.values()},
                **about,
            }


def exponent(rows: list[Row]) -> float:
    """Slope of log seconds against log value, by least squares."""
    value = np.log([float(row["value"]) for row in rows])
    seconds = np.log([float(row["seconds"]) for row in rows])
    return float(np.polyfit(value, seconds, 1)[0])


def summarise(rows: list[Row]) -> list[Row]:
    """Exponent of every axis."""
    table = []
    for axis in dict.fromkeys(row["axis"] for row in rows):
        group = [row for row in rows if row["axis"] == axis]
        table.append(
            {
                "seconds against": axis,
                "from": group[0]["value"],
                "to": group[-1]["value"],
                "seconds from": f"{float(group[0]['seconds']):.2f}",
                "seconds to": f"{float(group[-1]['seconds']):.2f}",
                "exponent": f"{exponent(group):.2f}",
            }
        )
    return table


if __name__ == "__main__":
    run_preset("growth", __doc__ or "", PRESETS, run, summarise)
