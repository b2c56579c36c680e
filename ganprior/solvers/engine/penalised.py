"""A stage that pulls latents to where their law has them while others run."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import torch

from ganprior.solvers.engine.candidates import Candidates
from ganprior.solvers.engine.effort import Stage, check_at_least, run
from ganprior.solvers.engine.problem import Problem


@dataclass(frozen=True)
class Penalised(Stage):
    """Stages that minimise the objective plus ``weight * its scale * ||z||^2``.

    It keeps the latents where a Gaussian law puts them; minima beside the right one lie further
    out. What the stages leave is evaluated without the penalty, and the first start is added to
    it: a start that is exact already, such as one of the caller's, would be spoilt.

    Attributes
    ----------
    weight : float
        At least 0.
    stages : tuple of Stage
        First-order ones.

    Raises
    ------
    ValueError
        If the weight is negative.
    """

    holds: ClassVar[tuple[str, ...]] = ("stages",)

    weight: float
    stages: tuple[Stage, ...]

    def __post_init__(self) -> None:
        check_at_least(0, self, "weight")

    def run(self, problem: Problem, candidates: Candidates) -> Candidates:
        """Run the stages on the penalised problem."""
        found = run(self.stages, problem.penalised(self.weight), candidates)
        z = torch.cat([found.z, candidates.z[:1]])
        return replace(
            found,
            z=z,
            value=problem.value(z),
            restart=torch.cat([found.restart, candidates.restart[:1]]),
            steps=torch.cat([found.steps, found.steps[:1]]),
            converged=torch.cat([found.converged, found.converged[:1]]),
        )
