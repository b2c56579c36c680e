"""Generative adversarial nets: the minimax game and its non-saturating variant.

I. Goodfellow et al., "Generative Adversarial Networks", 2014, arXiv 1406.2661.

The discriminator ascends equation (1), E log D(x) + E log(1 - D(G(z))), k times for every step of
the generator (Algorithm 1). The generator descends the second term (minimax) or ascends
E log D(G(z)) instead (non-saturating, section 3), because log(1 - D) is flat where the
discriminator is sure. D is the sigmoid of the network's output l, so that -log D = softplus(-l)
and -log(1 - D) = softplus(l).

Soft labels: T. Salimans et al., "Improved Techniques for Training GANs", 2016, arXiv 1606.03498,
section 3.4: real images count as real to the extent alpha and generated ones to the extent beta;
one-sided with beta = 0, where the best D is at most alpha; two-sided otherwise.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import softplus

from ganprior.registry import register
from ganprior.streams import uniform
from ganprior.training.objectives.objective import Objective, Score, check


def cross_entropy(logits: Tensor, labels: Tensor | float) -> Tensor:
    """-E [y log D + (1 - y) log(1 - D)], from logits (B,) and labels y in [0, 1]."""
    return (labels * softplus(-logits) + (1 - labels) * softplus(logits)).mean()


def discriminator_loss(
    real: Tensor, fake: Tensor, real_label: Tensor | float = 1.0, fake_label: Tensor | float = 0.0
) -> Tensor:
    """Equation (1), negated, from logits (B,) of both kinds; labels alpha and beta of Salimans."""
    return cross_entropy(real, real_label) + cross_entropy(fake, fake_label)


def minimax_generator_loss(fake: Tensor) -> Tensor:
    """E log(1 - D(G(z))) (equation 1), from the logits (B,) of generated images."""
    return -softplus(fake).mean()


def non_saturating_generator_loss(fake: Tensor) -> Tensor:
    """-E log D(G(z)) (section 3), from the logits (B,) of generated images."""
    return softplus(-fake).mean()


def flip_labels(
    logits: Tensor, label: float, other: float, probability: float, rng: torch.Generator
) -> Tensor:
    """Labels (B,) for logits (B,), each ``other`` instead of ``label`` with a probability."""
    flipped = uniform((len(logits),), rng) < probability
    return torch.where(flipped, other, label).to(logits)


@register("objective", "minimax", "the original game, both players by equation (1)")
@dataclass(frozen=True)
class Minimax(Objective):
    """Equation (1) for both players.

    Attributes
    ----------
    critic_steps : int
        k in Algorithm 1.
    real_label, fake_label : float
        What the discriminator is told of real and of generated images, in [0, 1]; 0.9 and 0 are
        one-sided soft labels.
    flip_probability : float
        How often an image's label is exchanged for that of the other kind, in [0, 0.5): one of
        the practitioners' remedies against a discriminator that wins too early.

    Raises
    ------
    ValueError
        If a number is outside its range, or ``real_label`` is not above ``fake_label``.
    """

    real_label: float = 1.0
    fake_label: float = 0.0
    flip_probability: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        real, fake, flip = self.real_label, self.fake_label, self.flip_probability
        check("fake_label", fake, 0 <= fake < 1, "in [0, 1)")
        check("real_label", real, fake < real <= 1, f"above fake_label ({fake}) and at most 1")
        check("flip_probability", flip, 0 <= flip < 0.5, "in [0, 0.5)")

    @property
    def discriminator_output(self) -> str:
        """The raw output is the logit of D(x)."""
        return "probability"

    def discriminator_loss(
        self, score: Score, real: Tensor, fake: Tensor, rng: torch.Generator
    ) -> Tensor:
        """Loss of the discriminator; each kind of images is its own batch for batch norm."""
        on_real, on_fake = score(real), score(fake)
        labels: tuple[Tensor | float, Tensor | float] = (self.real_label, self.fake_label)
        if self.flip_probability:
            a, b, p = self.real_label, self.fake_label, self.flip_probability
            labels = (flip_labels(on_real, a, b, p, rng), flip_labels(on_fake, b, a, p, rng))
        return discriminator_loss(on_real, on_fake, *labels)

    def generator_loss(self, score: Score, fake: Tensor) -> Tensor:
        """Loss of the generator, equation (1)."""
        return minimax_generator_loss(score(fake))

    def distance(self, real: Tensor, fake: Tensor) -> Tensor:
        """Lower bound of the Jensen-Shannon divergence, exact at the best D (equation 6)."""
        return math.log(2) - discriminator_loss(real, fake) / 2


@register("objective", "non-saturating", "the original game with -log D(G(z)) for the generator")
@dataclass(frozen=True)
class NonSaturating(Minimax):
    """Equation (1) for the discriminator, -E log D(G(z)) for the generator (section 3)."""

    def generator_loss(self, score: Score, fake: Tensor) -> Tensor:
        """Loss of the generator."""
        return non_saturating_generator_loss(score(fake))
