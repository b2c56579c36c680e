"""Growth of the engine's seconds with images, restarts, m, n and k.

Claim: nothing grows worse than linearly in the number of images.

Every solve does the same work: a bank of starts that is there already, a fixed number of L-BFGS
steps on all restarts and one Levenberg-Marquardt step on each, with no race and no early stop, on
DCGANs with random weights. One number is varied, the others keep their base. The exponent is the
slope of a straight line through log seconds against log size, by least squares; where a cost has a
constant part, as that of A has in m, it is below that of the part that grows.

    ganprior figure benchmarks/growth --preset paper
"""

from __future__ import annotations

import statistics
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from experiments import plots
from experiments.benchmarks.random_prior import random_prior
from experiments.intervals import grouped
from experiments.rows import Row
from experiments.sweep.clock import timed
from experiments.sweep.figure import Tables, declare
from ganprior import BALANCED, CSGM, Effort
from ganprior.jobs import Cell
from ganprior.physics import Gaussian
from ganprior.solvers import Descend, FromBank, Polish


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


SMOKE = Config(
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
)
AXES = {"images": "images", "restarts": "restarts", "m": "m", "side": "n", "k": "k"}


def cells(config: Config) -> list[Cell]:
    """A cell per axis, with all sizes along it."""
    return [Cell(axis) for axis in AXES.values()]


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
    own = BALANCED.replace(restarts=restarts, steps=config.steps)
    own = own.change(FromBank, entries=config.bank)
    return own.change(Descend, keep=(), tolerance=0.0).change(Polish, steps=1)


def rows(config: Config, cell: Cell) -> list[Row]:
    """One row per size along the axis."""
    [field] = [field for field, axis in AXES.items() if axis == cell.method]
    found = []
    for value in getattr(config, field):
        point = replace(config.base, **{field: value})
        found.append(
            {
                "value": getattr(point, cell.method),
                "seconds_per_solve": f"{solve_seconds(point, config):.4f}",
                **{name: getattr(point, name) for name in AXES.values()},
                "runs": config.runs,
            }
        )
    return found


def exponent(rows: list[Row]) -> float:
    """Slope of log seconds against log value, by least squares."""
    value = np.log([float(row["value"]) for row in rows])
    seconds = np.log([float(row["seconds_per_solve"]) for row in rows])
    return float(np.polyfit(value, seconds, 1)[0])


def tables(found: list[Row]) -> Tables:
    """Exponent of every axis."""
    return {
        "summary": [
            {
                "seconds against": axis,
                "from": group[0]["value"],
                "to": group[-1]["value"],
                "seconds from": f"{float(group[0]['seconds_per_solve']):.2f}",
                "seconds to": f"{float(group[-1]['seconds_per_solve']):.2f}",
                "exponent": f"{exponent(group):.2f}",
            }
            for (axis,), group in grouped(found, ["method"]).items()
        ]
    }


def claims(found: list[Row]) -> dict[str, bool]:
    """Linear at most in the number of images."""
    own = [row for row in found if row["method"] == "images"]
    return {"seconds grow no worse than linearly in the number of images": exponent(own) <= 1}


def plot(found: list[Row], path: Path) -> None:
    """Seconds against every size, over those of the smallest."""
    figure, [axes] = plots.new_figure()
    for (axis,), own in grouped(found, ["method"]).items():
        sizes, seconds = (
            [float(row[column]) / float(own[0][column]) for row in own]
            for column in ("value", "seconds_per_solve")
        )
        axes.plot(sizes, seconds, marker="o", ms=4, label=f"{axis} from {own[0]['value']}")
    axes.set(xscale="log", yscale="log", xlabel="times the size", ylabel="times the seconds")
    axes.legend(fontsize=7)
    plots.save(figure, path)


declare(
    __name__,
    "benchmarks/growth",
    "seconds grow no worse than linearly in the number of images",
    paper=Config(),
    smoke=SMOKE,
    timed=True,
)
