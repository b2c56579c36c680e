"""Wasserstein GAN, its critic held back by clipped weights or by clipped gradients.

M. Arjovsky, S. Chintala, L. Bottou, "Wasserstein GAN", 2017, arXiv 1701.07875.

W(P, Q) = sup E_P f - E_Q f over all f with slope at most 1 (equation 2). The critic f ascends that
difference over a compact set of weights, which bounds its slope by some constant K (equation 3);
the generator descends -E f(G(z)). Algorithm 1, with its defaults: RMSProp of rate 5e-5, c = 0.01,
batches of m = 64, 5 critic steps. The optimiser and the batch size belong to the recipe.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ganprior.registry import register
from ganprior.training.objectives.objective import Objective, Score, check


def critic_loss(real: Tensor, fake: Tensor) -> Tensor:
    """E f(G(z)) - E f(x): minus the estimate of the Wasserstein distance, from values (B,)."""
    return fake.mean() - real.mean()


def generator_loss(fake: Tensor) -> Tensor:
    """-E f(G(z)), from the critic's values (B,) of generated images."""
    return -fake.mean()


@dataclass(frozen=True)
class Wasserstein(Objective):
    """Equation (2) for both players, the critic unbounded: the base of what bounds it.

    Attributes
    ----------
    critic_steps : int
        n_critic in Algorithm 1.
    """

    critic_steps: int = 5

    def discriminator_loss(
        self, score: Score, real: Tensor, fake: Tensor, rng: torch.Generator
    ) -> Tensor:
        """Loss of the critic; each kind of images is its own batch for batch norm."""
        return critic_loss(score(real), score(fake))

    def generator_loss(self, score: Score, fake: Tensor) -> Tensor:
        """Loss of the generator."""
        return generator_loss(score(fake))

    def distance(self, real: Tensor, fake: Tensor) -> Tensor:
        """E f(x) - E f(G(z)): the Wasserstein distance up to the critic's slope K."""
        return -critic_loss(real, fake)


@register("objective", "wgan", "Wasserstein distance, the critic's weights clipped")
@dataclass(frozen=True)
class WassersteinClip(Wasserstein):
    """Algorithm 1: after every critic step, every weight is clipped.

    Attributes
    ----------
    critic_steps : int
        n_critic in Algorithm 1.
    clip : float
        c in Algorithm 1: weights are kept in [-c, c].

    Raises
    ------
    ValueError
        If a number is outside its range.
    """

    clip: float = 0.01

    def __post_init__(self) -> None:
        super().__post_init__()
        check("clip", self.clip, self.clip > 0, "positive")

    @torch.no_grad()
    def after_step(self, discriminator: nn.Module) -> None:
        """w <- clip(w, -c, c), for all parameters, those of batch norm too."""
        for parameter in discriminator.parameters():
            parameter.clamp_(-self.clip, self.clip)


@register("objective", "wgan-gradient-clip", "Wasserstein distance, the critic's gradient clipped")
@dataclass(frozen=True)
class WassersteinGradientClip(Wasserstein):
    """The critic's gradient is clipped before each of its steps instead of its weights.

    R. Pascanu, T. Mikolov, Y. Bengio, "On the difficulty of training recurrent neural networks",
    2013, arXiv 1211.5063, Algorithm 1. It bounds how far the critic moves in a step, not its
    slope: ``distance`` is comparable within a run, not between runs.

    Attributes
    ----------
    critic_steps : int
        n_critic in Algorithm 1 of Arjovsky et al.
    clip : float
        Largest Euclidean norm of the gradient, over all parameters together.

    Raises
    ------
    ValueError
        If a number is outside its range.
    """

    clip: float = 1.0

    def __post_init__(self) -> None:
        super().__post_init__()
        check("clip", self.clip, self.clip > 0, "positive")

    def after_backward(self, discriminator: nn.Module) -> None:
        """g <- g min(1, clip / ||g||)."""
        nn.utils.clip_grad_norm_(discriminator.parameters(), self.clip)
