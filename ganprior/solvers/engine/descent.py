"""First-order descents: what a race needs to know of Adam and of L-BFGS."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, Self

from torch import Tensor

Project = Callable[[Tensor], Tensor]


class Rates(Protocol):
    """What a descent reads of an effort."""

    @property
    def steps(self) -> int:
        """Number of steps."""

    @property
    def learning_rate(self) -> float:
        """Rate of the first step, or length of the first move."""

    @property
    def final_rate(self) -> float:
        """Rate of the last step."""


class Descent(Protocol):
    """State of a descent from R starts of B signals; everything is (R, B, ...).

    A step is one evaluation of objective and gradient at the trial points, and
    :meth:`take` with what was found there. Signals and restarts never mix.
    """

    def __init__(
        self, z: Tensor, rates: Rates, project: Project, metric: Tensor | None = None
    ) -> None:
        """Stand at latents (R, B, k); ``project`` maps latents into the feasible set.

        ``metric``, (k, k), is the inverse of the mean curvature up to a factor, where it is known.
        """

    def trial(self) -> Tensor:
        """Latents to evaluate next, (R, B, k)."""

    def take(self, value: Tensor, gradient: Tensor, step: int) -> None:
        """Take in objective (R, B) and gradient (R, B, k) at the trial points of a step."""

    def map(self, choose: Callable[[Tensor], Tensor]) -> Self:
        """Return the state of the restarts and signals that ``choose`` picks of a tensor."""
