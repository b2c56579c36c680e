"""The latent engine against its reference protocol and its peers.

Claims (held-out test images, A and prior the same for all, lambda tuned, noise 0):

- ``balanced`` reaches the error of ``reference``, ten restarts of a thousand Adam steps in one
  batch, in at most 1/20 of its seconds; ``fast`` comes within 10% of it in at most 1/60;
- deepinv's ``CSGMGenerator`` takes at least 50 times as long per image, at twice the error or more.

The committed table keeps the first; at m = 100 of clothes the error of ``balanced`` is 3% above the
reference's mean and inside its range over the starts. It keeps the second on clothes and at m = 25
of digits; at their m = 100 half of deepinv's error is below that of the generator's best image. At
64 x 64 the reference takes the paper's 500 steps, and its thousand once. The table of the GPU is
older than the tolerance of ``balanced``, and its ``fast`` counted as far what was 5e-3 ||y||^2.

Beside them: the paper's protocol as published, one restart after the other with a plain torch
loop, and scipy's L-BFGS-B image by image from one random start. Those that take an image at a time
run on the first images alone (column ``images``); their error is compared with the reference's on
those. A bank of starts is computed once per prior; its seconds are a column of their own. Generator
passes are FLOPs, counted on a few images in a run of their own, over the FLOPs of one forward pass.

    GANPRIOR_DATA=FOLDER python -m experiments.benchmarks.latent_engine --preset paper

writes ``results/latent_engine.csv`` (a row per prior, m, method and seed of the starts),
``latent_engine_summary.csv`` and ``latent_engine.png``. FOLDER holds ``utkface_64/test``. It wants
an idle machine, where the paper preset takes four hours on two CPU cores with AVX2; ``short`` is a
run of each, ``brief`` a run at m = 100 without the peers. ``gpu`` is the paper preset without peers
on a GPU, ``latent_engine_gpu.csv`` and so on. Rows are written as they come; ``--resume`` keeps the
problems (a prior at an m) that are complete there, and one that fails does not stop the others.
"""

from __future__ import annotations

import argparse
import math
import statistics
import traceback
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from experiments.benchmarks.machine import clocked, machine
from experiments.benchmarks.peers import BATCHED, SINGLE, Problem
from experiments.bora2017.held_out import FACES, UTKFACE, held_out
from experiments.rows import Row, git_revision, read_csv, write_csv
from ganprior import BALANCED, CSGM, FAST, REFERENCE, Prior, Streams
from ganprior.files import write_atomically
from ganprior.metrics import per_pixel_error
from ganprior.physics import Gaussian
from ganprior.streams import derive_seed

RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True)
class Task:
    """Reconstructions from m measurements by one prior, timed ``runs`` times from other starts."""

    prior: str
    data: str
    m: int
    images: int = 64
    runs: int = 3
    steps: int = 1000  # of the reference
    peers: tuple[str, ...] = ()
    peer_images: int = 32
    counted_images: int = 2
    device: str = "cpu"

    @property
    def rows(self) -> int:
        """Rows that a complete task has."""
        return self.runs * len(EFFORTS) + len(self.peers)


EFFORTS = {"reference": REFERENCE, "balanced": BALANCED, "fast": FAST}
DCGAN, FASHION = "fashion-mnist-dcgan", "Fashion-MNIST"
OTHERS, LONG = ("paper, restarts in turn", *SINGLE), ("reference, 1000 steps",)
SMALL = (
    Task(DCGAN, FASHION, 100, peers=OTHERS),
    Task(DCGAN, FASHION, 25),
    Task(DCGAN, FASHION, 300),
    Task("mnist", "MNIST", 100, peers=OTHERS),
    Task("mnist", "MNIST", 25, peers=("deepinv CSGMGenerator",)),  # farther from the floor
    Task("mnist", "MNIST", 300),
)

PRESETS = {
    "paper": (*SMALL, Task(FACES, UTKFACE, 500, steps=500, peers=LONG)),
    "short": tuple(replace(task, runs=1, peer_images=2) for task in SMALL),
    "brief": tuple(replace(task, runs=1, peers=()) for task in SMALL if task.m == 100),
    "gpu": (
        *(replace(task, peers=(), device="cuda") for task in SMALL),
        Task(FACES, UTKFACE, 500, device="cuda"),
    ),
    "smoke": (Task("mnist", "MNIST", 100, 3, 1, 20, OTHERS + LONG, 1, 1),),
}


