"""What the recipes of ``ganprior train`` give: time of a whole run, and quality of its prior.

Each recipe runs as it stands, and its prior is measured like ``ganprior evaluate`` does, against
test images: representation error of 100 of them; Fréchet distance, precision and recall of 10,000,
in the features of the classifier that is shipped for the data, where there is one; for conditional
recipes how many of 1,000 samples that classifier reads as asked. The lines ``expected`` of these
recipes quote the table.

    GANPRIOR_DATA=FOLDER ganprior figure benchmarks/recipes --preset paper --device cuda

FOLDER holds FashionMNIST and MNIST as torchvision has them, and ``utkface_64`` with train and test.
It takes minutes on a GPU, and many hours on two CPU cores.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from experiments.images import SAMPLE, TORCHVISION, UTKFACE, held_out, pictures
from experiments.rows import Row
from experiments.sweep.device import current_device
from experiments.sweep.figure import Tables, declare
from ganprior import Images, Prior, load_images
from ganprior.evaluation import choose_features, evaluate_prior, representation_error
from ganprior.jobs import Cell
from ganprior.training import Trainer, load_recipe, train

QUALITY = (
    "representation_error",
    "frechet_distance",
    "precision",
    "recall",
    "diversity",
    "read_as_asked",
)


# Largest representation error of a run that has not failed.
LEARNED = 0.03


@dataclass(frozen=True)
class Config:
    """What is run; the presets are below."""

    recipes: tuple[tuple[str, str], ...]  # recipe, and the data set that it is trained on
    changes: tuple[tuple[str, Any], ...] = ()  # values of the recipes that are replaced
    count: int = 10_000
    fitted: int = 100


CLOTHES = ("f-gan", "hinge", "least-squares", "vae", "wgan")
PAPER = Config(
    (
        *((name, "Fashion-MNIST") for name in CLOTHES),
        ("acgan-mnist", "MNIST"),
        ("dcgan-64", UTKFACE),
    )
)
TINY = {"steps": 2, "batch_size": 4, "images": 60, "filters": 2, "discriminator_filters": 2}
SMOKE = Config((("hinge", f"Fashion-MNIST{SAMPLE}"),), tuple(TINY.items()), count=40, fitted=2)


def cells(config: Config) -> list[Cell]:
    """A cell per recipe."""
    return [Cell(recipe, panel=data) for recipe, data in config.recipes]


def images_of(data: str, trained: int) -> tuple[Images, Images]:
    """Training images, and test images; of a sample what the recipe does not read."""
    if data.endswith(SAMPLE):
        images = held_out(data.removesuffix(SAMPLE))
        return images, images.select(trained)
    if data == UTKFACE:
        return pictures(data, "train"), pictures(data, "test")
    name = TORCHVISION[data]
    return load_images(name, split="train"), load_images(name, split="test")


def rows(config: Config, cell: Cell) -> list[Row]:
    """Train a recipe, and measure its prior."""
    recipe = load_recipe(cell.method).override(**dict(config.changes))
    images, test = images_of(cell.panel, recipe.images)
    with TemporaryDirectory() as scratch:
        out = Path(scratch) / cell.method
        begin = time.perf_counter()
        train(Trainer(recipe, images, current_device()), out, progress=False)
        minutes = (time.perf_counter() - begin) / 60
        prior = Prior.load(out / "prior.safetensors")
    figures = quality(prior, test, images.sha256, config)
    return [
        {
            "steps": recipe.steps,
            "minutes": f"{minutes:.1f}",
            **{key: _short(figures.get(key)) for key in QUALITY},
            "features": figures.get("features", ""),
            "compared_images": figures.get("compared_images", ""),
            "fitted_images": config.fitted,
            "data_sha256": images.sha256[:12],
        }
    ]


def inputs(config: Config) -> dict[str, str]:
    """Hashes of the training images."""
    return {
        f"data_sha256 of {data}": images_of(data, 0)[0].sha256[:12] for _, data in config.recipes
    }


def quality(prior: Prior, test: Images, data_sha256: str, config: Config) -> dict[str, Any]:
    """Figures of a prior on images that it was not trained on; the hash is that of those."""
    features, device = choose_features(data_sha256, prior.image_shape, None), current_device()
    found = evaluate_prior(prior, test, None, features, count=config.count, fitted=0)
    fitted = test.head(config.fitted)
    errors = representation_error(prior.to(device), fitted.floats().to(device), fitted.labels)
    return {**found.figures, "representation_error": float(errors.mean())}


def _short(figure: float | None) -> str:
    return "" if figure is None else f"{figure:.4g}"


def tables(found: list[Row]) -> Tables:
    """Time and quality of every recipe."""
    columns = ("steps", "minutes", *QUALITY, "features", "compared_images", "fitted_images")
    return {
        "summary": [
            {"recipe": row["method"], "data": row["panel"], **{name: row[name] for name in columns}}
            for row in found
        ]
    }


def claims(found: list[Row]) -> dict[str, bool]:
    """Every recipe learns, where it ran for as long as it says."""
    held = {}
    for row in found:
        most = LEARNED if int(row["steps"]) > 100 else 1
        said = f"{row['method']}: the representation error is below {most}"
        held[said] = float(row["representation_error"]) < most
    return held


declare(
    __name__,
    "benchmarks/recipes",
    "what the recipes give, and how long they take",
    paper=PAPER,
    smoke=SMOKE,
    column="representation_error",
    trains=True,
    on_gpu=True,
)
