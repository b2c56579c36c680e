"""Non-saturating GAN (Goodfellow et al. 2014, arXiv 1406.2661).

The discriminator ascends equation (1), E log D(x) + E log(1 - D(G(z))); the generator ascends
E log D(G(z)) instead of descending the second term (section 3), because log(1 - D) is flat where
the discriminator is sure. D is the sigmoid of the network's output l, so that
-log D = softplus(-l) and -log(1 - D) = softplus(l).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn.functional import softplus

Score = Callable[[Tensor], Tensor]


def discriminator_loss(real: Tensor, fake: Tensor) -> Tensor:
    """Equation (1), negated: mean over the batch, from logits (B,) of both kinds of images."""
    return softplus(-real).mean() + softplus(fake).mean()


def generator_loss(fake: Tensor) -> Tensor:
    """-E log D(G(z)), from the logits (B,) of generated images."""
    return softplus(-fake).mean()


@dataclass(frozen=True)
class NonSaturating:
    """The objective as the training loop uses it.

    Attributes
    ----------
    critic_steps : int
        Discriminator steps before each generator step (k in Algorithm 1).
    """

    critic_steps: int = 1
    discriminator_output: ClassVar[str] = "probability"
    discriminator_batch_norm: ClassVar[bool] = True

    def discriminator_loss(
        self, score: Score, real: Tensor, fake: Tensor, rng: torch.Generator
    ) -> Tensor:
        """Loss of the discriminator; each kind of images is its own batch for batch norm."""
        return discriminator_loss(score(real), score(fake))

    def generator_loss(self, score: Score, fake: Tensor) -> Tensor:
        """Loss of the generator."""
        return generator_loss(score(fake))
