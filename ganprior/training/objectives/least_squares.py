"""Least-squares GAN.

X. Mao et al., "Least Squares Generative Adversarial Networks", 2017, arXiv 1611.04076.

The discriminator descends E (D(x) - b)^2 / 2 + E (D(G(z)) - a)^2 / 2 and the generator
E (D(G(z)) - c)^2 / 2 (equation 2). D is the raw output of the network, a critic.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ganprior.registry import register
from ganprior.training.objectives.objective import Objective, Score, check


def discriminator_loss(
    real: Tensor, fake: Tensor, real_target: float = 1.0, fake_target: float = 0.0
) -> Tensor:
    """Equation (2), from D (B,) of both kinds of images; the targets are b and a."""
    return ((real - real_target).square().mean() + (fake - fake_target).square().mean()) / 2


def generator_loss(fake: Tensor, generator_target: float = 1.0) -> Tensor:
    """Equation (2), from D (B,) of generated images; the target is c."""
    return (fake - generator_target).square().mean() / 2


@register("objective", "least-squares", "least squares of both players")
@dataclass(frozen=True)
class LeastSquares(Objective):
    """Equation (2) for both players.

    Attributes
    ----------
    critic_steps : int
        Discriminator steps before each generator step.
    real_target, fake_target, generator_target : float
        b, a and c. The defaults are the 0-1 coding (equation 9), which the paper trains with;
        1, -1 and 0 make the generator minimise a Pearson divergence (equation 8).

    Raises
    ------
    ValueError
        If a number is outside its range, or ``real_target`` is not above ``fake_target``.
    """

    real_target: float = 1.0
    fake_target: float = 0.0
    generator_target: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        real, fake, own = self.real_target, self.fake_target, self.generator_target
        check("fake_target", fake, True, "a number")
        check("real_target", real, real > fake, f"above fake_target ({fake})")
        check("generator_target", own, own > fake, f"above fake_target ({fake})")

    def discriminator_loss(
        self, score: Score, real: Tensor, fake: Tensor, rng: torch.Generator
    ) -> Tensor:
        """Equation (2); each kind of images is its own batch for batch norm."""
        return discriminator_loss(score(real), score(fake), self.real_target, self.fake_target)

    def generator_loss(self, score: Score, fake: Tensor) -> Tensor:
        """Equation (2)."""
        return generator_loss(score(fake), self.generator_target)

    def distance(self, real: Tensor, fake: Tensor) -> Tensor:
        """Lower bound of int (p - q)^2 / (p + q), exact at the best D.

        That is the Pearson divergence of p + q and 2 q which the paper's proof ends with.
        """
        loss = discriminator_loss(real, fake, self.real_target, self.fake_target)
        return 2 - 8 * loss / (self.real_target - self.fake_target) ** 2
