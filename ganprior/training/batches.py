"""Real images of a training run: pixels that fit the recipe, in shuffled batches."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from ganprior.datasets import Images
from ganprior.streams import derive_seed
from ganprior.training.distributed import ALONE, World
from ganprior.training.recipes import Recipe

# Images that monitors look at.
VALIDATION = 1000


class Batch(NamedTuple):
    """Real images, channels-last float32 in [-1, 1], and their classes where they have any."""

    images: Tensor
    labels: Tensor | None


class Batches:
    """Endless batches; each epoch has an order of its own, which its number alone decides.

    Parameters
    ----------
    pixels : Tensor
        uint8, (N, C, H, W). They stay where they are: on the GPU, where they fit, so that a batch
        costs no transfer; otherwise in the CPU's memory.
    batch_size : int
        Images per batch, at most N. What is left of an epoch after whole batches is left out.
    seed : int
        Seed of the order.
    labels : Tensor, optional
        int64, (N,).
    world : World
        The processes that share a batch.

    Attributes
    ----------
    count : int
        Batches taken so far; setting it moves to that place of the sequence.
    """

    def __init__(
        self,
        pixels: Tensor,
        batch_size: int,
        seed: int,
        labels: Tensor | None = None,
        world: World = ALONE,
    ) -> None:
        self.pixels = pixels
        self.labels = labels
        self.batch_size = batch_size
        self.seed = seed
        self.world = world
        self.count = 0
        self._epoch, self._order = -1, torch.empty(0, dtype=torch.long)

    def take(self, device: torch.device) -> Batch:
        """Next images on a device: this process's rows of the batch."""
        epoch, batch = divmod(self.count, len(self.pixels) // self.batch_size)
        if epoch != self._epoch:
            rng = torch.Generator().manual_seed(derive_seed(self.seed, "data order", epoch))
            order = torch.randperm(len(self.pixels), generator=rng)
            self._epoch, self._order = epoch, order.to(self.pixels.device)
        self.count += 1
        chosen = self._order[batch * self.batch_size :][: self.batch_size]
        chosen = self.world.part(chosen)
        images = _move(self.pixels[chosen], device).float().div_(127.5).sub_(1)
        labels = None if self.labels is None else _move(self.labels[chosen], device)
        return Batch(images.contiguous(memory_format=torch.channels_last), labels)


def _move(rows: Tensor, device: torch.device) -> Tensor:
    if device.type == "cuda" and not rows.is_cuda:
        # Page-locked memory is copied while the device still computes.
        return rows.pin_memory().to(device, non_blocking=True)
    return rows.to(device)


def make_batches(images: Images, recipe: Recipe, device: torch.device, world: World) -> Batches:
    """Make the batches of a run.

    Raises
    ------
    ValueError
        As :func:`training_pixels` and :func:`training_labels`; if the processes cannot share a
        batch evenly.
    """
    world.check_batch(recipe.batch_size)
    pixels, labels = training_pixels(images, recipe), training_labels(images, recipe)
    if device.type == "cuda" and pixels.nbytes < torch.cuda.mem_get_info(device)[0] // 4:
        pixels = pixels.to(device)
        labels = None if labels is None else labels.to(device)
    return Batches(pixels, recipe.batch_size, recipe.seed, labels, world)


def training_pixels(images: Images, recipe: Recipe) -> Tensor:
    """Take the images that a recipe trains on, as bytes (N, C, H, W).

    Raises
    ------
    ValueError
        If they have another size or other channels than the recipe, or are fewer than a batch.
    """
    pixels = images.pixels[: recipe.images]
    wanted, got = (recipe.channels, recipe.size, recipe.size), tuple(pixels.shape[1:])
    if got != wanted:
        raise ValueError(
            f"the recipe trains on images of (channels, height, width) {wanted}, the data has "
            f"{got}; convert with --resize (size) and --convert (channels), or --set size=... "
            "channels=..."
        )
    if len(pixels) < recipe.batch_size:
        raise ValueError(
            f"{len(pixels)} images are fewer than a batch of {recipe.batch_size}; "
            "give more images or --set batch_size=..."
        )
    return (pixels * 255).round().byte() if pixels.is_floating_point() else pixels


def training_labels(images: Images, recipe: Recipe) -> Tensor | None:
    """Take the labels that a conditional recipe trains on, int64 (N,); else None.

    Raises
    ------
    ValueError
        If the data has none, or one that is no class of the recipe.
    """
    if not recipe.classes:
        return None
    if images.labels is None:
        raise ValueError(
            f"the recipe is conditional, classes = {recipe.classes}, but the data has no labels; "
            "give an .npz with the key labels, idx files with their label file or one folder per "
            "class, or --set classes=0"
        )
    labels = images.labels[: recipe.images]
    low, high = int(labels.min()), int(labels.max())
    if low < 0 or high >= recipe.classes:
        raise ValueError(
            f"the labels of the data go from {low} to {high}, those of the recipe from 0 to "
            f"{recipe.classes - 1}; --set classes={high + 1}"
        )
    return labels


def validation_images(images: Images, recipe: Recipe) -> Tensor:
    """Images in [0, 1] that the run does not train on, (N, C, H, W); N may be 0."""
    return images.select(0).floats()[recipe.images :][:VALIDATION]
