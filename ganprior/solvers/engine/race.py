"""Descent of all restarts of all signals, with racing.

After given fractions of the steps only the better restarts of each signal go on (successive
halving, Jamieson, Talwalkar 2016, arXiv 1502.07943). A signal whose restarts have all converged
keeps what it has, and leaves the batch.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from ganprior.solvers.engine.descent import Descent
from ganprior.solvers.engine.effort import Effort
from ganprior.solvers.engine.problem import Problem
from ganprior.solvers.engine.starts import pick, survivors

# Steps from one look at which signals have converged to the next: taking some out of the batch is
# not free.
CHECK = 2


@dataclass
class Race:
    """Restarts of B signals on their way.

    Attributes
    ----------
    z : Tensor
        Best latents so far, (R, B, k).
    value : Tensor
        Their objective, (R, B); infinite where none was finite yet.
    restart : Tensor
        Which of the starts each row is, int64 (R, B).
    steps : Tensor
        Steps that each signal took, int64 (B,).
    converged : Tensor
        Whether all restarts of the signal had converged, bool (B,).
    trace : list of Tensor
        Best objective of each signal after each step, (B,).
    """

    z: Tensor
    value: Tensor
    restart: Tensor
    steps: Tensor
    converged: Tensor
    trace: list[Tensor]

    def keep(self, kept: int) -> Tensor:
        """Keep the best restarts of each signal; returns which rows they were, int64 (kept, B)."""
        self.z, numbers = survivors(self.z, self.value, kept)
        self.value, self.restart = pick(self.value, numbers), pick(self.restart, numbers)
        return numbers


def race(
    problem: Problem,
    starts: Tensor,
    effort: Effort,
    progress: Callable[[int], None] = lambda step: None,
    metric: Tensor | None = None,
) -> Race:
    """Descend from ``starts`` (R, B, k) by the schedule of ``effort``.

    Parameters
    ----------
    problem : Problem
        Objective of the B signals.
    starts : Tensor
        First latents.
    effort : Effort
        Descent, steps, and race.
    progress : callable
        Told the number of steps done.
    metric : Tensor, optional
        Inverse of the mean curvature, (k, k), up to a factor.
    """
    best = _not_begun(starts)
    walk: Descent = effort.descent(problem.project(starts), effort, problem.project, metric)
    active = torch.arange(problem.count, device=starts.device)
    going = torch.ones_like(best.converged)  # those of the active ones that have not converged
    reach = effort.reach_of(problem.measurements, problem.prior.latent.size)
    part, far = problem, (reach * problem.energy()).to(starts)
    # Best objectives after each of the last ``window`` steps, the earliest first.
    past = deque([best.value.clone()], maxlen=effort.window + 1)

    for step in range(1, effort.steps + 1):
        z = walk.trial()
        value, gradient = part.value_and_gradient(z)
        _keep_better(best, active, going, z, value)
        walk.take(value, gradient, step)

        best.steps[active] = torch.where(going, step, best.steps[active])
        best.trace.append(best.value.amin(0))
        progress(step)
        kept = effort.survivors(step)
        if kept < len(z):
            numbers = best.keep(kept)
            past = deque((pick(value, numbers) for value in past), past.maxlen)
            walk = walk.map(lambda rows, own=numbers[:, active]: pick(rows, own))  # type: ignore[misc]
        past.append(best.value.clone())
        if effort.window <= step < effort.steps and step % CHECK == 0:
            going = going & _still_falling(best.value, past[0], far, effort)[active]
            best.converged[active] = ~going
            if not going.any():
                # The last trial point is not evaluated, as it is not where a signal leaves.
                break
            if problem.can_select and _worth_leaving(going):
                active = active[going]
                walk = walk.map(lambda rows, going=going: rows[:, going])  # type: ignore[misc]
                part, going = problem.select(active), going[going]
    else:
        z = walk.trial()
        _keep_better(best, active, going, z, part.value(z))
    # Alone a signal may leave before a stage of the race that it would be there for in a batch.
    best.keep(effort.survivors(effort.steps))
    return best


def _not_begun(starts: Tensor) -> Race:
    restarts, count, _ = starts.shape
    device = starts.device
    return Race(
        z=starts.clone(),
        value=torch.full((restarts, count), torch.inf, dtype=starts.dtype, device=device),
        restart=torch.arange(restarts, device=device)[:, None].repeat(1, count),
        steps=torch.zeros(count, dtype=torch.long, device=device),
        converged=torch.zeros(count, dtype=torch.bool, device=device),
        trace=[],
    )


def _keep_better(best: Race, active: Tensor, going: Tensor, z: Tensor, value: Tensor) -> None:
    # Comparisons with NaN are false, so that a latent whose objective is NaN is never the best.
    better = (value < best.value[:, active]) & going
    best.z[:, active] = torch.where(better[..., None], z, best.z[:, active])
    best.value[:, active] = torch.where(better, value, best.value[:, active])


def _worth_leaving(going: Tensor) -> bool:
    """Whether the signals that have converged should leave the batch now.

    On a CPU they leave at once. On a GPU a step is recorded anew for every size of the batch, and
    takes hardly longer for twice as many signals: they leave when half have converged.
    """
    staying = int(going.sum())
    return 2 * staying <= len(going) if going.is_cuda else staying < len(going)


def _still_falling(value: Tensor, earlier: Tensor, far: Tensor, effort: Effort) -> Tensor:
    """Whether any restart of a signal fell by more than the tolerance: (R, B) to bool (B,)."""
    if effort.tolerance == 0:
        return torch.ones(value.shape[1], dtype=torch.bool, device=value.device)
    greater = max(effort.tolerance, effort.far_tolerance)
    least = value.abs() * torch.where(value < far, effort.tolerance, greater)
    # Infinite minus infinite is NaN, hence False: a signal without a finite value leaves too.
    return (earlier - value > least).any(0)
