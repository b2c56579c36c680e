"""Utilisation of the CPU: FLOP/s of the engine's inner steps over those of a matrix product.

Claim: objective and gradient of CSGM (m = 100, 28 x 28 DCGAN) reach at least 40% of the matrix
product's FLOP/s at batches of 128 and more. Beside it, the Jacobian of the polish.

FLOPs are counted by torch's ``FlopCounterMode``, which knows convolutions, transposed ones, their
gradients, and both inside ``jvp`` under ``vmap``: on this generator its count is that of the
formula 2 * inputs * outputs * taps * grid for every layer (a test holds the two together). The peak
is that of one large ``torch.mm`` in the same precision. Step and product take turns, since the
speed of a shared machine drifts; the utilisation is the median over the turns.

    python -m experiments.benchmarks.utilisation --preset paper

writes ``results/utilisation.csv``, a row per step and batch, in about a minute on two CPU cores.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch.utils.flop_counter import FlopCounterMode

from experiments.benchmarks.command import run_preset
from experiments.benchmarks.machine import clocked, machine
from experiments.rows import Row, git_revision
from ganprior import CSGM, Prior
from ganprior.physics import Gaussian
from ganprior.solvers import engine


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


def steps(config: Config) -> Iterator[tuple[str, int, Callable[[], object]]]:
    """Each inner step by name, with its batch."""
    prior = Prior.load(config.prior)
    rng = torch.Generator().manual_seed(0)
    physics = Gaussian(config.m, prior.image_shape, rng)
    solver = CSGM(prior)

    def problem(batch: int) -> tuple[engine.Problem, torch.Tensor]:
        y = physics.A(prior.sample(batch, rng))
        z = prior.latent.sample(batch, rng)
        return engine.Problem(prior, solver.objective_for(y, physics), y, physics), z

    for batch in config.batches:
        part, z = problem(batch)
        yield (
            "objective and gradient",
            batch,
            lambda part=part, z=z: part.value_and_gradient(z[None]),  # type: ignore[misc]
        )
    part, z = problem(config.jacobian_batch)
    yield "Jacobian", config.jacobian_batch, lambda: part.residual_and_jacobian(z)


def run(config: Config) -> Iterator[Row]:
    """Yield one row per step and batch."""
    revision = git_revision()
    work = 2 * config.product_size**3
    for name, batch, step in steps(config):
        count = flops(step)
        taken = turns(step, config.product_size, config.runs)
        seconds, product = (statistics.median(column) for column in zip(*taken, strict=True))
        share = statistics.median(count / own * other / work for own, other in taken)
        yield {
            "step": name,
            "batch": batch,
            "MFLOP per image": f"{count / batch / 1e6:.1f}",
            "ms per image": f"{1e3 * seconds / batch:.3f}",
            "GFLOP/s": f"{count / seconds / 1e9:.0f}",
            "matrix product, GFLOP/s": f"{work / product / 1e9:.0f}",
            "utilisation": f"{share:.0%}",
            "m": config.m,
            "precision": "float32",
            "runs": config.runs,
            "prior": config.prior,
            **machine(),
            "revision": revision,
        }


if __name__ == "__main__":
    run_preset("utilisation", __doc__ or "", PRESETS, run)
