"""A run that takes a second: tiny networks on images drawn here."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from ganprior.datasets import Images
from ganprior.training import Recipe, Trainer, World
from ganprior.training.recipes.values import OBJECTIVES
from tests.cases import rng

__all__ = ["OBJECTIVES", "save_images", "tiny_images", "tiny_recipe", "tiny_trainer"]

# Objectives whose critic is far from its best after one step.
_SEVERAL_STEPS = ("wgan", "wgan-gradient-clip", "wgan-gp")


def tiny_recipe(objective: str = "non-saturating", **changes: object) -> Recipe:
    """The smallest there is; from size 16 on both networks have a batch norm."""
    values: dict[str, object] = {
        "objective": objective,
        "critic_steps": 2 if objective in _SEVERAL_STEPS else 1,
        "size": 8,
        "channels": 1,
        "latent_size": 4,
        "filters": 4,
        "discriminator_filters": 4,
        "images": 40,
        "steps": 9,
        "batch_size": 8,
        "learning_rate": 1e-3,
        "betas": (0.5, 0.9),
        "ema_decay": 0.9,
        "precision": "float32",
        "sheet_every": 100,
        "checkpoint_every": 3,
        "monitor_every": 0,
    }
    return Recipe.of({**values, **changes})


def tiny_images(
    count: int = 40, size: int = 8, channels: int = 1, seed: int = 0, classes: int = 0
) -> Images:
    """Random smooth images, as bytes; with classes the labels go round."""
    coarse = torch.rand(count, channels, 4, 4, generator=rng(seed))
    fine = torch.nn.functional.interpolate(coarse, (size, size), mode="bilinear")
    names = tuple(f"image[{i}]" for i in range(count))
    labels = torch.arange(count) % classes if classes else None
    return Images((fine * 255).round().byte(), names, f"checksum of seed {seed}", labels)


def tiny_trainer(
    objective: str = "non-saturating", *, world: World | None = None, **changes: object
) -> Trainer:
    """Fresh players of :func:`tiny_recipe` on images that fit it."""
    recipe = tiny_recipe(objective, **changes)
    images = tiny_images(size=recipe.size, channels=recipe.channels, classes=recipe.classes)
    return Trainer(recipe, images, torch.device("cpu"), world or World())


def save_images(path: Path, images: Images) -> None:
    """As an .npz that ``ganprior train --data`` reads."""
    if images.labels is None:
        np.savez(path, images=images.pixels.numpy())
    else:
        np.savez(path, images=images.pixels.numpy(), labels=images.labels.numpy())
