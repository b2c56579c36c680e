"""Further rounds: signals are solved again until two rounds agree on the minimum.

A descent sometimes ends in a local minimum that is not the lowest. The next round then starts from
``SHRINK`` times the latent at which the last round ended: the start keeps most of what that latent
has right, and it lies outside of the basin of that minimum. (This is iterated local search; compare
basin hopping, D. J. Wales, J. P. K. Doye, J. Physical Chemistry A 101, 1997, whose moves are
random.) The next round starts from the last result even where an earlier one was lower; the lowest
of all is returned.

Three rules say when a signal has no further round:

- two rounds end at the same objective, up to ``AGREE``: this is probably the lowest minimum, and it
  is the usual end for real images;
- the objective is above a limit that falls with the number of the round: the signal is far from the
  generator's range, where a lower minimum is not worth its cost;
- the objective is below ``EXACT``: the generator makes the signal exactly.

Signals whose objective is between ``EXACT`` and ``NEAR`` are an exception. They are mostly images
that the generator can make exactly, so that two equal rounds do not end the search, and from the
second further round on they start from other latents of the bank, with racing.
"""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass, replace
from typing import ClassVar

import torch
from torch import Tensor

from ganprior.solvers.engine.by_measurements import DETERMINED
from ganprior.solvers.engine.candidates import Candidates, silent
from ganprior.solvers.engine.effort import Stage, check_at_least, run
from ganprior.solvers.engine.problem import Problem

# A signal is exact where its objective is below EXACT times its scale, and nearly so below NEAR.
EXACT, NEAR = 1e-8, 8e-4
# Two rounds agree where their objectives differ by at most this fraction of the lower one.
AGREE = 0.05
# Factor between the last latent and the next start. A smaller one made rounds longer and found no
# more; with a larger one more rounds ended in the same minimum again.
SHRINK = 0.75
# With more measurements fewer signals end in a wrong minimum, and a search is worth less. The
# power was chosen on Fashion-MNIST at m = 192 and 300, for the sake of time as well.
SURPLUS = 6

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Rounds(Stage):
    """Stages that are run again on the signals on which two runs of them disagree.

    Attributes
    ----------
    most : int
        Further rounds at most.
    stages : tuple of Stage
        A round.
    reach : float
        Signals whose objective is this multiple of its scale or more have no further round, and no
        n-th one those of ``reach / n^2`` or more, unless they are nearly exact. Beyond
        ``DETERMINED`` measurements per latent entry it falls with their power ``SURPLUS``.
    fresh : int
        Starts of a round that sets out from other latents of the bank.

    Raises
    ------
    ValueError
        If a number is out of range.
    """

    holds: ClassVar[tuple[str, ...]] = ("stages",)

    most: int
    stages: tuple[Stage, ...]
    reach: float = math.inf
    fresh: int = 1

    def __post_init__(self) -> None:
        check_at_least(0, self, "most", "reach")
        check_at_least(1, self, "fresh")

    def run(self, problem: Problem, candidates: Candidates) -> Candidates:
        """Run the stages, and again where that is of use; the best of each signal is left."""
        found = run(self.stages, problem, candidates).best()
        again = replace(candidates, progress=silent)
        last = found.z.clone()
        unsettled = torch.ones_like(found.value[0], dtype=torch.bool)
        reach = self._reach(problem)
        for number in range(1, self.most + 1):
            # Comparisons with NaN are false: a signal whose objective is NaN has no round.
            relative = found.value[0] / problem.scale
            unsettled &= (relative > EXACT) & (relative < (reach / number**2).clamp(min=NEAR))
            near = unsettled & (relative < NEAR)
            fresh = near if number > 1 else torch.zeros_like(near)
            starts = self._other_starts(candidates.spare, number)
            for group, z in ((unsettled & ~fresh, SHRINK * last), (fresh, starts)):
                signals = group.nonzero()[:, 0]
                if len(signals) == 0:
                    continue
                logger.info("round %d, %d images", number + 1, len(signals))
                part = again.subset(signals).moved(z[:, signals])
                other = run(self.stages, problem.subset(signals), part).best()
                last[:, signals] = other.z
                before = found.value[0, signals]
                lower = torch.minimum(before, other.value[0])
                equal = (other.value[0] - before).abs() <= AGREE * lower
                unsettled[signals] &= ~(equal & ~near[signals])
                found = _better(found, other, signals)
        return found

    def _reach(self, problem: Problem) -> Tensor:
        surplus = problem.measurements.double() / (DETERMINED * problem.prior.latent.size)
        return self.reach / surplus.clamp(min=1) ** SURPLUS

    def _other_starts(self, spare: Tensor, number: int) -> Tensor:
        # A small bank gives its last entries over again.
        first = max(0, min((number - 2) * self.fresh, len(spare) - self.fresh))
        return spare[first : first + self.fresh]


def _better(found: Candidates, other: Candidates, signals: Tensor) -> Candidates:
    """Take over what is lower in the result of a further round; both have one row."""
    # A comparison with NaN is False.
    lower = other.value < found.value[:, signals]
    own = {name: getattr(found, name).clone() for name in ("z", "value", "converged")}
    for name, tensor in own.items():
        chosen = lower[..., None] if name == "z" else lower
        tensor[:, signals] = torch.where(chosen, getattr(other, name), tensor[:, signals])
    steps = found.steps.clone()
    steps[:, signals] += other.steps
    return replace(found, **own, steps=steps)
