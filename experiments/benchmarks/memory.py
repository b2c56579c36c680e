"""Peak memory of CSGM where A is large: m = 10,000 and n = 12,288 (64 x 64 in colour).

Claim: the default effort stays under 2.5 GB in float32, of which A itself is 492 MB.

The solve runs in a process of its own, on a DCGAN with random weights (k = 100), and computes its
bank of starts. Memory is the high-water mark of the resident set, as the kernel keeps it
(``VmHWM``); pages of the bank's file that are mapped count as well. Linux only.

    ganprior figure benchmarks/memory --preset paper
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

import torch

from experiments.benchmarks.random_prior import random_prior
from experiments.rows import Row
from experiments.sweep.figure import Tables, declare
from ganprior import CSGM
from ganprior.jobs import Cell
from ganprior.physics import Gaussian

ROOT = Path(__file__).parents[2]
LIMIT_GB = 2.5
PEAK = "GB at the peak"


@dataclass(frozen=True)
class Config:
    """What is measured; the presets are below."""

    m: int = 10_000
    size: int = 64
    channels: int = 3
    k: int = 100
    filters: int = 64
    images: int = 2


def measure(config: Config) -> dict[str, float]:
    """Peak of this process in GB, before the physics and after the solve."""
    prior = random_prior(config.size, config.channels, config.k, config.filters)
    rng = torch.Generator().manual_seed(1)
    before = _peak()
    physics = Gaussian(config.m, prior.image_shape, rng)
    y = physics.A(prior.sample(config.images, rng))
    ready = _peak()
    CSGM(prior, 0.1).solve(y, physics)
    return {"GB before A": before, "GB with A": ready, PEAK: _peak()}


def _peak() -> float:
    # Not ru_maxrss: a child process inherits that of its parent.
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024 / 1e9
    raise RuntimeError("this kernel does not report VmHWM")


def cells(config: Config) -> list[Cell]:
    """The one cell."""
    return [Cell("balanced", "m", config.m)]


def rows(config: Config, cell: Cell) -> list[Row]:
    """The one row."""
    command = [sys.executable, "-m", "experiments.benchmarks.memory", json.dumps(asdict(config))]
    with tempfile.TemporaryDirectory() as cache:
        child = subprocess.run(
            command,
            cwd=ROOT,
            env={**os.environ, "GANPRIOR_CACHE": cache},
            capture_output=True,
            text=True,
            check=False,
        )
    if child.returncode:
        raise RuntimeError(f"the measured process failed: {child.stderr.strip()[-400:]}")
    peaks = json.loads(child.stdout.splitlines()[-1])
    n = config.channels * config.size**2
    sizes = {"n": n, "k": config.k, "images": config.images}
    gigabytes = {"GB of A": 4 * config.m * n / 1e9, **peaks}
    return [{**sizes, **{name: f"{value:.2f}" for name, value in gigabytes.items()}}]


def tables(found: list[Row]) -> Tables:
    """Sizes and gigabytes."""
    shown = ("m", "n", "k", "images", "GB of A", "GB before A", "GB with A", PEAK)
    return {"summary": [{name: row[name] for name in shown} for row in found]}


def claims(found: list[Row]) -> dict[str, bool]:
    """The limit is kept."""
    return {f"less than {LIMIT_GB} GB at the peak": float(found[0][PEAK]) < LIMIT_GB}


declare(
    __name__,
    "benchmarks/memory",
    "with 10,000 measurements of 12,288 values CSGM stays under 2.5 GB",
    paper=Config(),
    smoke=Config(m=20, size=8, channels=1, k=4, filters=2, images=1),
    column=PEAK,
)
if __name__ == "__main__":
    print(json.dumps(measure(Config(**json.loads(sys.argv[1])))))
