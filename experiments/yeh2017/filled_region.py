"""Fréchet distance of the filled region: how real the pixels look that were made up.

PSNR and SSIM ask for the very image that was there; this asks for one of its kind. Every method's
pixels are pasted into the original, so that all images agree outside the holes, and the distance
is that between the originals and these, in the 128 features of the shipped classifier (Heusel et
al. 2017, arXiv 1706.08500, equation 6). It is 0 for whoever gives the original back. Claim: that of
ours is below those of total variation and low rank.

The 100 committed test images do not span 128 features: both covariances would be singular. So
this takes 200 images of the test set, which has to be on this machine. The distance is biased
even so, alike for all methods; the intervals are those of differences between two methods, over
the same images resampled.

    GANPRIOR_DATA=FOLDER ganprior figure yeh2017/filled-region --preset paper

The smoke preset takes samples of the prior in place of the test set.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from experiments import plots
from experiments.images import TORCHVISION, hashes_of, load_prior
from experiments.intervals import bounds, grouped
from experiments.rows import Row
from experiments.sweep.figure import Tables, declare
from experiments.yeh2017.setting import OURS, PRIORS, RAW, Task, rival, task, with_holes
from ganprior import Images, Streams, load_images
from ganprior.evaluation import load_classifier, shipped_classifier
from ganprior.jobs import Cell, grid
from ganprior.metrics import extract_features, frechet_distance
from ganprior.solvers import SemanticInpainting
from ganprior.streams import derive_seed

DATA = "Fashion-MNIST"


@dataclass(frozen=True)
class Config:
    """What is run; the presets are below."""

    prior: str = PRIORS[DATA]
    holes: tuple[str, ...] = ("center", "left half")
    rivals: tuple[str, ...] = ("context encoder", "TV", "low rank", "nearest patch", "biharmonic")
    images: int = 200
    test_set: bool = True
    resamples: int = 200  # each takes two eigendecompositions per method


def cells(config: Config) -> list[Cell]:
    """A cell per kind of holes: the same images resampled are those of all methods."""
    return grid(["all"], "holes", config.holes, panels=[DATA])


def test_images(config: Config) -> Images:
    """The first test images."""
    return load_images(TORCHVISION[DATA], split="test", limit=config.images)


def task_of(config: Config, cell: Cell) -> Task:
    """Images with holes."""
    if not config.test_set:
        return task(config.prior, str(cell.value), config.images, cell.seed)
    prior = load_prior(config.prior)
    return with_holes(test_images(config), str(cell.value), cell.seed, prior)


def rows(config: Config, cell: Cell) -> list[Row]:
    """Distance of every method."""
    found = task_of(config, cell)
    card = found.prior.card
    path = shipped_classifier(card["data_sha256"], found.prior.image_shape)
    if path is None:
        raise ValueError(f"no classifier is shipped for {DATA}, whose features are compared")
    features = load_classifier(path).features
    filled = {n: rival(n, DATA).solve(found.y, found.physics).x for n in config.rivals}
    ours = SemanticInpainting(found.prior).solve(found.y, found.physics, rng=Streams(cell.seed))
    filled |= {RAW: ours.raw, OURS: ours.x}
    real = extract_features(features, found.x)
    fakes = {
        method: extract_features(features, torch.where(found.mask > 0, found.x, x_hat))
        for method, x_hat in filled.items()
    }
    shared = {"images": len(found.x), **hashes_of(found.images, found.prior)}
    return [
        {"method": method, **facts, **shared}
        for method, facts in distances(real, fakes, config.resamples).items()
    ]


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
        low, high = bounds((resampled[method] - resampled[OURS]).numpy())
        facts[method] = {
            "frechet_distance": round(distance, 4),
            "less_ours": round(distance - found[OURS], 4),
            "low": round(low, 4),
            "high": round(high, 4),
        }
    return facts


def inputs(config: Config) -> dict[str, str]:
    """Hashes of prior and test images."""
    read = {"data_sha256": test_images(config).sha256[:12]} if config.test_set else {}
    return {**read, "prior_sha256": load_prior(config.prior).card["weights_sha256"][:12]}


def tables(found: list[Row]) -> Tables:
    """A row per kind of holes, a column per method: distance, and interval of ours less it."""
    table = []
    for (data, holes), own in grouped(found, ["panel", "holes"]).items():
        line: Row = {"panel": data, "holes": holes}
        for row in own:
            cell = f"{float(row['frechet_distance']):.2f}"
            if row["method"] != OURS:
                cell += f" (ours {-float(row['high']):+.2f} to {-float(row['low']):+.2f})"
            line[row["method"]] = cell
        table.append(line)
    return {"summary": table}


def claims(found: list[Row]) -> dict[str, bool]:
    """Ours is below the two that know no image of the kind, by the whole interval."""
    return {
        f"{row['holes']}: ours is below {row['method']}": float(row["low"]) > 0
        for row in found
        if row["method"] in ("TV", "low rank")
    }


def plot(found: list[Row], path: Path) -> None:
    """A bar per kind of holes and method."""
    figure, [axes] = plots.new_figure()
    axes.barh(range(len(found)), [float(row["frechet_distance"]) for row in found])
    names: list[Any] = [f"{row['holes']}, {row['method']}" for row in found]
    axes.set_yticks(range(len(found)), names, fontsize=7)
    axes.set_xlabel("Fréchet distance of the filled region")
    axes.invert_yaxis()
    plots.save(figure, path)


declare(
    __name__,
    "yeh2017/filled-region",
    "and what it fills them with is nearer to real images",
    paper=Config(),
    smoke=Config(
        holes=("left half",),
        rivals=("context encoder", "TV", "low rank", "biharmonic"),
        images=8,
        test_set=False,
        resamples=20,
    ),
    published="none: the paper gives no Fréchet distances",
    differs="features of a small classifier",
)
