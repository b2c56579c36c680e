"""Adam (Kingma, Ba 2015, arXiv 1412.6980) on all restarts of all signals at once.

Adam is elementwise: restarts and signals share the step's arithmetic and nothing else.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable

import torch
from torch import Tensor

from ganprior.solvers.engine.descent import Project, Rates

BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8


class Adam:
    """Algorithm 1 of the paper, with the rate of ``rate``.

    Parameters
    ----------
    z : Tensor
        Latents to start from, (R, B, k).
    rates : Rates
        Gives the rates and the number of steps.
    project : callable
        Maps latents into the feasible set after each step.
    metric : Tensor, optional
        Not used: Adam scales every entry by itself.
    """

    def __init__(
        self, z: Tensor, rates: Rates, project: Project, metric: Tensor | None = None
    ) -> None:
        self.rates = rates
        self.project = project
        self.z = z.clone()
        self.moment1 = torch.zeros_like(z)
        self.moment2 = torch.zeros_like(z)

    def trial(self) -> Tensor:
        """Where each restart stands."""
        return self.z

    def take(self, value: Tensor, gradient: Tensor, step: int) -> None:
        """Move against the gradient (R, B, k)."""
        self.moment1 = BETA1 * self.moment1 + (1 - BETA1) * gradient
        self.moment2 = BETA2 * self.moment2 + (1 - BETA2) * gradient.square()
        m_hat = self.moment1 / (1 - BETA1**step)
        v_hat = self.moment2 / (1 - BETA2**step)
        move = rate(self.rates, step) * m_hat / (v_hat.sqrt() + EPSILON)
        self.z = self.project(self.z - move)

    def map(self, choose: Callable[[Tensor], Tensor]) -> Adam:
        """Return the state of some restarts and signals."""
        part = copy.copy(self)
        part.z, part.moment1, part.moment2 = map(choose, (self.z, self.moment1, self.moment2))
        return part


def rate(rates: Rates, step: int) -> float:
    """Learning rate at a step, 1 to ``rates.steps``: a cosine from the first to the final rate."""
    progress = (step - 1) / max(1, rates.steps - 1)
    span = rates.learning_rate - rates.final_rate
    return rates.final_rate + span * (1 + math.cos(math.pi * progress)) / 2
