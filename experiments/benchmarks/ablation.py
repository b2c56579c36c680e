"""What each idea of the engine buys: ``balanced`` with one of them taken away at a time.

- bank: starts are drawn at random;
- regression: starts are the bank's nearest entries alone;
- curvature: L-BFGS sets out from a multiple of the identity, with the first move that was best
  for it;
- race: all restarts run to the end, and all are polished;
- L-BFGS: Adam in its place, at the rates that were best for it (0.15 falling to 0.03);
- polish: no Levenberg-Marquardt steps at the end;
- early stopping: every signal takes all first-order steps;
- folding: the generator runs layer by layer, as it was built.

On tuning images (of the last 1,000 of Fashion-MNIST's training set) with the default lambda.
Generator passes are FLOPs, counted on a few images in a run of their own, over the FLOPs of one
forward pass; "seconds" and "objective" are means per image. Seconds are those of all cores
together, so that other work on the machine counts little, without those of the bank and of the
mean curvature, which are computed once per prior.

    python -m experiments.benchmarks.ablation --preset paper --data FOLDER

writes ``results/ablation.csv``, a row per engine and seed of the starts, and
``ablation_summary.csv``, the table, in less than two minutes on two CPU cores. The smoke preset
takes committed test images and writes no result.
"""

from __future__ import annotations

import argparse
import copy
import statistics
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from experiments.benchmarks.machine import machine
from experiments.rows import Row, git_revision, write_csv
from ganprior import BALANCED, CSGM, REFERENCE, Effort, Prior, Streams, load_images
from ganprior.metrics import per_pixel_error
from ganprior.physics import Gaussian
from ganprior.solution import Solution
from ganprior.streams import derive_seed

RESULTS = Path(__file__).parent / "results"
SAMPLE = Path(__file__).parents[2] / "data" / "fashion_mnist_test_100.npz"

WHOLE = "balanced"
EFFORTS = {
    WHOLE: BALANCED,
    "without bank": replace(BALANCED, bank=0, candidates=1),
    "without regression": replace(BALANCED, neighbours=()),
    "without mean curvature": replace(BALANCED, metric=False, learning_rate=0.5, final_rate=0.5),
    "without race": replace(BALANCED, race=()),
    "Adam, not L-BFGS": replace(
        BALANCED, descent=REFERENCE.descent, learning_rate=0.15, final_rate=0.03
    ),
    "without polish": replace(BALANCED, polish_steps=0),
    "without early stopping": replace(BALANCED, tolerance=0.0),
    "without folding": BALANCED,
}


@dataclass(frozen=True)
class Config:
    """What is measured; the presets are below."""

    prior: str = "fashion-mnist-dcgan"
    m: int = 100
    images: int = 16
    counted_images: int = 2
    seeds: tuple[int, ...] = (0, 1)  # of the starts
    images_seed: int = 1_000_003
    bank: int = BALANCED.bank
    steps: int = BALANCED.steps
    polish_steps: int = BALANCED.polish_steps


PRESETS = {
    "paper": Config(),
    "smoke": Config(images=1, counted_images=1, seeds=(0,), bank=32, steps=3, polish_steps=1),
}


def tuning_images(config: Config, data: str) -> tuple[Tensor, str]:
    """Some of the last 1,000 training images, which no reported figure uses, and their hash."""
    last = load_images(data, split="train").select(59_000)
    rng = torch.Generator().manual_seed(derive_seed(config.images_seed, "images"))
    chosen = torch.randperm(len(last), generator=rng)[: config.images].sort().values
    return last.floats()[chosen], last.sha256


def sample_images(config: Config) -> tuple[Tensor, str]:
    """Committed test images, for the smoke preset alone, and their hash."""
    images = load_images(SAMPLE, limit=config.images)
    return images.floats(), images.sha256


def unfolded(prior: Prior) -> Prior:
    """Return the prior with a generator that the engine leaves as it is: one with a hook."""
    own = copy.deepcopy(prior)
    own.generator.register_forward_hook(lambda module, inputs, images: None)
    return own


