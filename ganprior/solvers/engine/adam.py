"""Adam on all restarts of all signals at once, with racing (Kingma, Ba 2015, arXiv 1412.6980).

Adam is elementwise: restarts and signals share the step's arithmetic and nothing else. After
given fractions of the steps only the better restarts of each signal go on (successive halving,
Jamieson, Talwalkar 2016, arXiv 1502.07943), and a signal whose restarts have all converged
leaves the batch.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from ganprior.solvers.engine.effort import Effort
from ganprior.solvers.engine.problem import Problem
from ganprior.solvers.engine.starts import pick, survivors

BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8


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
        Adam steps that each signal took, int64 (B,).
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


def race(
    problem: Problem,
    starts: Tensor,
    effort: Effort,
    progress: Callable[[int], None] = lambda step: None,
) -> Race:
    """Run Adam from ``starts`` (R, B, k) by the schedule of ``effort``.

    Parameters
    ----------
    problem : Problem
        Objective of the B signals.
    starts : Tensor
        First latents.
    effort : Effort
        Steps, rates and race.
    progress : callable
        Told the number of steps done.
    """
    restarts, count, _ = starts.shape
    device = starts.device
    best = Race(
        z=starts.clone(),
        value=torch.full((restarts, count), torch.inf, dtype=starts.dtype, device=device),
        restart=torch.arange(restarts, device=device)[:, None].repeat(1, count),
        steps=torch.zeros(count, dtype=torch.long, device=device),
        converged=torch.zeros(count, dtype=torch.bool, device=device),
        trace=[],
    )
    walk = _Walk(starts.clone(), torch.zeros_like(starts), torch.zeros_like(starts))
    active = torch.arange(count, device=device)
    part, earlier = problem, best.value.clone()

    for step in range(1, effort.steps + 1):
        value, gradient = part.value_and_gradient(walk.z)
        _keep_better(best, active, walk.z, value)
        walk.step(gradient, step, rate(effort, step))

        best.steps[active] = step
        best.trace.append(best.value.amin(0))
        progress(step)
        kept = effort.survivors(step)
        if kept < len(walk.z):
            best.z, numbers = survivors(best.z, best.value, kept)
            best.value, best.restart = pick(best.value, numbers), pick(best.restart, numbers)
            earlier = pick(earlier, numbers)
            walk = walk.map(lambda rows, own=numbers[:, active]: pick(rows, own))  # type: ignore[misc]
        if step % effort.window == 0 and step < effort.steps:
            stay = _still_falling(best.value, earlier, effort.tolerance)[active]
            best.converged[active] = ~stay
            earlier = best.value.clone()
            if not stay.any():
                break
            if problem.can_select and not stay.all():
                active = active[stay]
                walk = walk.map(lambda rows, stay=stay: rows[:, stay])  # type: ignore[misc]
                part = problem.select(active)
    _keep_better(best, active, walk.z, part.value(walk.z))
    return best


@dataclass
class _Walk:
    """Adam's state: where each restart stands, and its running moments, (R, B, k)."""

    z: Tensor
    moment1: Tensor
    moment2: Tensor

    def step(self, gradient: Tensor, step: int, rate: float) -> None:
        """Algorithm 1 of the paper."""
        self.moment1 = BETA1 * self.moment1 + (1 - BETA1) * gradient
        self.moment2 = BETA2 * self.moment2 + (1 - BETA2) * gradient.square()
        m_hat = self.moment1 / (1 - BETA1**step)
        v_hat = self.moment2 / (1 - BETA2**step)
        self.z = self.z - rate * m_hat / (v_hat.sqrt() + EPSILON)

    def map(self, choose: Callable[[Tensor], Tensor]) -> _Walk:
        return _Walk(choose(self.z), choose(self.moment1), choose(self.moment2))


def rate(effort: Effort, step: int) -> float:
    """Learning rate at a step, 1 to ``effort.steps``: a cosine from the first to the final rate."""
    progress = (step - 1) / max(1, effort.steps - 1)
    span = effort.learning_rate - effort.final_rate
    return effort.final_rate + span * (1 + math.cos(math.pi * progress)) / 2


def _keep_better(best: Race, active: Tensor, z: Tensor, value: Tensor) -> None:
    # A comparison with NaN is False, so that what is not a number never becomes the best.
    better = value < best.value[:, active]
    best.z[:, active] = torch.where(better[..., None], z, best.z[:, active])
    best.value[:, active] = torch.where(better, value, best.value[:, active])


def _still_falling(value: Tensor, earlier: Tensor, tolerance: float) -> Tensor:
    """Whether any restart of a signal fell by more than the tolerance: (R, B) to bool (B,)."""
    if tolerance == 0:
        return torch.ones(value.shape[1], dtype=torch.bool, device=value.device)
    # Infinite minus infinite is NaN, hence False: a signal without a finite value leaves too.
    falling = (earlier - value) > tolerance * value.abs()
    return falling.any(0)
