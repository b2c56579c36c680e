"""Fréchet distance of the filled region: how real the pixels look that were made up.

PSNR and SSIM ask for the very image that was there; this asks for one of its kind. Every method's
pixels are pasted into the original, so that all images agree outside the holes, and the distance
is that between the originals and these, in the 128 features of the shipped classifier (Heusel et
al. 2017, arXiv 1706.08500, equation 6). It is 0 for whoever gives the original back.

The 100 committed test images do not span 128 features: both covariances would be singular. So
this takes 200 images of the test set, which has to be on this machine. The distance is biased
even so, alike for all methods; the intervals are those of differences between two methods, over
the same images resampled.

    GANPRIOR_DATA=FOLDER python -m experiments.yeh2017.filled_region --preset paper

writes ``results/filled_region/``: ``rows.csv`` (a row per kind of holes and method),
``summary.csv`` and ``config.json``. It takes about six minutes on one CPU core.
The smoke preset takes samples of the prior in place of the test set.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from experiments.rows import Row, git_revision
from experiments.yeh2017.setting import (
    DATA,
    asked,
    draw_masks,
    fill_holes,
    load_prior,
    other_methods,
    physics_of,
    write_results,
)
from ganprior import Prior, load_images
from ganprior.metrics import extract_features, frechet_distance
from ganprior.streams import derive_seed
from ganprior.training import load_classifier, shipped_classifier


@dataclass(frozen=True)
class Config:
    """What is run; the presets are below."""

    data: tuple[str, ...] = ("Fashion-MNIST",)
    holes: tuple[str, ...] = ("center", "left half")
    images: int = 200
    test_set: bool = True
    resamples: int = 200  # each takes two eigendecompositions per method
    seed: int = 0


PRESETS = {
    "paper": Config(),
    "smoke": Config(holes=("left half",), images=8, test_set=False, resamples=5),
}


def run(config: Config) -> Iterator[Row]:
    """Yield one row per data set, kind of holes and method."""
    revision = git_revision()
    for name in config.data:
        data = DATA[name]
        prior = load_prior(data.prior)
        if prior is None:
            continue
        path = shipped_classifier(prior.card["data_sha256"], prior.image_shape)
        if path is None:
            print(f"left out: no classifier is shipped for {name}")
            continue
        features = load_classifier(path).features
        x, sha256 = _images(config, data.name, prior)
        methods = other_methods(data, prior)
        for holes in config.holes:
            mask = draw_masks(holes, prior.image_shape, len(x), config.seed)
            physics = physics_of(mask, prior.image_shape)
            filled = fill_holes(methods, prior, physics.A(x), physics, config.seed)
            real = extract_features(features, x)
            fakes = {
                method: extract_features(features, torch.where(mask > 0, x, x_hat))
                for method, x_hat in filled.items()
            }
            for method, facts in distances(real, fakes, config.resamples).items():
                print(name, holes, method, facts, flush=True)
                yield {
                    "data": name,
                    "holes": holes,
                    "method": method,
                    **facts,
                    "images": len(x),
                    "seed": config.seed,
                    "data_sha256": sha256[:12],
                    "prior_sha256": prior.card["weights_sha256"][:12],
                    "revision": revision,
                }


def distances(real: Tensor, fakes: dict[str, Tensor], resamples: int) -> dict[str, Row]:
    """Distance of each method's features, and how far above ours it is, with a 95% interval."""
    found = {method: frechet_distance(real, fake) for method, fake in fakes.items()}
    rng = torch.Generator().manual_seed(derive_seed(0, "bootstrap", len(real)))
    draws = torch.randint(len(real), (resamples, len(real)), generator=rng)
    resampled = {
        method: torch.tensor([frechet_distance(real[i], fake[i]) for i in draws])
        for method, fake in fakes.items()
    }
    facts = {}
    for method, distance in found.items():
        above = resampled[method] - resampled["ours"]
        low, high = above.quantile(torch.tensor([0.025, 0.975])).tolist()
        facts[method] = {
            "frechet_distance": round(distance, 4),
            "less_ours": round(distance - found["ours"], 4),
            "low": round(low, 4),
            "high": round(high, 4),
        }
    return facts


def summarise(rows: list[Row]) -> list[Row]:
    """A row per data set and kind of holes, a column per method: distance, and interval above ours.

    The interval is that of the method's distance less ours.
    """
    table: dict[tuple[str, str], Row] = {}
    for row in rows:
        place = (row["data"], row["holes"])
        line = table.setdefault(place, {"data": place[0], "holes": place[1]})
        cell = f"{float(row['frechet_distance']):.2f}"
        if row["method"] != "ours":
            cell += f" (ours {-float(row['high']):+.2f} to {-float(row['low']):+.2f})"
        line[row["method"]] = cell
    return list(table.values())


def _images(config: Config, name: str, prior: Prior) -> tuple[Tensor, str]:
    if config.test_set:
        images = load_images(name, split="test", limit=config.images)
        return images.floats(), images.sha256
    rng = torch.Generator().manual_seed(derive_seed(config.seed, "samples"))
    return prior.sample(config.images, rng), ""


def main() -> None:
    """Run a preset and write its results."""
    preset, out = asked("filled_region", __doc__ or "", PRESETS)
    config = PRESETS[preset]
    rows = list(run(config))
    write_results(out, preset, config, rows, {"summary": summarise(rows)})


if __name__ == "__main__":
    main()
