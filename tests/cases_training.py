"""A run that takes a second: tiny networks on images drawn here."""

from __future__ import annotations

import numpy as np
import torch

from ganprior.datasets import Images
from ganprior.training import Recipe, Trainer
from tests.cases import rng

OBJECTIVES = ("non-saturating", "wgan-gp")


def tiny_recipe(objective: str = "non-saturating", **changes: object) -> Recipe:
    """The smallest there is; from size 16 on both networks have a batch norm."""
    values: dict[str, object] = {
        "objective": objective,
        "critic_steps": 1 if objective == "non-saturating" else 2,
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
    }
    return Recipe.of({**values, **changes})


def tiny_images(count: int = 40, size: int = 8, channels: int = 1, seed: int = 0) -> Images:
    """Random smooth images, as bytes."""
    coarse = torch.rand(count, channels, 4, 4, generator=rng(seed))
    fine = torch.nn.functional.interpolate(coarse, (size, size), mode="bilinear")
    names = tuple(f"image[{i}]" for i in range(count))
    return Images((fine * 255).round().byte(), names, f"checksum of seed {seed}")


def tiny_trainer(objective: str = "non-saturating", **changes: object) -> Trainer:
    recipe = tiny_recipe(objective, **changes)
    images = tiny_images(size=recipe.size, channels=recipe.channels)
    return Trainer(recipe, images, torch.device("cpu"))


def save_images(path, images: Images) -> None:
    """As an .npz that ``ganprior train --data`` reads."""
    np.savez(path, images=images.pixels.numpy())
