"""From where a baseline ended to the Solution that it returns."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from ganprior.solution import Solution, Status, relative_residual, squared_norm


@dataclass(frozen=True)
class Outcome:
    """Where a method ended, one entry per signal in every field.

    Attributes
    ----------
    x : Tensor
        Images, (B, C, H, W).
    objective : Tensor
        Value that the method minimised, (B,).
    converged : Tensor
        Whether its stopping rule held, bool, (B,).
    steps : Tensor
        Steps taken, int64, (B,).
    settings : dict
        As those of :class:`~ganprior.solution.Solution`.
    """

    x: Tensor
    objective: Tensor
    converged: Tensor
    steps: Tensor
    settings: dict[str, Any] = field(default_factory=dict)

    def solution(self, y: Tensor, physics: Any, finite: Tensor) -> Solution:
        """Report; signals that are not ``finite``, (B,), get an image of zeros and NaN."""
        finite = finite & self.objective.isfinite()
        x = torch.where(finite.reshape(-1, 1, 1, 1), self.x, torch.zeros_like(self.x))
        error = squared_norm(y - physics.A(x))
        return Solution(
            x=x,
            measurement_error=error,
            relative_residual=relative_residual(error, squared_norm(y)),
            objective=torch.where(finite, self.objective, torch.nan),
            status=_statuses(finite, self.converged),
            steps=self.steps,
            settings=self.settings,
        )


def _statuses(finite: Tensor, converged: Tensor) -> tuple[Status, ...]:
    def status(finite: bool, converged: bool) -> Status:
        if not finite:
            return Status.NONFINITE
        return Status.CONVERGED if converged else Status.MAX_STEPS

    return tuple(map(status, finite.tolist(), converged.tolist()))