def run(config: Config, x: Tensor, data_sha256: str) -> Iterator[Row]:
    """Yield one row per engine and seed of the starts."""
    prior = Prior.load(config.prior).eval()
    rng = torch.Generator().manual_seed(derive_seed(config.images_seed, "physics", config.m))
    physics = Gaussian(config.m, prior.image_shape, rng)
    y = physics.A(x)
    facts = {
        "m": config.m,
        "images": len(x),
        "prior": config.prior,
        "prior_sha256": prior.card["weights_sha256"][:12],
        "data_sha256": data_sha256[:12],
        **machine(),
        "revision": git_revision(),
    }
    for name in EFFORTS:
        own = unfolded(prior) if name == "without folding" else prior
        effort = _sized(EFFORTS[name], config)
        # A solve that does next to nothing: the bank is there from here on.
        CSGM(own, effort=replace(effort, steps=1, race=(), polish_steps=0)).solve(y[:1], physics)
        solver = CSGM(own, effort=effort)
        passes = generator_passes(solver, y[: config.counted_images], physics)
        for seed in config.seeds:
            begin = time.process_time()
            solution = solver.solve(y, physics, rng=Streams(seed))
            seconds = time.process_time() - begin
            yield {**_row(name, seed, solution, x, seconds), "passes": f"{passes:.0f}", **facts}


def _sized(effort: Effort, config: Config) -> Effort:
    return replace(
        effort,
        bank=min(effort.bank, config.bank),
        steps=config.steps,
        polish_steps=min(effort.polish_steps, config.polish_steps),
    )


def _row(name: str, seed: int, solution: Solution, x: Tensor, seconds: float) -> Row:
    return {
        "engine": name,
        "seed": seed,
        "mean_per_pixel_error": f"{per_pixel_error(solution.x, x).mean():.6f}",
        "mean_objective": f"{solution.objective.mean():.5f}",
        "cpu_seconds_per_image": f"{seconds / len(x):.4f}",
    }


def generator_passes(solver: CSGM, y: Tensor, physics: Gaussian) -> float:
    """FLOPs of a solve per image over those of one forward pass of the generator."""
    with FlopCounterMode(display=False) as whole:
        solver.solve(y, physics)
    with torch.no_grad(), FlopCounterMode(display=False) as one:
        solver.prior(torch.zeros(1, *solver.prior.latent.shape))
    return float(whole.get_total_flops() / len(y) / one.get_total_flops())


def summarise(rows: list[Row]) -> list[Row]:
    """Means over the seeds of the starts, and seconds against those of the whole engine."""
    groups: dict[str, list[Row]] = {}
    for row in rows:
        groups.setdefault(row["engine"], []).append(row)
    mean = {
        (name, column): statistics.fmean(float(row[column]) for row in group)
        for name, group in groups.items()
        for column in ("mean_per_pixel_error", "mean_objective", "cpu_seconds_per_image", "passes")
    }
    whole = mean[WHOLE, "cpu_seconds_per_image"]
    return [
        {
            "engine": name,
            "error": f"{mean[name, 'mean_per_pixel_error']:.4f}",
            "objective": f"{mean[name, 'mean_objective']:.3f}",
            "CPU seconds per image": f"{mean[name, 'cpu_seconds_per_image']:.3f}",
            "times the seconds": f"{mean[name, 'cpu_seconds_per_image'] / whole:.2f}",
            "generator passes": f"{mean[name, 'passes']:.0f}",
        }
        for name in groups
    ]


def main() -> None:
    """Run a preset and write its results."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--preset", choices=sorted(PRESETS), default="smoke")
    parser.add_argument("--data", default="FashionMNIST", help="folder with the idx files")
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    config = PRESETS[arguments.preset]
    paper = arguments.preset == "paper"
    out = arguments.out or (RESULTS if paper else Path("runs/benchmarks"))
    x, sha256 = tuning_images(config, arguments.data) if paper else sample_images(config)
    rows = []
    for row in run(config, x, sha256):
        rows.append(row)
        print(*list(row.values())[:6], flush=True)
    write_csv(out / "ablation.csv", rows)
    write_csv(out / "ablation_summary.csv", summarise(rows))
    print(f"results in {out}")


if __name__ == "__main__":
    main()
