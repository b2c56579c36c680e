"""Wasserstein GAN with gradient penalty (Gulrajani et al. 2017, arXiv 1704.00028).

The critic f descends E f(G(z)) - E f(x) + lambda E (||grad f(x^)|| - 1)^2 (equation 3), with
x^ uniform on the line between a real and a generated image (Algorithm 1); the generator descends
-E f(G(z)).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

Score = Callable[[Tensor], Tensor]


def critic_loss(real: Tensor, fake: Tensor) -> Tensor:
    """E f(G(z)) - E f(x): minus the estimate of the Wasserstein distance, from values (B,)."""
    return fake.mean() - real.mean()


def generator_loss(fake: Tensor) -> Tensor:
    """-E f(G(z)), from the critic's values (B,) of generated images."""
    return -fake.mean()


def gradient_penalty(score: Score, real: Tensor, fake: Tensor, mix: Tensor) -> Tensor:
    """E (||grad f(x^)|| - 1)^2 at x^ = mix * real + (1 - mix) * fake.

    Parameters
    ----------
    score : callable
        The critic f, (B, C, H, W) to (B,).
    real, fake : Tensor
        Images, (B, C, H, W).
    mix : Tensor
        Position on each line in [0, 1], (B,).

    Notes
    -----
    The norm is over all axes of a sample: x is one vector in equation (3). A widely copied port
    takes it over the channel axis alone, which is another penalty.
    """
    mix = mix.view(-1, 1, 1, 1)
    between = (mix * real + (1 - mix) * fake).requires_grad_(True)
    (gradient,) = torch.autograd.grad(score(between).sum(), between, create_graph=True)
    return (gradient.flatten(1).norm(dim=1) - 1).square().mean()


@dataclass(frozen=True)
class WassersteinGP:
    """The objective as the training loop uses it.

    Attributes
    ----------
    critic_steps : int
        Critic steps before each generator step (n_critic in Algorithm 1, where it is 5).
    penalty_weight : float
        lambda in equation (3).
    """

    critic_steps: int = 5
    penalty_weight: float = 10.0
    discriminator_output: ClassVar[str] = "critic"
    discriminator_batch_norm: ClassVar[bool] = False

    def discriminator_loss(
        self, score: Score, real: Tensor, fake: Tensor, rng: torch.Generator
    ) -> Tensor:
        """Equation (3)."""
        on_real, on_fake = score(torch.cat([real, fake])).chunk(2)
        mix = torch.rand(len(real), generator=rng, device=rng.device).to(real)
        penalty = gradient_penalty(score, real, fake, mix)
        return critic_loss(on_real, on_fake) + self.penalty_weight * penalty

    def generator_loss(self, score: Score, fake: Tensor) -> Tensor:
        """Loss of the generator."""
        return generator_loss(score(fake))
