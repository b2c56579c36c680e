"""Peak memory of CSGM, from 784 to 3.1 million values and from 10 to a million measurements.

Claim: each solve of the default effort stays under 2 GB in float32, whatever the size of the
images: the bank of starts, tangents, Jacobians and chunks are bounded. A matrix is the user's own
and comes on top: of m = 10,000 at n = 12,288 it is 492 MB, and for larger images there are physics
without one.

Each solve runs in a process of its own, on a DCGAN with random weights, and computes what is
computed once per prior. Memory is the high-water mark of the resident set, as the kernel keeps it
(``VmHWM``), with torch itself, which is 0.5 GB and more; pages of the bank's file that are mapped
count as well. Linux only. Each solve has few steps, of every kind that the effort has: further ones
need no further memory.

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

from experiments.benchmarks.random_prior import random_prior
from experiments.rows import Row
from experiments.sweep.figure import Tables, declare
from ganprior import CSGM, make_physics
from ganprior.jobs import Cell
from ganprior.solvers import BALANCED, Descend, Polish, Rounds

ROOT = Path(__file__).parents[2]
LIMIT_GB = 2.0
PEAK = "GB at the peak"
RESTARTS = 4


@dataclass(frozen=True)
class Case:
    """One solve: images (channels, size, size) of a DCGAN, and how they are measured."""

    physics: str
    size: int
    channels: int = 3
    k: int = 512
    filters: int = 16


@dataclass(frozen=True)
class Config:
    """What is measured; the presets are below."""

    solves: tuple[Case, ...]
    steps: int
    images: int = 1


def measure(case: Case, images: int, steps: int) -> dict[str, float]:
    """Numbers measured; peak of this process in GB, before the physics and after the solve."""
    prior = random_prior(case.size, case.channels, case.k, case.filters, seen=2)
    before = _peak()
    physics = make_physics(case.physics, prior.image_shape, 1)
    y = physics.A(prior.sample(images, 1))
    ready = _peak()
    # Fewer steps, rounds and restarts than the effort has change no peak: they come in chunks.
    effort = BALANCED.change(Descend, steps=steps).change(Polish, steps=1).change(Rounds, most=0)
    solver = CSGM(prior, 0.1, effort=effort, restarts=RESTARTS)
    solver.solve(y, physics)
    return {
        "measured": solver.known(y, physics).m[0].item(),
        "GB before A": before,
        "GB with A": ready,
        PEAK: _peak(),
    }


def _peak() -> float:
    # Not ru_maxrss: a child process inherits that of its parent.
    for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024 / 1e9
    raise RuntimeError("this kernel does not report VmHWM")


def cells(config: Config) -> list[Cell]:
    """Every solve."""
    return [Cell(one.physics, "size", one.size) for one in config.solves]


def rows(config: Config, cell: Cell) -> list[Row]:
    """The one row of a solve."""
    (case,) = [c for c in config.solves if (c.physics, c.size) == (cell.method, cell.number)]
    given = {"case": asdict(case), "images": config.images, "steps": config.steps}
    command = [sys.executable, "-m", "experiments.benchmarks.memory", json.dumps(given)]
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
    n = case.channels * case.size**2
    sizes = {"n": n, "k": case.k, "images": config.images, "m": peaks.pop("measured")}
    return [{**sizes, **{name: f"{value:.2f}" for name, value in peaks.items()}}]


def tables(found: list[Row]) -> Tables:
    """Sizes and gigabytes."""
    shown = ("n", "k", "m", "images", "GB before A", "GB with A", PEAK)
    table = [{"physics": row["method"], **{name: row[name] for name in shown}} for row in found]
    return {"summary": table}


def claims(found: list[Row]) -> dict[str, bool]:
    """The limit is kept by every solve."""
    return {f"less than {LIMIT_GB:g} GB at the peak": all(float(r[PEAK]) < LIMIT_GB for r in found)}


declare(
    __name__,
    "benchmarks/memory",
    "CSGM takes some 2 GB, whether images have 784 values or 3.1 million",
    paper=Config(
        (
            Case("gaussian:m=100", 28, 1, 20, 64),
            Case("gaussian:m=10000", 64, 3, 100, 64),
            Case("structured:m=10000", 256),
            Case("mask:center=0.25", 256),
            Case("downsample:factor=16", 256),
            Case("blur:sigma=2", 256),
            Case("structured:m=10000", 1024, filters=4),
            Case("mask:center=0.25", 1024, filters=4),
            Case("downsample:factor=16", 1024, filters=4),
            Case("blur:sigma=2", 1024, filters=4),
        ),
        steps=3,
    ),
    smoke=Config((Case("gaussian:m=20", 8, 1, 4, 2), Case("blur:sigma=1", 16, 1, 4, 2)), steps=2),
    column=PEAK,
    timed=True,
)
if __name__ == "__main__":
    asked = json.loads(sys.argv[1])
    print(json.dumps(measure(Case(**asked["case"]), asked["images"], asked["steps"])))
