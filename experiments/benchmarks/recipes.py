"""What the recipes of ``ganprior train`` give: time of a whole run, and quality of its prior.

Each recipe runs as it stands, and its prior is measured like ``ganprior evaluate`` does, against
test images: representation error of 100 of them; Fréchet distance, precision and recall of 10,000,
in the features of the classifier that is shipped for the data, where there is one; for conditional
recipes how many of 1,000 samples that classifier reads as asked. The lines ``expected`` of these
recipes quote the table.

    python -m experiments.benchmarks.recipes --preset paper --data FOLDER
    python -m experiments.benchmarks.recipes --preset faces --data FOLDER

The first reads FOLDER/fashion_mnist and FOLDER/mnist, the second FOLDER/utkface_64 (train and
test). Both take minutes on a GPU, and many hours on two CPU cores. ``results/recipes.csv`` keeps
the rows of other recipes. Priors and sheets of samples are left in ``runs/recipes``.
"""

from __future__ import annotations

import argparse
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from experiments.benchmarks.machine import machine
from experiments.rows import Row, git_revision, read_csv, replaced, write_csv
from ganprior import Images, Prior, load_images
from ganprior.training import (
    Trainer,
    choose_features,
    evaluate_prior,
    load_recipe,
    representation_error,
    train,
)

ROOT = Path(__file__).parents[2]
RESULTS = Path(__file__).parent / "results"
FIGURES = (
    "representation_error",
    "frechet_distance",
    "precision",
    "recall",
    "diversity",
    "read_as_asked",
)


@dataclass(frozen=True)
class Config:
    """What is run; the presets are below."""

    runs: tuple[tuple[str, str], ...]  # recipe, and its images below --data
    changes: tuple[tuple[str, Any], ...] = ()  # values of the recipes that are replaced
    count: int = 10_000
    fitted: int = 100


CLOTHES = ("f-gan", "hinge", "least-squares", "vae", "wgan")
PRESETS = {
    "paper": Config((*((name, "fashion_mnist") for name in CLOTHES), ("acgan-mnist", "mnist"))),
    "faces": Config((("dcgan-64", "utkface_64"),)),
    "smoke": Config(
        (("hinge", "fashion_mnist_test_100.npz"),),
        (
            ("steps", 2),
            ("batch_size", 4),
            ("images", 60),
            ("filters", 2),
            ("discriminator_filters", 2),
        ),
        count=40,
        fitted=2,
    ),
}


def run(config: Config, data: Path, device: torch.device, out: Path) -> Iterator[Row]:
    """Yield one row per recipe."""
    revision = git_revision()
    for name, folder in config.runs:
        recipe = load_recipe(name).override(**dict(config.changes))
        images = load_images(str(data / folder), split="train")
        trainer = Trainer(recipe, images, device)
        shutil.rmtree(out / name, ignore_errors=True)
        begin = time.perf_counter()
        train(trainer, out / name, progress=False)
        seconds = time.perf_counter() - begin
        prior = Prior.load(out / name / "prior.safetensors")
        test = load_images(str(data / folder), split="test")
        # A set without splits is held out from where the recipe stopped reading.
        held_out = test if test.sha256 != images.sha256 else images.select(recipe.images)
        figures = quality(prior, held_out, images.sha256, config, device)
        yield {
            "recipe": name,
            "data": Path(folder).stem,
            "steps": recipe.steps,
            "minutes": f"{seconds / 60:.1f}",
            **{key: _short(figures.get(key)) for key in FIGURES},
            "features": figures.get("features", ""),
            "compared_images": figures.get("compared_images", ""),
            "fitted_images": config.fitted,
            "seed": recipe.seed,
            "data_sha256": images.sha256[:12],
            **machine(device),
            "revision": revision,
        }


def quality(
    prior: Prior, held_out: Images, data_sha256: str, config: Config, device: torch.device
) -> dict[str, Any]:
    """Figures of a prior on images that it was not trained on; the hash is that of those."""
    features = choose_features(data_sha256, prior.image_shape, None)
    found = evaluate_prior(prior, held_out, None, features, count=config.count, fitted=0)
    fitted = held_out.head(config.fitted)
    errors = representation_error(prior.to(device), fitted.floats().to(device), fitted.labels)
    return {**found.figures, "representation_error": float(errors.mean())}


def _short(figure: float | None) -> str:
    return "" if figure is None else f"{figure:.4g}"


def main() -> None:
    """Run a preset and write its results."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--preset", choices=sorted(PRESETS), default="smoke")
    parser.add_argument("--data", type=Path, default=ROOT / "data")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    smoke = arguments.preset == "smoke"
    runs = Path("runs") / ("recipes-smoke" if smoke else "recipes")
    table = (arguments.out or (runs if smoke else RESULTS)) / "recipes.csv"
    device = torch.device(arguments.device)
    for row in run(PRESETS[arguments.preset], arguments.data, device, runs):
        print(*list(row.values())[:10], flush=True)
        before = read_csv(table) if table.is_file() else []
        write_csv(table, replaced(before, [row], "recipe"))
    print(f"results in {table}")


if __name__ == "__main__":
    main()