def run(task: Task) -> Iterator[Row]:
    """Yield one row per method and seed of the starts."""
    prior = Prior.load(task.prior).eval().to(task.device)
    images = held_out(task.data)
    x = images.floats()[: task.images].to(task.device)
    rng = torch.Generator().manual_seed(derive_seed(0, "physics", task.m))
    physics = Gaussian(task.m, images.shape, rng).to(task.device)
    y = physics.A(x)
    weight = float(CSGM(prior).objective_for(y, physics).latent_weight)
    facts = {
        "reference_steps": task.steps,
        "latent_weight": weight,
        "prior_sha256": prior.card["weights_sha256"][:12],
        "data_sha256": images.sha256[:12],
        **machine(task.device),
        "revision": git_revision(),
    }
    for row in _rows(Problem(prior, physics, y, weight, task.steps), x, task):
        yield {"prior": task.prior, "m": task.m, **row, **facts}


def _rows(problem: Problem, x: Tensor, task: Task) -> Iterator[Row]:
    for name, effort in EFFORTS.items():
        if name == "reference":
            effort = effort.replace(steps=problem.steps)
        solver = CSGM(problem.prior, problem.weight, effort=effort)
        # The bank is there from here on.
        brief = replace(effort, steps=1, race=(), polish_steps=0)
        bank = CSGM(problem.prior, 0.0, effort=brief).solve(problem.y[:1], problem.physics)
        passes = None
        if task.device == "cpu":
            passes = _passes(solver, problem.head(task.counted_images))
        else:
            solver.solve(problem.y, problem.physics)  # chooses its kernels and records its graphs
        for seed in range(task.runs):
            solve = partial(solver.solve, problem.y, problem.physics, rng=Streams(seed))
            seconds, solution = clocked(solve, task.device)
            once = round(bank.bank_seconds, 2)
            yield _row(name, seed, solution.x, x, seconds, once, passes, task.peer_images)
    for peer in task.peers:
        few = problem if peer in BATCHED else problem.head(task.peer_images)
        seconds, images = clocked(partial((BATCHED | SINGLE)[peer], few, 0))
        yield _row(peer, 0, images, x[: len(images)], seconds, 0.0, None, task.peer_images)


def _row(
    method: str,
    seed: int,
    images: Tensor,
    x: Tensor,
    seconds: float,
    bank: float,
    passes: float | None,
    first: int,
) -> Row:
    error = per_pixel_error(images, x)
    return {
        "method": method,
        "seed": seed,
        "images": len(x),
        "mean_per_pixel_error": f"{error.mean():.6f}",
        "error_of_first": f"{error[:first].mean():.6f}",
        "median_per_pixel_error": f"{error.median():.6f}",
        "seconds_per_image": f"{seconds / len(x):.5f}",
        "bank_seconds": bank,
        "generator_passes": "" if passes is None else f"{passes:.0f}",
    }


def _passes(solver: CSGM, problem: Problem) -> float:
    """FLOPs of a solve per image over those of one forward pass of the generator."""
    with FlopCounterMode(display=False) as whole:
        solver.solve(problem.y, problem.physics)
    latents = torch.zeros(1, *problem.prior.latent.shape)
    with torch.no_grad(), FlopCounterMode(display=False) as one:
        problem.prior(latents)
    return whole.get_total_flops() / len(problem.y) / one.get_total_flops()


def summarise(rows: list[Row]) -> list[Row]:
    """Per prior, m and method: medians over the seeds, and ratios to the reference."""
    groups: dict[tuple[str, int, str], list[Row]] = {}
    for row in rows:
        groups.setdefault((row["prior"], int(row["m"]), row["method"]), []).append(row)
    table = []
    for (prior, m, method), group in groups.items():
        reference = groups[prior, m, "reference"]
        errors = _column(group, "mean_per_pixel_error")
        alike = group[0]["images"] == reference[0]["images"]
        base = _column(reference, "mean_per_pixel_error" if alike else "error_of_first")
        seconds = statistics.median(_column(group, "seconds_per_image"))
        slow = statistics.median(_column(reference, "seconds_per_image"))
        table.append(
            {
                "prior": prior,
                "m": m,
                "method": method,
                "images": group[0]["images"],
                "runs": len(group),
                "error": f"{statistics.fmean(errors):.4f}",
                "range over starts": f"{min(errors):.4f} to {max(errors):.4f}",
                "error / reference": f"{statistics.fmean(errors) / statistics.fmean(base):.3f}",
                "seconds per image": f"{seconds:.3g}",
                "times faster": f"{slow / seconds:.1f}",
                "generator passes": group[0]["generator_passes"],
                "bank, s": max(_column(group, "bank_seconds")) or "",
            }
        )
    return table


