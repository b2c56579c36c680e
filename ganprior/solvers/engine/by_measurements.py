"""A stage that searches signals by how many measurements there are of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from ganprior.solvers.engine.candidates import Candidates, joined
from ganprior.solvers.engine.effort import Stage, run
from ganprior.solvers.engine.problem import Problem

# Measurements per latent entry from which a problem counts as determined.
DETERMINED = 3


@dataclass(frozen=True)
class ByMeasurements(Stage):
    """Stages for signals whose measurements may determine the latent, and for others.

    Where they do a lower objective means a lower error, and the one minimum that is exact is worth
    a longer search.

    Attributes
    ----------
    fewer : tuple of Stage
        For signals of fewer than ``DETERMINED`` measurements per latent entry, and for all where a
        number of restarts or steps is asked for.
    determined : tuple of Stage
        For the others.
    """

    holds: ClassVar[tuple[str, ...]] = ("fewer", "determined")

    fewer: tuple[Stage, ...]
    determined: tuple[Stage, ...]

    def run(self, problem: Problem, candidates: Candidates) -> Candidates:
        """Run each part's stages on its signals; the best of each signal is left."""
        many = _determined(problem)
        found, groups = [], []
        for stages, own in ((self.fewer, ~many), (self.determined, many)):
            signals = own.nonzero()[:, 0]
            if len(signals):
                part = candidates.subset(signals)
                found.append(run(stages, problem.subset(signals), part).best())
                groups.append(signals)
        return joined(found, groups)

    def on(self, problem: Problem) -> tuple[Stage, ...]:
        """Return the stages for the signal of the fewest measurements."""
        stages = self.determined if bool(_determined(problem).all()) else self.fewer
        return tuple(part for stage in stages for part in stage.on(problem))

    def plain(self) -> tuple[Stage, ...]:
        """Return the stages for fewer measurements."""
        return self.fewer


def _determined(problem: Problem) -> Tensor:
    return problem.measurements >= DETERMINED * problem.prior.latent.size
