"""The discriminator as an objective sees it: a function of images alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn


@dataclass(frozen=True)
class Scorer:
    """Scores of images by a discriminator that may be told labels, and shown noise.

    Attributes
    ----------
    discriminator : nn.Module
        (B, C, H, W) in [-1, 1] to (B,), or with labels (B,) as second argument.
    autocast : torch.autocast
        Number format of its convolutions.
    labels : Tensor or None
        Class of each image of a batch, (B,), where the discriminator is told it.
    noise : callable or None
        Puts noise on images.
    """

    discriminator: nn.Module
    autocast: torch.autocast
    labels: Tensor | None = None
    noise: Callable[[Tensor], Tensor] | None = None

    def __call__(self, x: Tensor) -> Tensor:
        """Scores, float32; of several batches one after another the labels repeat."""
        score: Tensor
        x = x if self.noise is None else self.noise(x)
        with self.autocast:
            if self.labels is None:
                score = self.discriminator(x)
            else:
                score = self.discriminator(x, self.labels.repeat(len(x) // len(self.labels)))
        return score.float()
