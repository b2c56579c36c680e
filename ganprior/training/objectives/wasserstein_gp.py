"""Wasserstein GAN with gradient penalty.

I. Gulrajani et al., "Improved Training of Wasserstein GANs", 2017, arXiv 1704.00028.

The critic f descends E f(G(z)) - E f(x) + lambda E (||grad f(x^)|| - 1)^2 (equation 3), with
x^ uniform on the line between a real and a generated image (Algorithm 1); the generator descends
-E f(G(z)).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ganprior.registry import register
from ganprior.streams import uniform
from ganprior.training.objectives.objective import Score, check
from ganprior.training.objectives.wasserstein import Wasserstein, critic_loss


def gradient_penalty(score: Score, real: Tensor, fake: Tensor, mix: Tensor) -> Tensor:
    """E (||grad f(x^)|| - 1)^2 at x^ = mix * real + (1 - mix) * fake (equation 3).

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


@register("objective", "wgan-gp", "Wasserstein distance with a gradient penalty")
@dataclass(frozen=True)
class WassersteinGP(Wasserstein):
    """The objective as the training loop uses it.

    Attributes
    ----------
    critic_steps : int
        Critic steps before each generator step (n_critic in Algorithm 1, where it is 5).
    penalty_weight : float
        lambda in equation (3).

    Raises
    ------
    ValueError
        If a number is outside its range.
    """

    penalty_weight: float = 10.0

    def __post_init__(self) -> None:
        super().__post_init__()
        check("penalty_weight", self.penalty_weight, self.penalty_weight >= 0, "at least 0")

    @property
    def discriminator_batch_norm(self) -> bool:
        """Batch norm would couple the samples whose gradients are penalised one by one."""
        return False

    def discriminator_loss(
        self, score: Score, real: Tensor, fake: Tensor, rng: torch.Generator
    ) -> Tensor:
        """Equation (3)."""
        on_real, on_fake = score(torch.cat([real, fake])).chunk(2)
        mix = uniform((len(real),), rng).to(real)
        penalty = gradient_penalty(score, real, fake, mix)
        return critic_loss(on_real, on_fake) + self.penalty_weight * penalty
