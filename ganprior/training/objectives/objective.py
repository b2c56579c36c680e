"""What the training loop asks of an adversarial objective."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

# The raw output of a discriminator: images in [-1, 1], (B, C, H, W), to (B,) in float32.
Score = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Objective(ABC):
    """The losses of both players; each is a mean over the batch, to be descended.

    Attributes
    ----------
    critic_steps : int
        Discriminator steps before each generator step.

    Raises
    ------
    ValueError
        If a number is outside its range.
    """

    critic_steps: int = 1

    def __post_init__(self) -> None:
        check("critic_steps", self.critic_steps, self.critic_steps >= 1, "at least 1")

    @property
    def discriminator_output(self) -> str:
        """``"probability"`` if the raw output is the logit of D(x), else ``"critic"``."""
        return "critic"

    @property
    def discriminator_batch_norm(self) -> bool:
        """Whether the discriminator may couple the images of a batch by batch norm."""
        return True

    @abstractmethod
    def discriminator_loss(
        self, score: Score, real: Tensor, fake: Tensor, rng: torch.Generator
    ) -> Tensor:
        """Loss of the discriminator on images (B, C, H, W); whatever is random comes of ``rng``."""

    @abstractmethod
    def generator_loss(self, score: Score, fake: Tensor) -> Tensor:
        """Loss of the generator on its images (B, C, H, W)."""

    @abstractmethod
    def distance(self, real: Tensor, fake: Tensor) -> Tensor:
        """Estimate of the divergence that is minimised, from raw outputs (B,) of both kinds."""

    def after_backward(self, discriminator: nn.Module) -> None:  # noqa: B027
        """Change the discriminator's gradients before its optimiser steps; here, do nothing."""

    def after_step(self, discriminator: nn.Module) -> None:  # noqa: B027
        """Change the discriminator's weights after its optimiser stepped; here, do nothing."""


def check(name: str, value: float, inside: bool, wanted: str) -> None:
    """Refuse a number outside its range.

    Raises
    ------
    ValueError
        If ``inside`` is false or the value is not finite.
    """
    if not (inside and math.isfinite(value)):
        raise ValueError(f"{name} must be {wanted}, got {value}")
