"""The latent engine against its reference protocol and its peers.

Claims (held-out test images, A and prior the same for all, lambda tuned, noise 0):

- ``balanced`` reaches the error of ``reference``, ten restarts of a thousand Adam steps in one
  batch, in at most 1/20 of its seconds; ``fast`` comes within 10% of it in at most 1/60;
- deepinv's ``CSGMGenerator`` takes at least 50 times as long per image, at twice the error or more.

Beside them: the paper's protocol as published, one restart after the other with a plain torch
loop, and scipy's L-BFGS-B image by image from one random start. Peers that take an image at a time
run on the first few images alone (column ``images``). A bank of starts is computed once per prior;
its seconds are a column of their own. Generator passes are FLOPs, counted on a few images in a run
of their own, over the FLOPs of one forward pass.

    python -m experiments.benchmarks.latent_engine --preset paper

writes ``results/latent_engine.csv`` (a row per prior, m, method and seed of the starts),
``latent_engine_summary.csv`` and ``latent_engine.png``. It wants an idle machine, where the paper
preset takes about an hour on two CPU cores, and ``short``, a run of each, a third of it.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from experiments.benchmarks.machine import machine
from experiments.benchmarks.peers import PEERS, Problem, one_after_the_other
from experiments.rows import Row, git_revision, write_csv
from ganprior import BALANCED, CSGM, FAST, REFERENCE, Prior, Streams, load_images
from ganprior.files import write_atomically
from ganprior.metrics import per_pixel_error
from ganprior.physics import Gaussian
from ganprior.streams import derive_seed

ROOT = Path(__file__).parents[2]
RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True)
class Config:
    """What is measured; the presets are below."""

    # Prior, held-out images, and pairs of m and of how many timed runs, each from other starts.
    problems: tuple[tuple[str, str, tuple[tuple[int, int], ...]], ...] = (
        ("fashion-mnist-dcgan", "data/fashion_mnist_test_100.npz", ((100, 3), (25, 1), (300, 1))),
        ("mnist", "data/mnist_test_100.npz", ((25, 3), (100, 3), (300, 3))),
    )
    images: int = 64
    peers_at: tuple[int, ...] = (100,)  # m at which the peers run too
    peer_images: int = 8
    counted_images: int = 4
    reference_steps: int = 1000


PRESETS = {
    "paper": Config(),
    "short": Config(
        problems=(
            ("fashion-mnist-dcgan", "data/fashion_mnist_test_100.npz", ((100, 1),)),
            ("mnist", "data/mnist_test_100.npz", ((100, 1), (25, 1), (300, 1))),
        ),
        peer_images=4,
        counted_images=2,
    ),
    "smoke": Config(
        problems=(("mnist", "data/mnist_test_100.npz", ((100, 1),)),),
        images=3,
        peer_images=1,
        counted_images=1,
        reference_steps=20,
    ),
}


def run(config: Config) -> Iterator[Row]:
    """Yield one row per prior, number of measurements, method and seed of the starts."""
    about = {**machine(), "revision": git_revision()}
    for name, data, sizes in config.problems:
        prior = Prior.load(name).eval()
        images = load_images(ROOT / data, limit=config.images)
        x = images.floats()
        facts = {
            "prior": name,
            "prior_sha256": prior.card["weights_sha256"][:12],
            "data_sha256": images.sha256[:12],
            **about,
        }
        for m, runs in sizes:
            rng = torch.Generator().manual_seed(derive_seed(0, "physics", m))
            physics = Gaussian(m, images.shape, rng)
            y = physics.A(x)
            weight = CSGM(prior).objective_for(y, physics).latent_weight
            problem = Problem(prior, physics, y, weight, config.reference_steps)
            for row in _rows(problem, x, m, runs, config):
                yield {**row, **facts}


def _rows(problem: Problem, x: Tensor, m: int, runs: int, config: Config) -> Iterator[Row]:
    reference = REFERENCE.replace(steps=problem.steps)
    for effort_name, effort in (("reference", reference), ("balanced", BALANCED), ("fast", FAST)):
        solver = CSGM(problem.prior, problem.weight, effort=effort)
        # The bank is there from here on.
        brief = replace(effort, steps=1, polish_steps=0)
        bank = CSGM(problem.prior, 0.0, effort=brief).solve(problem.y[:1], problem.physics)
        passes = _passes(solver, problem.head(config.counted_images))
        for seed in range(runs):
            begin = time.perf_counter()
            solution = solver.solve(problem.y, problem.physics, rng=Streams(seed))
            seconds = time.perf_counter() - begin
            once = round(bank.bank_seconds, 2)
            yield _row(m, effort_name, seed, solution.x, x, seconds, once, passes)
    for peer, method in PEERS.items() if m in config.peers_at else ():
        few = problem if method is one_after_the_other else problem.head(config.peer_images)
        begin = time.perf_counter()
        images = method(few, 0)
        seconds = time.perf_counter() - begin
        yield _row(m, peer, 0, images, x[: len(images)], seconds, 0.0, None)


def _row(
    m: int,
    method: str,
    seed: int,
    images: Tensor,
    x: Tensor,
    seconds: float,
    bank: float,
    passes: float | None,
) -> Row:
    error = per_pixel_error(images, x)
    return {
        "m": m,
        "method": method,
        "seed": seed,
        "images": len(x),
        "mean_per_pixel_error": f"{error.mean():.6f}",
        "median_per_pixel_error": f"{error.median():.6f}",
        "seconds_per_image": f"{seconds / len(x):.4f}",
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
        groups.setdefault((row["prior"], row["m"], row["method"]), []).append(row)
    table = []
    for (prior, m, method), group in groups.items():
        reference = groups[prior, m, "reference"]
        errors, base = (
            _column(group, "mean_per_pixel_error"),
            _column(reference, "mean_per_pixel_error"),
        )
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
                "seconds per image": f"{seconds:.3f}",
                "times faster": f"{slow / seconds:.1f}",
                "generator passes": group[0]["generator_passes"],
                "bank, s": max(row["bank_seconds"] for row in group) or "",
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
        axis.title.set_fontsize(9)
        axis.margins(y=0.1)
        axis.set_ylim(bottom=0)
        axis.grid(alpha=0.3)
    axes[0, 0].set_ylabel("per-pixel error")
    handles = {h.get_label(): h for axis in axes.flat for h in axis.lines}
    figure.legend(handles.values(), handles.keys(), fontsize=7, loc="outside lower center", ncols=3)
    write_atomically(path, lambda temporary: figure.savefig(temporary, dpi=150))
    plt.close(figure)


def main() -> None:
    """Run a preset and write its results."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--preset", choices=sorted(PRESETS), default="smoke")
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    config = PRESETS[arguments.preset]
    out = arguments.out or (RESULTS if arguments.preset != "smoke" else Path("runs/benchmarks"))
    rows = []
    for row in run(config):
        rows.append(row)
        print(row["prior"], *list(row.values())[:9], flush=True)
        # As they come: the run is long.
        write_csv(out / "latent_engine.csv", rows)
    summary = summarise(rows)
    write_csv(out / "latent_engine_summary.csv", summary)
    plot(summary, out / "latent_engine.png")


if __name__ == "__main__":
    main()
