"""Weight gamma of the discriminator term, tuned on images that no reported figure uses.

The same images, A and noise as in ``tune_csgm.py``, with the lambda that was tuned there; one gamma
per prior, the best on average over m.

    python -m experiments.bora2017.discriminator_weights --data FOLDER
    python -m experiments.bora2017.discriminator_weights --data FOLDER --preset faces

read FOLDER/fashion_mnist and FOLDER/mnist, or FOLDER/utkface_64, write
``results/tuning/discriminator.csv``, a row for every weight tried, in which rows of other priors
stay, and take about three minutes each on one CPU core.
"""

from __future__ import annotations

import argparse
import functools
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from experiments.rows import Row, git_revision, read_csv, write_csv
from ganprior import (
    BALANCED,
    CSGM,
    FAST,
    DiscriminatorCSGM,
    Effort,
    Prior,
    Streams,
    load_images,
)
from ganprior.metrics import per_pixel_error
from ganprior.physics import Gaussian, add_noise
from ganprior.streams import derive_seed

TRIED = Path(__file__).parent / "results" / "tuning" / "discriminator.csv"
# Of a prior that was not tuned.
UNTUNED = 0.01


@dataclass(frozen=True)
class Config:
    """What is tuned; the presets are below."""

    priors: tuple[tuple[str, str], ...] = (  # and the folders of their data
        ("mnist", "mnist"),
        ("fashion-mnist-dcgan", "fashion_mnist"),
        ("fashion-mnist-wgan-gp", "fashion_mnist"),
    )
    first: int = 59_000  # training images from this one on are for tuning
    measurements: tuple[int, ...] = (25, 100)
    noise_level: float = 0.1
    weights: tuple[float, ...] = (0.0, 0.001, 0.003, 0.01, 0.03, 0.1)
    images: int = 24
    effort: Effort = BALANCED
    seed: int = 1_000_003  # that of tune_csgm.py


PRESETS = {
    "paper": Config(),
    "smoke": Config(
        priors=(("mnist", "mnist"),), measurements=(100,), weights=(0.0, 0.01), images=2
    ),
    # The misfit is a sum over sixteen times as many values.
    "faces": Config(
        priors=(("faces-64", "utkface_64"),),
        first=22_000,
        measurements=(100, 500),
        noise_level=0.005,
        weights=(0.0, 0.01, 0.03, 0.1, 0.3, 1.0),
        images=12,
        effort=FAST,
    ),
}


@functools.cache
def discriminator_weight(prior: str) -> float:
    """Tuned gamma of a prior, the best of those above 0 (0 is CSGM); 0.01 where none was tuned."""
    found: dict[float, list[float]] = {}
    for row in known_rows():
        if row["prior"] == prior and float(row["discriminator_weight"]) > 0:
            errors = found.setdefault(float(row["discriminator_weight"]), [])
            errors.append(math.log(float(row["mean_per_pixel_error"])))
    return min(found, key=lambda weight: sum(found[weight])) if found else UNTUNED


def known_rows() -> list[Row]:
    """Rows of the committed table; none before the first run."""
    return list(read_csv(TRIED)) if TRIED.is_file() else []


def run(config: Config, data: Path) -> Iterator[Row]:
    """Yield one row for every weight tried."""
    for name, folder in config.priors:
        last = load_images(data / folder, split="train").select(config.first)
        rng = torch.Generator().manual_seed(derive_seed(config.seed, "images"))
        chosen = torch.randperm(len(last), generator=rng)[: config.images].sort().values
        x, streams = last.floats()[chosen], Streams(config.seed, chosen.tolist())
        for m in config.measurements:
            rng = torch.Generator().manual_seed(derive_seed(config.seed, "physics", m))
            physics, noise_std = Gaussian(m, last.shape, rng), config.noise_level / math.sqrt(m)
            y = add_noise(physics.A(x), noise_std, streams)
            for weight in config.weights:
                solution = _solver(config, name, weight, noise_std).solve(y, physics, rng=streams)
                yield {
                    "prior": name,
                    "m": m,
                    "noise_level": config.noise_level,
                    "discriminator_weight": weight,
                    "mean_per_pixel_error": round(per_pixel_error(solution.x, x).mean().item(), 7),
                    "images": len(x),
                    "seed": config.seed,
                    "data_sha256": last.sha256[:12],
                    "revision": git_revision(),
                }


def _solver(config: Config, prior: str, weight: float, noise_std: float) -> CSGM:
    loaded = Prior.load(prior)
    if weight == 0:
        return CSGM(loaded, noise_std=noise_std, effort=config.effort)
    return DiscriminatorCSGM(loaded, weight, noise_std=noise_std, effort=config.effort)


def main() -> None:
    """Run a preset; the paper preset writes the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "--data", type=Path, required=True, help="holds the folders of the data sets"
    )
    parser.add_argument("--preset", choices=sorted(PRESETS), default="paper")
    parser.add_argument("--prior", help="this one of the preset's priors alone")
    arguments = parser.parse_args()
    config = PRESETS[arguments.preset]
    chosen = tuple(p for p in config.priors if arguments.prior in (None, p[0]))
    rows = []
    for row in run(replace(config, priors=chosen), arguments.data):
        rows.append(row)
        print(*list(row.values())[:5], flush=True)
    if arguments.preset != "smoke":
        mine = {row["prior"] for row in rows}
        others = [row for row in known_rows() if row["prior"] not in mine]
        write_csv(TRIED, [*others, *rows])


if __name__ == "__main__":
    main()
