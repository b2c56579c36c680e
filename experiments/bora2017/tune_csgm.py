"""Tune CSGM's latent weight lambda on images that no reported figure uses.

For each number of measurements and noise level, every weight of a grid is tried on some of the
last 1,000 Fashion-MNIST training images. Writes ``results/tuning/csgm.csv``, a row for every
weight tried, and the chosen ones, which ship as ``ganprior/solvers/latent_weights.csv``.

    python -m experiments.bora2017.tune_csgm --data FOLDER

takes about ten minutes on two CPU cores.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from experiments.rows import Row, git_revision, write_csv
from ganprior import BALANCED, CSGM, Prior, Streams, load_images
from ganprior.metrics import per_pixel_error
from ganprior.physics import Gaussian, add_noise
from ganprior.streams import derive_seed

HERE = Path(__file__).parent
TABLE = HERE.parents[1] / "ganprior" / "solvers" / "latent_weights.csv"
# The polish brings the objective down by a last few percent and leaves the error where it is, at
# most of the cost where m is small.
EFFORT = replace(BALANCED, polish_steps=0)
# Of weights whose errors are this close the smallest is taken: the difference is chance.
TIE = 1.01


@dataclass(frozen=True)
class Config:
    """What is tuned; the presets are below."""

    prior: str = "fashion-mnist-dcgan"
    measurements: tuple[int, ...] = (10, 25, 100, 300, 750)
    noise_levels: tuple[float, ...] = (0.0, 1.0)  # sqrt(m) noise_std
    weights: tuple[float, ...] = (0.0, 0.03, 0.1, 0.3, 1.0, 3.0)
    images: int = 16
    seed: int = 1_000_003  # of A, noise and choice of images; reported runs have small seeds


PRESETS = {
    "paper": Config(),
    "smoke": Config(measurements=(100,), noise_levels=(0.0,), weights=(0.0, 0.1), images=4),
}


def run(config: Config, data: str) -> Iterator[Row]:
    """Yield one row for every weight tried."""
    last = load_images(data, split="train").select(59_000)
    rng = torch.Generator().manual_seed(derive_seed(config.seed, "images"))
    chosen = torch.randperm(len(last), generator=rng)[: config.images].sort().values
    x = last.floats()[chosen]
    prior = Prior.load(config.prior)
    revision = git_revision()
    streams = Streams(config.seed, chosen.tolist())
    for m in config.measurements:
        rng = torch.Generator().manual_seed(derive_seed(config.seed, "physics", m))
        physics = Gaussian(m, last.shape, rng)
        for level in config.noise_levels:
            noise_std = level / math.sqrt(m)
            y = add_noise(physics.A(x), noise_std, streams)
            for weight in config.weights:
                solution = CSGM(prior, weight, effort=EFFORT).solve(y, physics, rng=streams)
                yield {
                    "m": m,
                    "n": x[0].numel(),
                    "noise_level": level,
                    "latent_weight": weight,
                    "mean_per_pixel_error": round(per_pixel_error(solution.x, x).mean().item(), 7),
                    "images": len(x),
                    "seed": config.seed,
                    "prior": config.prior,
                    "prior_sha256": prior.card["weights_sha256"][:12],
                    "data_sha256": last.sha256[:12],
                    "revision": revision,
                }


def choose(rows: list[Row]) -> list[Row]:
    """Per m and noise level, the smallest weight that is as good as the best."""
    groups: dict[tuple[int, int, float], list[Row]] = {}
    for row in rows:
        groups.setdefault((row["m"], row["n"], row["noise_level"]), []).append(row)
    table = []
    for (m, n, level), group in sorted(groups.items()):
        best = min(row["mean_per_pixel_error"] for row in group)
        good = [row for row in group if row["mean_per_pixel_error"] <= TIE * best]
        weight = min(row["latent_weight"] for row in good)
        table.append({"m": m, "n": n, "noise_level": level, "latent_weight": weight})
    return table


def main() -> None:
    """Run a preset; the paper preset writes the shipped table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", default="FashionMNIST", help="folder with the idx files")
    parser.add_argument("--preset", choices=sorted(PRESETS), default="paper")
    arguments = parser.parse_args()
    rows = []
    for row in run(PRESETS[arguments.preset], arguments.data):
        rows.append(row)
        print(*list(row.values())[:5], flush=True)
    if arguments.preset == "paper":
        write_csv(HERE / "results" / "tuning" / "csgm.csv", rows)
        write_csv(TABLE, choose(rows))


if __name__ == "__main__":
    main()
