"""Adam (Kingma, Ba 2015, arXiv 1412.6980) on all restarts of all signals at once.

Adam is elementwise: restarts and signals share the step's arithmetic and nothing else.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from ganprior.solvers.engine.problem import Problem

BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8


@dataclass(frozen=True)
class Adam:
    """Algorithm 1 of the paper.

    Attributes
    ----------
    learning_rate : float
        Rate of the first step.
    final_rate : float, optional
        Rate of the last step, with a cosine between; that of the first one by default.

    Raises
    ------
    ValueError
        If they do not satisfy ``0 < final_rate <= learning_rate``.
    """

    learning_rate: float
    final_rate: float | None = None

    def __post_init__(self) -> None:
        if not 0 < self.last_rate <= self.learning_rate:
            raise ValueError(
                "learning_rate and final_rate must satisfy 0 < final_rate <= learning_rate, "
                f"got {self.learning_rate} and {self.last_rate}"
            )

    @property
    def last_rate(self) -> float:
        """Rate of the last step."""
        return self.learning_rate if self.final_rate is None else self.final_rate

    def rate(self, step: int, steps: int) -> float:
        """Learning rate at a step, 1 to ``steps``."""
        progress = (step - 1) / max(1, steps - 1)
        span = self.learning_rate - self.last_rate
        return self.last_rate + span * (1 + math.cos(math.pi * progress)) / 2

    def prepare(self, problem: Problem) -> float:
        """Nothing is needed."""
        return 0.0

    def begin(self, problem: Problem, z: Tensor, steps: int) -> AdamWalk:
        """Stand at latents (R, B, k) for so many steps."""
        return AdamWalk(problem.project(z), self, steps, problem.project)

    def with_rate(self, rate: float) -> Adam:
        """Return Adam with another first rate, and the last one in proportion."""
        return Adam(rate, self.final_rate and self.final_rate * rate / self.learning_rate)


class AdamWalk:
    """State of Adam at latents (R, B, k); points are projected after each step."""

    def __init__(
        self, z: Tensor, adam: Adam, steps: int, project: Callable[[Tensor], Tensor]
    ) -> None:
        self.rate: Callable[[int], float] = lambda step: adam.rate(step, steps)
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
        self.z = self.project(self.z - self.rate(step) * m_hat / (v_hat.sqrt() + EPSILON))

    def map(self, choose: Callable[[Tensor], Tensor]) -> AdamWalk:
        """Return the state of some restarts and signals."""
        part = copy.copy(self)
        part.z, part.moment1, part.moment2 = map(choose, (self.z, self.moment1, self.moment2))
        return part
