"""Runs of the package's own training loop on digits, small enough for one CPU core.

The presets ``paper`` train on the images of MNIST that train the shipped priors (the environment
variable ``GANPRIOR_DATA`` names the folder that holds the data set); the presets ``smoke`` on the
committed hundred.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import nn

from ganprior import Images, load_images
from ganprior.training import Recipe, Trainer, load_recipe

ROOT = Path(__file__).parents[2]
# The last 1,000 training images are for tuning.
TRAINING = 59_000
COMMITTED = "data/mnist_test_100.npz"


@functools.cache
def digits(source: str) -> Images:
    """Labelled digits: ``"MNIST"`` for the data set, or a committed file.

    Raises
    ------
    ValueError
        If the data set is not on this machine; the text says how to get it.
    """
    if source == COMMITTED:
        return load_images(ROOT / source)
    return load_images(source, limit=TRAINING)


def inputs_of(config: Any) -> dict[str, str]:
    """Hash of the digits that a configuration trains on."""
    return {"data_sha256": digits(config.data).sha256[:12]}


def trainer_of(images: Images, **values: Any) -> Trainer:
    """Fresh players of the recipe ``dcgan`` with some of its values replaced.

    Without moving average and without a falling rate: what is looked at is the players themselves.
    """
    given = {
        "channels": images.shape[0],
        "images": len(images),
        "decay_from": 0,
        "ema_decay": 0.0,
        "precision": "float32",
        **values,
    }
    recipe: Recipe = load_recipe("dcgan").override(**given)
    return Trainer(recipe, images, torch.device("cpu"))


def activations(network: nn.Module) -> Iterator[tuple[nn.Module, str, nn.Module]]:
    """Rectifiers of a network: parent, name within it, and the module."""
    for parent in network.modules():
        for name, child in parent.named_children():
            if isinstance(child, nn.ReLU | nn.LeakyReLU):
                yield parent, name, child


def rectify(network: nn.Module, slope: float) -> None:
    """Put LeakyReLU of a slope, or for 0 ReLU, in the place of every rectifier."""
    for parent, name, _ in list(activations(network)):
        setattr(parent, name, nn.LeakyReLU(slope) if slope else nn.ReLU())
