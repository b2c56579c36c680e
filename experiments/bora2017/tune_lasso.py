"""Tune the weight alpha of the three Lassos on images that no reported figure uses.

For each basis, number of measurements and noise, a path of weights from large to small, each
started where the one before ended, on some of the training images that no prior was trained on.
Writes ``results/tuning/lasso.csv``, a row for every weight tried, and the chosen weights, which the
package ships as ``ganprior/baselines/alphas.csv``. Rows of another n, m or noise stay.

    python -m experiments.bora2017.tune_lasso --data FASHION_MNIST_FOLDER
    python -m experiments.bora2017.tune_lasso --preset faces --data UTKFACE_TRAIN_FOLDER
    python -m experiments.bora2017.tune_lasso --preset faces-noisy --data UTKFACE_TRAIN_FOLDER

The first takes about an hour on one core, the others, for colour images of 64 x 64 pixels,
minutes; ``--preset smoke`` takes seconds and writes no table.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from experiments.rows import Row, read_csv, write_csv
from ganprior.baselines import LassoDCT, LassoPixel, LassoWavelet
from ganprior.datasets import load_images
from ganprior.metrics import per_pixel_error
from ganprior.physics import Gaussian, add_noise
from ganprior.streams import Streams, derive_seed

HERE = Path(__file__).parent
TABLE = HERE.parents[1] / "ganprior" / "baselines" / "alphas.csv"
TRIED = HERE / "results" / "tuning" / "lasso.csv"
LASSOS = {"dct": LassoDCT, "wavelet": LassoWavelet, "pixel": LassoPixel}
# Below this share of converged signals the result is that of the step limit, not of the weight.
CONVERGED = 0.95
# A path ends where its error has risen this far above its smallest.
RISEN = 1.25
# Smaller weights take more steps: the largest one whose error is this close to the best is taken.
TIE = 1.002


@dataclass(frozen=True)
class Config:
    """What is tuned; the presets are below."""

    first: int = 59_000  # training images from this one on are for tuning
    bases: tuple[str, ...] = ("dct", "wavelet", "pixel")
    measurements: tuple[int, ...] = (10, 25, 50, 100, 200, 300, 400, 500, 750)
    noise_levels: tuple[float, ...] = (0.0, 0.1, 0.5, 2.0)  # sqrt(m) noise_std
    alphas: tuple[float, ...] = tuple(round(10 ** (1.5 - k / 4), 6) for k in range(19))
    fallen: float = 30  # a path ends where its weight is this far below the best one
    images: int = 64
    seed: int = 1_000_003  # of A, noise and choice of images; reported runs have small seeds


# UTKFace, standing in for CelebA; the paper's noise on images in [-1, 1] is 0.01, on [0, 1] half of
# that.
FACES = Config(
    first=22_000,
    bases=("dct", "wavelet"),
    measurements=(50, 100, 200, 500, 1000, 2500),
    noise_levels=(0.005,),
    alphas=tuple(round(10 ** (1 - k / 3), 6) for k in range(11)),
    fallen=4,
    images=12,
)
PRESETS = {
    "paper": Config(),
    "smoke": Config(measurements=(100,), noise_levels=(0.0,), alphas=(1.0, 0.3, 0.1), images=4),
    "faces": FACES,
    "faces-noisy": replace(FACES, measurements=(100, 500, 2500), noise_levels=(1.0,)),
}


def run(config: Config, data: str) -> Iterator[Row]:
    """Yield one row for every weight tried."""
    last = load_images(data, split="train").select(config.first)
    generator = torch.Generator().manual_seed(derive_seed(config.seed, "images"))
    chosen = torch.randperm(len(last), generator=generator)[: config.images].sort().values
    x = last.floats()[chosen]
    for m in config.measurements:
        generator = torch.Generator().manual_seed(derive_seed(config.seed, "physics", m))
        physics = Gaussian(m, x.shape[1:], generator)
        for level in config.noise_levels:
            noise_std = level / math.sqrt(m)
            y = add_noise(physics.A(x), noise_std, Streams(config.seed, chosen.tolist()))
            for basis in config.bases:
                for row in path(config, basis, y, physics, x):
                    yield (
                        {"basis": basis, "m": m, "n": x[0].numel(), "noise_level": level}
                        | row
                        | {
                            "noise_std": noise_std,
                            "images": len(x),
                            "seed": config.seed,
                            "data_sha256": last.sha256,
                        }
                    )


def path(config: Config, basis: str, y: Tensor, physics: Gaussian, x: Tensor) -> Iterator[Row]:
    """One basis, one A, one noise: the weights from large to small."""
    start, best, best_alpha = torch.zeros_like(x), math.inf, math.inf
    for alpha in config.alphas:
        solution = LASSOS[basis](alpha=alpha).solve(y, physics, start=start)
        start = solution.x
        error = per_pixel_error(solution.x, x).mean().item()
        converged = solution.status.count("converged") / len(x)
        yield {
            "alpha": alpha,
            "mean_per_pixel_error": round(error, 7),
            "converged": round(converged, 4),
            "mean_steps": round(solution.steps.float().mean().item(), 1),
        }
        if error < best:
            best, best_alpha = error, alpha
        if converged < CONVERGED or error > RISEN * best or alpha * config.fallen < best_alpha:
            return


def choose(rows: list[Row]) -> list[Row]:
    """Per basis, m and noise: the largest weight that is as good as the best."""
    groups: dict[tuple[Any, ...], list[Row]] = {}
    for row in rows:
        if row["converged"] >= CONVERGED:
            key = (row["basis"], row["m"], row["n"], row["noise_level"])
            groups.setdefault(key, []).append(row)
    table = []
    for (basis, m, n, level), group in sorted(groups.items()):
        best = min(row["mean_per_pixel_error"] for row in group)
        alpha = max(row["alpha"] for row in group if row["mean_per_pixel_error"] <= TIE * best)
        table.append({"basis": basis, "m": m, "n": n, "noise_level": level, "alpha": alpha})
    return table


def problem_of(row: Row) -> tuple[str, ...]:
    """What a weight is for, as text: pixels, measurements and noise."""
    return tuple(str(row[key]) for key in ("n", "m", "noise_level"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default="fashion-mnist", help="folder with the idx files")
    parser.add_argument("--preset", choices=sorted(PRESETS), default="paper")
    arguments = parser.parse_args()
    rows = []
    for row in run(PRESETS[arguments.preset], arguments.data):
        rows.append(row)
        print(*(row[k] for k in list(row)[:8]), flush=True)
    if arguments.preset != "smoke":
        tuned = {problem_of(row) for row in rows}
        for path, found in ((TRIED, rows), (TABLE, choose(rows))):
            others = [row for row in read_csv(path) if problem_of(row) not in tuned]
            write_csv(path, [*others, *found])


if __name__ == "__main__":
    main()
