"""Utilisation of the CPU: FLOP/s of the engine's inner steps over those of a matrix product.

Claim: objective and gradient of CSGM (m = 100, 28 x 28 DCGAN) reach at least 40% of the matrix
product's FLOP/s at batches of 128 and more. Beside it, the Jacobian of the polish.

FLOPs are counted by torch's ``FlopCounterMode``, which knows convolutions, transposed ones, their
gradients, and both inside ``jvp`` under ``vmap``: on this generator its count is that of the
formula 2 * inputs * outputs * taps * grid for every layer (a test holds the two together). The peak
is that of one large ``torch.mm`` in the same precision. Step and product take turns, since the
speed of a shared machine drifts; the utilisation is the median over the turns.

    ganprior figure benchmarks/utilisation --preset paper
"""

from __future__ import annotations

import statistics
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch.utils.flop_counter import FlopCounterMode

from experiments.images import load_prior
from experiments.rows import Row
from experiments.sweep.clock import clocked
from experiments.sweep.figure import Tables, declare
from ganprior import CSGM
from ganprior.jobs import Cell, grid
from ganprior.physics import Gaussian
from ganprior.solvers import engine

STEP, JACOBIAN = "objective and gradient", "Jacobian"
LARGE = 128  # batch


@dataclass(frozen=True)
class Config:
    """What is measured; the presets are below."""

    prior: str = "fashion-mnist-dcgan"
    m: int = 100
    batches: tuple[int, ...] = (64, 128, 256, 640)
    jacobian_batch: int = 16
    product_size: int = 3072
    runs: int = 15


PRESETS = {
    "paper": Config(),
    "smoke": Config(batches=(4,), jacobian_batch=2, product_size=64, runs=1),
}


def cells(config: Config) -> list[Cell]:
    """A cell per inner step and batch, with the matrix product beside it."""
    return [*grid([STEP], "batch", config.batches), Cell(JACOBIAN, "batch", config.jacobian_batch)]


def flops(function: Callable[[], object]) -> int:
    """Floating-point operations of a call, those of matrix products and convolutions."""
    with FlopCounterMode(display=False) as counter:
        function()
    return int(counter.get_total_flops())


def turns(step: Callable[[], object], size: int, runs: int) -> list[tuple[float, float]]:
    """Seconds of a step and of a float32 product of two square matrices, taking turns."""
    rng = torch.Generator().manual_seed(0)
    a, b = torch.randn(2, size, size, generator=rng)
    step()
    torch.mm(a, b)
    return [(clocked(step)[0], clocked(lambda: torch.mm(a, b))[0]) for _ in range(runs)]


def step_of(config: Config, cell: Cell) -> Callable[[], object]:
    """Inner step of a cell."""
    prior = load_prior(config.prior)
    rng = torch.Generator().manual_seed(0)
    physics = Gaussian(config.m, prior.image_shape, rng)
    batch = int(cell.number)
    y = physics.A(prior.sample(batch, rng))
    z = prior.latent.sample(batch, rng)
    problem = engine.Problem(prior, CSGM(prior).objective_for(y, physics), y, physics)
    if cell.method == JACOBIAN:
        return lambda: problem.residual_and_jacobian(z)
    return lambda: problem.value_and_gradient(z[None])


def rows(config: Config, cell: Cell) -> list[Row]:
    """The one row of a step and batch."""
    step, batch = step_of(config, cell), int(cell.number)
    work, count = 2 * config.product_size**3, flops(step)
    taken = turns(step, config.product_size, config.runs)
    seconds, product = (statistics.median(column) for column in zip(*taken, strict=True))
    share = statistics.median(count / own * other / work for own, other in taken)
    return [
        {
            "MFLOP per image": f"{count / batch / 1e6:.1f}",
            "ms per image": f"{1e3 * seconds / batch:.3f}",
            "GFLOP/s": f"{count / seconds / 1e9:.0f}",
            "matrix product, GFLOP/s": f"{work / product / 1e9:.0f}",
            "utilisation": f"{share:.4f}",
            "m": config.m,
            "runs": config.runs,
            "prior_sha256": load_prior(config.prior).card["weights_sha256"][:12],
        }
    ]


def tables(found: list[Row]) -> Tables:
    """Arithmetic and its share of the peak per step and batch."""
    shown = ("MFLOP per image", "ms per image", "GFLOP/s", "matrix product, GFLOP/s")
    return {
        "summary": [
            {
                "step": row["method"],
                "batch": row["batch"],
                **{name: row[name] for name in shown},
                "utilisation": f"{float(row['utilisation']):.0%}",
            }
            for row in found
        ]
    }


def claims(found: list[Row]) -> dict[str, bool]:
    """At least 40% of the matrix product in large batches."""
    own = [row for row in found if row["method"] == STEP and int(row["batch"]) >= LARGE]
    return {
        f"{STEP} reach 40% of the matrix product at batches of {LARGE} and more": all(
            float(row["utilisation"]) >= 0.4 for row in own
        )
    }


declare(
    __name__,
    "benchmarks/utilisation",
    "the engine's inner steps reach 40% of a matrix product's speed",
    **PRESETS,
    column="utilisation",
    timed=True,
)
