"""Tune CSGM's latent weight lambda on images that no reported figure uses.

For each prior, number of measurements and noise level, every weight of a grid is tried on some of
the training images of the prior's data set that it was not trained on. Writes
``results/tuning/csgm.csv``, a row for every weight tried, and the chosen ones, which ship as
``ganprior/solvers/latent_weights.csv``. Rows of other priors stay.

    python -m experiments.bora2017.tune_csgm --data FOLDER
    python -m experiments.bora2017.tune_csgm --preset faces --data FOLDER

The first reads FOLDER/fashion_mnist and FOLDER/mnist and takes about fifteen minutes on a CPU core,
the second FOLDER/utkface_64, with images of 64 x 64 pixels in colour, and takes about as long.
``--prior NAME`` tunes one prior of the preset alone.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from experiments.rows import Row, git_revision, read_csv, replaced, write_csv
from ganprior import BALANCED, CSGM, FAST, Effort, Prior, Streams, load_images
from ganprior.metrics import per_pixel_error
from ganprior.physics import Gaussian, add_noise
from ganprior.streams import derive_seed

HERE = Path(__file__).parent
TRIED = HERE / "results" / "tuning" / "csgm.csv"
TABLE = HERE.parents[1] / "ganprior" / "solvers" / "latent_weights.csv"
# The polish brings the objective down by a last few percent and leaves the error where it is, at
# most of the cost where m is small.
EFFORT = replace(BALANCED, polish_steps=0)
# Of weights whose errors are this close the smallest is taken: with so few images the difference
# is chance, and a small weight recovers what lies in the generator's range more closely.
TIE = 1.03


@dataclass(frozen=True)
class Config:
    """What is tuned; the presets are below."""

    priors: tuple[tuple[str, str], ...] = (
        ("fashion-mnist-dcgan", "fashion_mnist"),
        ("mnist", "mnist"),
        ("mnist-k64-vae-gan", "mnist"),
    )
    measurements: tuple[int, ...] = (10, 25, 50, 100, 200, 750)
    noise_levels: tuple[float, ...] = (0.0, 1.0)  # sqrt(m) noise_std
    weights: tuple[float, ...] = (0.0, 0.03, 0.1, 0.3, 1.0, 3.0)
    first: int = 59_000  # training images from this one on are for tuning
    images: int = 24
    effort: Effort = EFFORT
    seed: int = 1_000_003  # of A, noise and choice of images; reported runs have small seeds


PRESETS = {
    "paper": Config(),
    "smoke": Config(
        priors=(("fashion-mnist-dcgan", "fashion_mnist"),),
        measurements=(100,),
        noise_levels=(0.0,),
        weights=(0.0, 0.1),
        images=4,
    ),
    # The paper's noise on images in [-1, 1] is 0.01, on [0, 1] half of that; 1 is for others.
    "faces": Config(
        priors=(("faces-64", "utkface_64"),),
        measurements=(50, 200, 500, 2500),
        noise_levels=(0.005, 1.0),
        weights=(0.0, 0.1, 0.3, 1.0, 3.0),
        first=22_000,
        images=8,
        effort=replace(FAST, polish_steps=0),
    ),
}


def run(config: Config, data: Path) -> Iterator[Row]:
    """Yield one row for every weight tried."""
    for name, folder in config.priors:
        yield from _tried(config, Prior.load(name), name, data / folder)


def _tried(config: Config, prior: Prior, name: str, data: Path) -> Iterator[Row]:
    last = load_images(data, split="train").select(config.first)
    rng = torch.Generator().manual_seed(derive_seed(config.seed, "images"))
    chosen = torch.randperm(len(last), generator=rng)[: config.images].sort().values
    x = last.floats()[chosen]
    revision = git_revision()
    streams = Streams(config.seed, chosen.tolist())
    for m in config.measurements:
        rng = torch.Generator().manual_seed(derive_seed(config.seed, "physics", m))
        physics = Gaussian(m, last.shape, rng)
        for level in config.noise_levels:
            noise_std = level / math.sqrt(m)
            y = add_noise(physics.A(x), noise_std, streams)
            for weight in config.weights:
                solution = CSGM(prior, weight, effort=config.effort).solve(y, physics, rng=streams)
                yield {
                    "prior": name,
                    "prior_sha256": prior.card["weights_sha256"][:12],
                    "m": m,
                    "n": x[0].numel(),
                    "noise_level": level,
                    "latent_weight": weight,
                    "mean_per_pixel_error": round(per_pixel_error(solution.x, x).mean().item(), 7),
                    "images": len(x),
                    "seed": config.seed,
                    "data_sha256": last.sha256[:12],
                    "revision": revision,
                }


def choose(rows: list[Row]) -> list[Row]:
    """Per prior, m and noise level, the smallest weight that is as good as the best."""
    groups: dict[tuple[str, str, int, int, float], list[Row]] = {}
    for row in rows:
        cell = tuple(row[name] for name in ("prior", "prior_sha256", "m", "n", "noise_level"))
        groups.setdefault(cell, []).append(row)
    table = []
    for (prior, sha, m, n, level), group in groups.items():
        best = min(row["mean_per_pixel_error"] for row in group)
        good = [row for row in group if row["mean_per_pixel_error"] <= TIE * best]
        weight = min(row["latent_weight"] for row in good)
        row = {"prior": prior, "prior_sha256": sha, "m": m, "n": n}
        table.append({**row, "noise_level": level, "latent_weight": weight})
    return table


def tried_before() -> list[Row]:
    """Rows of the committed table, their numbers as numbers."""
    numbers: dict[str, type] = {"m": int, "n": int, "images": int, "seed": int}
    floats = ("noise_level", "latent_weight", "mean_per_pixel_error")
    numbers |= dict.fromkeys(floats, float)
    return [
        {name: numbers.get(name, str)(value) for name, value in row.items()}
        for row in read_csv(TRIED)
    ]


def main() -> None:
    """Run a preset; the paper preset writes the shipped table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="holds mnist and fashion_mnist")
    parser.add_argument("--preset", choices=sorted(PRESETS), default="paper")
    parser.add_argument("--prior", help="tune this one alone, a name of the preset")
    arguments = parser.parse_args()
    config, rows = PRESETS[arguments.preset], []
    if arguments.prior is not None:
        priors = tuple(pair for pair in config.priors if pair[0] == arguments.prior)
        if not priors:
            parser.error(f"--prior must be one of {', '.join(name for name, _ in config.priors)}")
        config = replace(config, priors=priors)
    for row in run(config, arguments.data):
        rows.append(row)
        print(*list(row.values())[:7], flush=True)
    if arguments.preset != "smoke":
        rows = replaced(tried_before(), rows)
        write_csv(TRIED, rows)
        write_csv(TABLE, choose(rows))


if __name__ == "__main__":
    main()
