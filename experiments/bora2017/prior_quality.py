"""What the priors of 28 x 28 pixels can represent, and whether CSGM finds what they can.

Three kinds of figures per prior:

- representation error (projection in the paper: A = I, lambda = 0): the mean of
  min_z ||G(z) - x||^2 / n over held-out test images, the floor of every reconstruction error;
- planted signals: the share of x = G(z*) that CSGM recovers from m = 200 Gaussian measurements
  to a per-pixel error under 1e-4, with default settings;
- reconstruction error at the paper's noise, standard deviation 0.1 where A has N(0, 1) entries,
  from m = 25, 100 and 750, with default settings.

    python -m experiments.bora2017.prior_quality --preset paper

writes ``results/prior_quality/rows.csv`` and ``summary.csv``, and the representation error into
the card of each prior. It takes about a minute per prior on a CPU core; with ``--prior NAME`` one
prior is measured, and the rows of the others stay. ``prior_quality_64`` measures the priors whose
test images are not committed.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from experiments.rows import Row, git_revision, read_csv, replaced, write_csv
from ganprior import BALANCED, CSGM, Effort, Prior, Streams, load_images
from ganprior.metrics import per_pixel_error
from ganprior.physics import Gaussian, add_noise, identity
from ganprior.priors import find_prior, prior_names, read_card, write_card
from ganprior.streams import derive_seed

# Held-out images by the name of the data set in a prior's card.
DATA = {
    "Fashion-MNIST": "data/fashion_mnist_test_100.npz",
    "MNIST": "data/mnist_test_100.npz",
}
ROOT = Path(__file__).parents[2]
RESULTS = Path(__file__).parent / "results" / "prior_quality"
RECOVERED = 1e-4


@dataclass(frozen=True)
class Config:
    """What is measured; the presets are below."""

    images: int = 100
    planted: int = 100
    measurements: int = 200  # of planted signals
    noisy: tuple[int, ...] = (25, 100, 750)
    noise_level: float = 0.1  # sqrt(m) noise_std
    seed: int = 0


PRESETS = {"paper": Config(), "smoke": Config(images=4, planted=4, noisy=(100,))}


def run(config: Config, names: Sequence[str] | None = None) -> Iterator[Row]:
    """Yield one row per prior, experiment and signal, of all shipped priors unless named."""
    revision = git_revision()
    for name in prior_names() if names is None else names:
        if read_card(find_prior(name))["data"] not in DATA:
            continue
        prior = Prior.load(name)
        if prior.classes:  # its classes are priors of their own
            continue
        images = load_images(ROOT / data_of(find_prior(name)), limit=config.images)
        x = images.floats()
        errors = {"representation": representation(prior, x, config.seed)}
        errors["planted"] = _planted(prior, config)
        for m in config.noisy:
            errors[f"m = {m}"] = _noisy(prior, x, m, config)
        for experiment, values in errors.items():
            for signal, value in enumerate(values.tolist()):
                yield {
                    "prior": name,
                    "experiment": experiment,
                    "signal": signal,
                    "per_pixel_error": f"{value:.7g}",
                    "seed": config.seed,
                    "data_sha256": images.sha256[:12],
                    "prior_sha256": prior.card["weights_sha256"][:12],
                    "revision": revision,
                }


def data_of(path: Path) -> str:
    """Held-out images for the prior at ``path``, relative to the checkout."""
    return DATA[read_card(path)["data"]]


def representation(prior: Prior, x: Tensor, seed: int, effort: Effort = BALANCED) -> Tensor:
    """Per-pixel error of the nearest image that CSGM finds to each of x, (B,)."""
    solution = CSGM(prior, 0.0, effort=effort).solve(x, identity(), rng=Streams(seed))
    return per_pixel_error(solution.x, x)


def _noisy(prior: Prior, x: Tensor, m: int, config: Config) -> Tensor:
    rng = torch.Generator().manual_seed(derive_seed(config.seed, "physics", m))
    physics, streams = Gaussian(m, prior.image_shape, rng), Streams(config.seed)
    noise_std = config.noise_level / math.sqrt(m)
    y = add_noise(physics.A(x), noise_std, streams)
    solution = CSGM(prior, noise_std=noise_std).solve(y, physics, rng=streams)
    return per_pixel_error(solution.x, x)


def _planted(prior: Prior, config: Config) -> Tensor:
    rng = torch.Generator().manual_seed(derive_seed(config.seed, "planted"))
    x = prior.sample(config.planted, rng)
    rng = torch.Generator().manual_seed(derive_seed(config.seed, "physics", config.measurements))
    physics = Gaussian(config.measurements, prior.image_shape, rng)
    solution = CSGM(prior).solve(physics.A(x), physics, rng=Streams(config.seed))
    return per_pixel_error(solution.x, x)


def summarise(rows: list[Row]) -> list[Row]:
    """One line per prior."""
    table = []
    for name in dict.fromkeys(row["prior"] for row in rows):
        own = [row for row in rows if row["prior"] == name]
        errors = {
            experiment: torch.tensor(
                [float(r["per_pixel_error"]) for r in own if r["experiment"] == experiment]
            )
            for experiment in dict.fromkeys(row["experiment"] for row in own)
        }
        projected, planted = errors.pop("representation"), errors.pop("planted")
        recovered = int((planted < RECOVERED).sum())
        table.append(
            {
                "prior": name,
                "representation error": f"{projected.mean():.4f}",
                **{noisy: f"{values.mean():.4f}" for noisy, values in errors.items()},
                "images": len(projected),
                "planted signals recovered": f"{recovered} of {len(planted)}",
            }
        )
    return table


def main() -> None:
    """Run a preset; the paper preset writes results and cards."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--preset", choices=sorted(PRESETS), default="smoke")
    parser.add_argument("--prior", choices=prior_names(), help="measure this one alone")
    arguments = parser.parse_args()
    names = None if arguments.prior is None else [arguments.prior]
    rows = list(run(PRESETS[arguments.preset], names))
    measured = summarise(rows)
    for line in measured:
        print(line)
    if arguments.preset != "paper":
        return
    if names:
        rows = sorted(replaced(read_csv(RESULTS / "rows.csv"), rows), key=lambda row: row["prior"])
    write_csv(RESULTS / "rows.csv", rows)
    write_csv(RESULTS / "summary.csv", summarise(rows))
    for line in measured:
        path = find_prior(line["prior"])
        card = read_card(path)
        figures = {
            "representation_error": float(line["representation error"]),
            "images": f"{line['images']} test images ({data_of(path)})",
            "how": "CSGM, A = I, lambda = 0, default effort: mean of ||G(z) - x||^2 / n",
            "error_at_noise_0.1": {k: float(v) for k, v in line.items() if k.startswith("m = ")},
        }
        write_card(path, {**card, "quality": {**card.get("quality", {}), **figures}})


if __name__ == "__main__":
    main()
