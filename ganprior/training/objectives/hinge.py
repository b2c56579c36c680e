"""Hinge loss.

J. H. Lim, J. C. Ye, "Geometric GAN", 2017, arXiv 1705.02894; T. Miyato et al., "Spectral
Normalization for Generative Adversarial Networks", 2018, arXiv 1802.05957, equations (16), (17).

The discriminator ascends E min(0, D(x) - 1) + E min(0, -D(G(z)) - 1), the generator E D(G(z)).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import relu

from ganprior.registry import register
from ganprior.training.objectives.objective import Objective, Score


def discriminator_loss(real: Tensor, fake: Tensor) -> Tensor:
    """Equation (16) of Miyato et al., negated, from D (B,) of both kinds of images."""
    return relu(1 - real).mean() + relu(1 + fake).mean()


def generator_loss(fake: Tensor) -> Tensor:
    """Equation (17) of Miyato et al., from D (B,) of generated images."""
    return -fake.mean()


@register("objective", "hinge", "hinge loss of the discriminator")
@dataclass(frozen=True)
class Hinge(Objective):
    """The objective as the training loop uses it.

    Attributes
    ----------
    critic_steps : int
        Discriminator steps before each generator step.
    """

    def discriminator_loss(
        self, score: Score, real: Tensor, fake: Tensor, rng: torch.Generator
    ) -> Tensor:
        """Equation (16); each kind of images is its own batch for batch norm."""
        return discriminator_loss(score(real), score(fake))

    def generator_loss(self, score: Score, fake: Tensor) -> Tensor:
        """Equation (17)."""
        return generator_loss(score(fake))

    def distance(self, real: Tensor, fake: Tensor) -> Tensor:
        """Lower bound of the total variation distance, int |p - q| / 2, exact at the best D.

        The best D is the sign of p - q, where the loss is 2 int min(p, q).
        """
        return 1 - discriminator_loss(real, fake) / 2
