"""What the figures with trained priors share: clothes, short recipes, training, quality.

Every prior of these figures is trained by :func:`ganprior.training.train` on Fashion-MNIST from a
recipe of the package with other widths, steps and rates; :data:`BUDGET` states them. The Fréchet
distance is that of 1,000 samples to the 1,000 images after the training images, in the features of
the classifier that is shipped for Fashion-MNIST; distances of smoke presets, which have a hundred
committed images for everything, compare with nothing else.
"""

from __future__ import annotations

import csv
import functools
import time
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from torch import Tensor

from ganprior import (
    Images,
    Prior,
    Recipe,
    RunFolder,
    Trainer,
    TrainingFailed,
    diversity,
    extract_features,
    frechet_distance,
    load_images,
    load_recipe,
    train,
)
from ganprior.evaluation import load_classifier, shipped_classifier
from ganprior.metrics import FeatureExtractor
from ganprior.streams import derive_seed

ROOT = Path(__file__).parents[2]
SHIPPED = ("fashion-mnist-dcgan", "fashion-mnist-wgan-gp")
# Samples whose pairs the diversity is over.
PAIRED = 500
COMMITTED = "data/fashion_mnist_test_100.npz"

# What each objective takes beside the common numbers: its paper's optimiser and critic steps. All
# rates are above the papers': the runs are far shorter than theirs.
WASSERSTEIN_CLIP = {"critic_steps": 5, "optimizer": "rmsprop", "learning_rate": 5e-4}
WASSERSTEIN_GP = {"critic_steps": 5, "betas": (0.5, 0.9), "learning_rate": 1e-3}
OPTIONS: dict[str, dict[str, Any]] = {"wgan": WASSERSTEIN_CLIP, "wgan-gp": WASSERSTEIN_GP}


@dataclass(frozen=True)
class Budget:
    """Numbers that all runs of a figure have in common.

    Attributes
    ----------
    data : str
        Name of the data set, or path of a file in the checkout.
    training : int
        Images that train: the first ones. Those after them are what samples are compared with.
    steps, batch_size : int
        Generator steps, and images in each.
    filters : int
        Base width of both players, where an architecture has no width of its own in ``widths``.
    looks : int
        How often the quality is measured: every ``steps / looks`` steps.
    learning_rate : float
        Of Adam, for objectives that :data:`OPTIONS` gives none.
    """

    data: str = "FashionMNIST"
    training: int = 59_000
    steps: int = 400
    batch_size: int = 32
    filters: int = 16
    looks: int = 4
    learning_rate: float = 1e-3


SMOKE = Budget(COMMITTED, training=60, steps=24, batch_size=16, filters=8, looks=2)


@dataclass(frozen=True)
class Look:
    """Quality in the middle of a run.

    Attributes
    ----------
    step : int
        Generator steps so far.
    frechet : float
        Fréchet distance of samples to images that nothing was trained on.
    diversity, real_diversity : float
        Of samples and of those images; see :func:`ganprior.metrics.diversity`.
    """

    step: int
    frechet: float
    diversity: float
    real_diversity: float


@dataclass
class Run:
    """A training run that has ended.

    Attributes
    ----------
    prior : Prior or None
        What was trained; None where a loss became infinite.
    looks : list of Look
        Quality at equal distances; the last one is at the end.
    losses : list of dict
        ``step``, ``discriminator_loss``, ``generator_loss`` of every step.
    warnings : list of str
        What the health monitor of the package said.
    cpu_seconds : float
        Time of this process, the measuring of quality included.
    """

    prior: Prior | None = None
    looks: list[Look] = field(default_factory=list)
    losses: list[dict[str, float]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    cpu_seconds: float = 0.0


@functools.cache
def images_of(data: str) -> Images:
    """Images of a data set by name, or of a file in the checkout."""
    path = ROOT / data
    return load_images(path if path.is_file() else data)


def recipe_of(objective: str, budget: Budget, **values: Any) -> Recipe:
    """Recipe of an objective, ``f-gan kl`` with a divergence behind the name."""
    name, _, divergence = objective.partition(" ")
    common: dict[str, Any] = {
        "images": budget.training,
        "steps": budget.steps,
        "batch_size": budget.batch_size,
        "filters": budget.filters,
        "discriminator_filters": budget.filters,
        "learning_rate": budget.learning_rate,
        # The recipe's average reaches back further than these runs are long.
        "ema_decay": 0.98,
        "decay_from": 0,
        "monitor_every": max(1, budget.steps // budget.looks),
        "checkpoint_every": budget.steps,
        "sheet_every": budget.steps,
    }
    if divergence:
        common["divergence"] = divergence
    return load_recipe("dcgan").override(
        **common | {"objective": name} | OPTIONS.get(name, {}) | values
    )


def run_recipe(recipe: Recipe, data: str) -> Run:
    """Train a recipe on a data set, from its first step to its last."""
    done, begin = Run(), time.process_time()

    def look(run: Any) -> dict[str, float]:
        found = quality(run.prior, run.real, run.rng, run.step)
        done.looks.append(found)
        return {"diversity": found.diversity, "real_diversity": found.real_diversity}

    with TemporaryDirectory() as scratch:
        folder = RunFolder(Path(scratch) / "run")
        trainer = Trainer(recipe, images_of(data), torch.device("cpu"))
        try:
            train(
                trainer,
                folder.path,
                monitors=[look],
                warn=done.warnings.append,
                progress=False,
            )
            done.prior = Prior.load(folder.prior)
        except TrainingFailed as failure:
            done.warnings.append(str(failure).partition("; the last good")[0])
        done.losses = _losses(folder.losses)
    done.cpu_seconds = time.process_time() - begin
    return done


def quality(prior: Prior, real: Tensor, rng: torch.Generator, step: int = 0) -> Look:
    """Compare as many samples as there are real images (N, 1, 28, 28) with those."""
    features = extractor()
    fake = samples(prior, len(real), rng)
    distance = frechet_distance(extract_features(features, real), extract_features(features, fake))
    return Look(step, distance, diversity(fake[:PAIRED]), diversity(real[:PAIRED]))


@torch.no_grad()
def samples(prior: Prior, count: int, rng: torch.Generator) -> Tensor:
    """Images of a prior, (count, 1, 28, 28) in [0, 1]."""
    return torch.cat([prior.sample(min(PAIRED, count - i), rng) for i in range(0, count, PAIRED)])


def sample_rng() -> torch.Generator:
    """Generator of latents, the same for every prior."""
    return torch.Generator().manual_seed(derive_seed(0, "objectives"))


@functools.cache
def extractor() -> FeatureExtractor:
    """Features of the classifier that is shipped for the data of the shipped priors."""
    prior = Prior.load(SHIPPED[0])
    path = shipped_classifier(prior.card["data_sha256"], prior.image_shape)
    if path is None:
        raise ValueError(f"no classifier is shipped for the data of {SHIPPED[0]}")
    return load_classifier(path).features


def hashes_of(run: Run, data: str) -> dict[str, str]:
    """Columns that say which images a row is of, and which prior came of the run."""
    sha = run.prior.card["weights_sha256"][:12] if run.prior else ""
    return {"data_sha256": images_of(data).sha256[:12], "prior_sha256": sha}


def inputs_of(config: Any) -> dict[str, str]:
    """Hash of the images that a configuration trains on."""
    return {"data_sha256": images_of(config.budget.data).sha256[:12]}


def _losses(path: Path) -> list[dict[str, float]]:
    with path.open(newline="", encoding="utf-8") as file:
        lines = list(csv.DictReader(file))
    return [{name: float(value) for name, value in line.items() if value} for line in lines]
