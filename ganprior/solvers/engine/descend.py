"""The stage that descends from all starts of all signals, with racing.

After given fractions of the steps only the better restarts of each signal go on (successive
halving, Jamieson, Talwalkar 2016, arXiv 1502.07943). A signal whose restarts have all converged
keeps what it has, and leaves the batch.
"""

from __future__ import annotations

import logging
from collections import deque
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ganprior.solvers.engine.candidates import Candidates, pick
from ganprior.solvers.engine.descent import Descent, Walk
from ganprior.solvers.engine.effort import Stage, check_at_least
from ganprior.solvers.engine.problem import Problem

# Steps from one look at which signals have converged to the next: taking some out of the batch is
# not free.
CHECK = 2

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Descend(Stage):
    """First-order steps from every candidate.

    Attributes
    ----------
    descent : Adam or LBFGS
        How.
    steps : int
        At most, each an evaluation of objective and gradient.
    keep : tuple of (float, int)
        After this fraction of the steps so many restarts of each signal go on, those with the
        lowest objective so far.
    tolerance : float
        A restart has converged when its best objective fell by less than this fraction over
        ``window`` steps; 0 never stops early.
    window : int
        Steps over which the decrease is measured.

    Raises
    ------
    ValueError
        If a number is out of range.
    """

    descent: Descent
    steps: int
    keep: tuple[tuple[float, int], ...] = ()
    tolerance: float = 0.0
    window: int = 50

    def __post_init__(self) -> None:
        check_at_least(1, self, "steps", "window")
        check_at_least(0, self, "tolerance")
        if any(not 0 < fraction < 1 or kept < 1 for fraction, kept in self.keep):
            raise ValueError(f"keep must hold (fraction in (0, 1), restarts), got {self.keep}")

    def prepare(self, problem: Problem) -> float:
        """Compute what the descent needs once per prior."""
        return self.descent.prepare(problem)

    def run(self, problem: Problem, candidates: Candidates) -> Candidates:
        """Descend, and return of each restart the best latent on its way."""
        logger.info("descent of %d images from %d starts each", problem.count, len(candidates.z))
        way = _Way(problem, candidates, self.descent.begin(problem, candidates.z, self.steps))
        # Best objectives after each of the last ``window`` steps, the earliest first.
        past = deque([way.best.value.clone()], maxlen=self.window + 1)
        for step in range(1, self.steps + 1):
            way.step(step)
            kept = self.survivors(step)
            if kept < len(way.best.z):
                numbers = way.keep(kept)
                past = deque((pick(value, numbers) for value in past), past.maxlen)
            past.append(way.best.value.clone())
            if self.window <= step < self.steps and step % CHECK == 0:
                way.leave(self._still_falling(way.best.value, past[0]))
                if not way.going.any():
                    break
        else:
            way.look()
        # Alone a signal may leave before a stage of the race that it would be there for in a batch.
        way.keep(self.survivors(self.steps))
        return way.end()

    def survivors(self, step: int) -> int:
        """Restarts of each signal at most that are left once ``step`` steps are done."""
        kept = [kept for fraction, kept in self.keep if step >= round(fraction * self.steps)]
        return min(kept, default=2**31)

    def _still_falling(self, value: Tensor, earlier: Tensor) -> Tensor:
        """Whether any restart of a signal fell by more than the tolerance: (R, B) to bool (B,)."""
        if self.tolerance == 0:
            return torch.ones(value.shape[1], dtype=torch.bool, device=value.device)
        # Infinite minus infinite is NaN, hence False: a signal without a finite value leaves too.
        return (earlier - value > self.tolerance * value.abs()).any(0)

    @property
    def most_steps(self) -> int:
        """Their number."""
        return self.steps

    def with_steps(self, steps: int) -> Descend:
        """Return a descent of so many."""
        return replace(self, steps=steps)

    def with_rate(self, rate: float) -> Descend:
        """Return a descent at another rate."""
        return replace(self, descent=self.descent.with_rate(rate))


class _Way:
    """Where a descent is: the best of each restart so far, and the signals that still move."""

    def __init__(self, problem: Problem, candidates: Candidates, walk: Walk) -> None:
        unknown = torch.full_like(candidates.value, torch.inf)
        self.best = replace(candidates, z=candidates.z.clone(), value=unknown)
        self.walk = walk
        self.whole = self.part = problem
        # Positions of the signals in the batch, and those of them that have not converged.
        self.active = torch.arange(problem.count, device=unknown.device)
        self.going = torch.ones_like(self.active, dtype=torch.bool)
        self.taken = torch.zeros_like(self.active)
        self.trace: list[Tensor] = []

    def step(self, step: int) -> None:
        """Evaluate the trial points, and let the descent take them in."""
        z = self.walk.trial()
        value, gradient = self.part.value_and_gradient(z)
        self._keep_better(z, value)
        self.walk.take(value, gradient, step)
        self.taken[self.active] = torch.where(self.going, step, self.taken[self.active])
        self.trace.append(self.best.value.amin(0))
        self.best.progress(len(self.best.trace) + step)

    def look(self) -> None:
        """Evaluate the trial points alone."""
        z = self.walk.trial()
        self._keep_better(z, self.part.value(z))

    def _keep_better(self, z: Tensor, value: Tensor) -> None:
        best, active = self.best, self.active
        # Comparisons with NaN are false: a latent whose objective is NaN is never the best.
        better = (value < best.value[:, active]) & self.going
        best.z[:, active] = torch.where(better[..., None], z, best.z[:, active])
        best.value[:, active] = torch.where(better, value, best.value[:, active])

    def keep(self, kept: int) -> Tensor:
        """Go on with the best restarts of each signal; which rows they were, int64 (kept, B)."""
        self.best, numbers = self.best.keep(kept)
        own = numbers[:, self.active]
        self.walk = self.walk.map(lambda rows: pick(rows, own))
        return numbers

    def leave(self, falling: Tensor) -> None:
        """Stop the signals that no longer fall, bool (B,), and take them out of the batch."""
        self.going = self.going & falling[self.active]
        if self.going.any() and _worth_leaving(self.going):
            going = self.going
            self.active, self.going = self.active[going], going[going]
            self.walk = self.walk.map(lambda rows: rows[:, going])
            self.part = self.whole.subset(self.active)

    def end(self) -> Candidates:
        """What was found."""
        converged = torch.ones_like(self.best.converged)
        converged[:, self.active] = ~self.going
        steps = self.best.steps + self.taken
        trace = torch.cat([self.best.trace, torch.stack(self.trace)])
        return replace(self.best, converged=converged, steps=steps, trace=trace)


def _worth_leaving(going: Tensor) -> bool:
    """Whether the signals that have converged should leave the batch now.

    On a CPU they leave at once. On a GPU a step is recorded anew for every size of the batch, and
    takes hardly longer for twice as many signals: they leave when half have converged.
    """
    staying = int(going.sum())
    return 2 * staying <= len(going) if going.is_cuda else staying < len(going)
