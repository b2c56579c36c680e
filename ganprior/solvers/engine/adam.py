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
    z, device = starts.clone(), starts.device
    moment1, moment2 = torch.zeros_like(z), torch.zeros_like(z)
    best = Race(
        z=starts.clone(),
        value=torch.full((restarts, count), torch.inf, dtype=z.dtype, device=device),
        restart=torch.arange(restarts, device=device)[:, None].repeat(1, count),
        steps=torch.zeros(count, dtype=torch.long, device=device),
        converged=torch.zeros(count, dtype=torch.bool, device=device),
        trace=[],
    )
    active = torch.arange(count, device=device)
    part, earlier = problem, best.value.clone()

    for step in range(1, effort.steps + 1):
        value, gradient = part.value_and_gradient(z)
        _keep_better(best, active, z, value)
        moment1 = BETA1 * moment1 + (1 - BETA1) * gradient
        moment2 = BETA2 * moment2 + (1 - BETA2) * gradient.square()
        m_hat = moment1 / (1 - BETA1**step)
        v_hat = moment2 / (1 - BETA2**step)
        z = z - rate(effort, step) * m_hat / (v_hat.sqrt() + EPSILON)

        best.steps[active] = step
        best.trace.append(best.value.amin(0))
        progress(step)
        kept = effort.survivors(step)
        if kept < len(z):
            best.z, numbers = survivors(best.z, best.value, kept)
            best.value, best.restart = pick(best.value, numbers), pick(best.restart, numbers)
            earlier = pick(earlier, numbers)
            own = numbers[:, active]
            z, moment1, moment2 = pick(z, own), pick(moment1, own), pick(moment2, own)
        if step % effort.window == 0 and step < effort.steps:
            still = _still_falling(best.value, earlier, effort.tolerance)
            best.converged[active] = ~still[active]
            stay = still[active]
            earlier = best.value.clone()
            if not stay.any():
                break
            if problem.can_select and not stay.all():
                active = active[stay]
                z, moment1, moment2 = z[:, stay], moment1[:, stay], moment2[:, stay]
                part = problem.select(active)
    _keep_better(best, active, z, part.value(z))
    return best


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
