"""Reconstructions per second on a GPU: 64 x 64 in colour, k = 100, m = 500.

No claim is made before it has been measured. The generator is a DCGAN with random weights, which
costs what a trained one does; signals are its own images. Seconds are those between two CUDA
events, with the bank of starts computed before.

    python -m experiments.benchmarks.gpu --preset paper

writes ``results/gpu.csv``; without a GPU it says so in one line and writes nothing.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from dataclasses import dataclass

import torch

from experiments.benchmarks.command import run_preset
from experiments.benchmarks.machine import machine, timed
from experiments.benchmarks.random_prior import random_prior
from experiments.rows import Row, git_revision
from ganprior import CSGM
from ganprior.physics import Gaussian
from ganprior.solvers import EFFORTS


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
    device: str = "cuda"


PRESETS = {
    "paper": Config(),
    "smoke": Config(m=10, size=8, k=4, filters=2, batches=(2,), efforts=("fast",), runs=1),
}


def run(config: Config) -> Iterator[Row]:
    """Yield one row per batch and effort; none without the device."""
    if config.device == "cuda" and not torch.cuda.is_available():
        print("no GPU: reconstructions per second are not measured")
        return
    revision = git_revision()
    prior = random_prior(config.size, config.channels, config.k, config.filters).to(config.device)
    rng = torch.Generator().manual_seed(1)
    physics = Gaussian(config.m, prior.image_shape, rng).to(config.device)
    for batch in config.batches:
        z = prior.latent.sample(batch, rng).to(config.device)
        y = physics.A(prior.render(z))
        for name in config.efforts:
            solver = CSGM(prior, 0.1, effort=EFFORTS[name])
            solve = lambda solver=solver, y=y: solver.solve(y, physics)  # noqa: E731
            seconds = statistics.median(timed(solve, config.runs, device=config.device))
            yield {
                "effort": name,
                "batch": batch,
                "seconds": f"{seconds:.3f}",
                "reconstructions per second": f"{batch / seconds:.1f}",
                "m": config.m,
                "n": z.new_empty(prior.image_shape).numel(),
                "k": config.k,
                "runs": config.runs,
                **machine(config.device),
                "revision": revision,
            }


if __name__ == "__main__":
    run_preset("gpu", __doc__ or "", PRESETS, run)
