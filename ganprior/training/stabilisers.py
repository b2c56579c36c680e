"""Remedies against unstable training that go with any objective.

Soft and flipped labels are options of the objectives that have labels
(``ganprior.training.objectives.minimax``); noise and dropout inside the generator and spectral
normalisation belong to the networks.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import normalize

from ganprior.streams import standard_normal


@dataclass(frozen=True)
class InputNoise:
    """Gaussian noise on whatever the discriminator sees, real or generated, fading away.

    C. K. Sonderby et al., "Amortised MAP Inference for Image Super-resolution", 2017, arXiv
    1610.04490, section 3.3 (instance noise); M. Arjovsky, L. Bottou, "Towards Principled Methods
    for Training Generative Adversarial Networks", 2017, arXiv 1701.04862, section 3: with noise
    the two distributions overlap, and no discriminator tells them apart for certain.

    Attributes
    ----------
    std : float
        Standard deviation at step 0, for images in [-1, 1].
    steps : int
        Generator step from which there is none; before, it falls linearly. 0: it stays.

    Raises
    ------
    ValueError
        If either is negative, or ``std`` is not finite.
    """

    std: float
    steps: int = 0

    def __post_init__(self) -> None:
        if not (self.std >= 0 and math.isfinite(self.std)):
            raise ValueError(f"std must be a finite number of at least 0, got {self.std}")
        if self.steps < 0:
            raise ValueError(f"steps must be at least 0, got {self.steps}")

    def std_at(self, step: int) -> float:
        """Standard deviation at a generator step, counted from 0."""
        return self.std * max(0.0, 1 - step / self.steps) if self.steps else self.std

    def __call__(self, x: Tensor, step: int, rng: torch.Generator) -> Tensor:
        """x + N(0, std^2), differentiable in x; x itself, and no draw, once there is no noise."""
        std = self.std_at(step)
        if not std:
            return x
        noise = standard_normal(x.shape, rng)
        return x + std * noise.to(x)


def closeness_penalty(samples: Tensor) -> Tensor:
    """Mean squared cosine between the samples of a minibatch, which the generator descends.

    The pulling-away term of J. Zhao, M. Mathieu, Y. LeCun, "Energy-based Generative Adversarial
    Networks", 2017, arXiv 1609.03126, section 2.4:
    sum_i sum_(j != i) (s_i . s_j / (||s_i|| ||s_j||))^2 / (B (B - 1)).

    Parameters
    ----------
    samples : Tensor
        What is to spread, (B, ...): features of generated images (the paper's choice), or images
        whose background is 0, such as (x + 1) / 2 of digits.

    Returns
    -------
    Tensor
        Scalar in [0, 1]: 0 if all are orthogonal, 1 if all are multiples of one.

    Raises
    ------
    ValueError
        If there are fewer than two samples.
    """
    count = len(samples)
    if count < 2:
        raise ValueError(f"samples must be at least 2, got {count}; enlarge the batch")
    directions = normalize(samples.flatten(1), dim=1)
    # Squared cosines, off the diagonal.
    return (directions @ directions.T).square().triu(1).sum() * 2 / (count * (count - 1))
