"""Real images of a training run: pixels that fit the recipe, in shuffled batches."""

from __future__ import annotations

import torch
from torch import Tensor

from ganprior.datasets import Images
from ganprior.streams import derive_seed
from ganprior.training.recipes import Recipe


class Batches:
    """Endless batches; each epoch has an order of its own, which its number alone decides.

    Parameters
    ----------
    pixels : Tensor
        uint8, (N, C, H, W); they stay where they are, usually in the CPU's memory.
    batch_size : int
        Images per batch, at most N. What is left of an epoch after whole batches is left out.
    seed : int
        Seed of the order.

    Attributes
    ----------
    count : int
        Batches taken so far; setting it moves to that place of the sequence.
    """

    def __init__(self, pixels: Tensor, batch_size: int, seed: int) -> None:
        self.pixels = pixels
        self.batch_size = batch_size
        self.seed = seed
        self.count = 0
        self._epoch, self._order = -1, torch.empty(0, dtype=torch.long)

    def take(self, device: torch.device) -> Tensor:
        """Next images on a device, float32 in [-1, 1], channels-last (B, C, H, W)."""
        epoch, batch = divmod(self.count, len(self.pixels) // self.batch_size)
        if epoch != self._epoch:
            rng = torch.Generator().manual_seed(derive_seed(self.seed, "data order", epoch))
            self._epoch, self._order = epoch, torch.randperm(len(self.pixels), generator=rng)
        self.count += 1
        chosen = self._order[batch * self.batch_size :][: self.batch_size]
        images = self.pixels[chosen].to(device).float().div_(127.5).sub_(1)
        return images.contiguous(memory_format=torch.channels_last)


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
