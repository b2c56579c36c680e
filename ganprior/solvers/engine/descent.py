"""First-order descents: what ``Descend`` needs to know of Adam and of L-BFGS."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, Self

from torch import Tensor

from ganprior.solvers.engine.problem import Problem


class Walk(Protocol):
    """State of a descent from R starts of B signals; everything is (R, B, ...).

    A step is one evaluation of objective and gradient at the trial points, and
    :meth:`take` with what was found there. Signals and restarts never mix.
    """

    def trial(self) -> Tensor:
        """Latents to evaluate next, (R, B, k)."""

    def take(self, value: Tensor, gradient: Tensor, step: int) -> None:
        """Take in objective (R, B) and gradient (R, B, k) at the trial points of a step."""

    def map(self, choose: Callable[[Tensor], Tensor]) -> Self:
        """Return the state of the restarts and signals that ``choose`` picks of a tensor."""


class Descent(Protocol):
    """A way to go down, with its numbers."""

    def prepare(self, problem: Problem) -> float:
        """Compute what is needed once per prior; the seconds that it took."""

    def begin(self, problem: Problem, z: Tensor, steps: int) -> Walk:
        """Stand at latents (R, B, k) for so many steps."""

    def with_rate(self, rate: float) -> Self:
        """Return the descent with another first rate."""