def _column(rows: list[Row], name: str) -> list[float]:
    return [float(row[name]) for row in rows]


def plot(summary: list[Row], path: Path) -> None:
    """Error against seconds per image, a panel per prior and m."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt
    from matplotlib import ticker

    panels = list(dict.fromkeys((row["prior"], row["m"]) for row in summary))
    columns = min(3, len(panels))
    lines = -(-len(panels) // columns)
    size = (3.4 * columns, 3.0 * lines)
    figure, axes = plt.subplots(lines, columns, figsize=size, squeeze=False, layout="constrained")
    names = list(dict.fromkeys(row["method"] for row in summary))
    for (prior, m), axis in zip(panels, axes.flat, strict=False):
        for row in summary:
            if (row["prior"], row["m"]) == (prior, m):
                place = float(row["seconds per image"]), float(row["error"])
                number = names.index(row["method"])
                axis.plot(*place, "osD^v<>"[number % 7], color=f"C{number}", label=row["method"])
        axis.set(xscale="log", title=f"{prior}, m = {m}", xlabel="seconds per image")
        axis.xaxis.set_minor_formatter(ticker.NullFormatter())  # they overlap
        axis.title.set_fontsize(9)
        axis.set_ylim(0, 1.15 * max(float(line.get_ydata()[0]) for line in axis.lines))
        axis.grid(alpha=0.3)
        # Whole decades, so that both ends have a number.
        low, high = (math.log10(x) for x in axis.get_xlim())
        axis.set_xlim(10 ** math.floor(low), 10 ** math.ceil(high))
    for axis in axes.flat[len(panels) :]:
        axis.set_visible(False)
    axes[0, 0].set_ylabel("per-pixel error")
    handles = {h.get_label(): h for axis in axes.flat for h in axis.lines}
    figure.legend(handles.values(), handles.keys(), fontsize=7, loc="outside lower center", ncols=3)
    write_atomically(path, lambda temporary: figure.savefig(temporary, dpi=150))
    plt.close(figure)


def complete(rows: list[Row], tasks: tuple[Task, ...]) -> list[Row]:
    """Those of the rows that belong to a task all of whose rows are there."""
    kept: list[Row] = []
    for task in tasks:
        own = [row for row in rows if (row["prior"], int(row["m"])) == (task.prior, task.m)]
        kept += own if len(own) == task.rows else []
    return kept


def main() -> None:
    """Run a preset and write its results."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--preset", choices=sorted(PRESETS), default="smoke")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--resume", action="store_true", help="keep the problems that are complete")
    arguments = parser.parse_args()
    tasks = PRESETS[arguments.preset]
    out = arguments.out or (RESULTS if arguments.preset != "smoke" else Path("runs/benchmarks"))
    name = "latent_engine_gpu" if arguments.preset == "gpu" else "latent_engine"
    path = out / f"{name}.csv"
    rows: list[Row] = complete(read_csv(path), tasks) if arguments.resume and path.is_file() else []
    done = {(row["prior"], int(row["m"])) for row in rows}
    failed = False
    for task in tasks:
        if (task.prior, task.m) in done:
            continue
        try:
            for row in run(task):
                rows.append(row)
                print(*list(row.values())[:10], flush=True)
                # As they come: the run is long.
                write_csv(path, rows)
        except Exception:
            # The others are worth having.
            traceback.print_exc()
            failed = True
    if finished := complete(rows, tasks):
        summary = summarise(finished)
        write_csv(out / f"{name}_summary.csv", summary)
        plot(summary, out / f"{name}.png")
    raise SystemExit(1 if failed else 0)


if __name__ == "__main__":
    main()
