"""Starts, race and polish, in this order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from ganprior.priors import Latent
from ganprior.solution import Status
from ganprior.solvers.engine.adam import race
from ganprior.solvers.engine.effort import Effort
from ganprior.solvers.engine.levenberg_marquardt import polish
from ganprior.solvers.engine.problem import Problem
from ganprior.solvers.engine.starts import random_starts
from ganprior.streams import Streams


@dataclass(frozen=True)
class Minimum:
    """Best latent of each of B signals.

    Attributes
    ----------
    z : Tensor
        (B, k).
    value : Tensor
        Objective there, (B,).
    status : tuple of Status
        How each signal ended.
    steps : Tensor
        Steps of Adam and of the polish, int64 (B,).
    restart : Tensor
        Which start won, int64 (B,).
    trace : Tensor
        Best objective after each step of Adam, (steps, B).
    """

    z: Tensor
    value: Tensor
    status: tuple[Status, ...]
    steps: Tensor
    restart: Tensor
    trace: Tensor


def minimise(
    problem: Problem,
    latent: Latent,
    effort: Effort,
    streams: Streams,
    *,
    starts: Tensor | None = None,
    progress: Callable[[int], None] = lambda step: None,
) -> Minimum:
    """Find the latent of lowest objective for each signal.

    Parameters
    ----------
    problem : Problem
        The objective.
    latent : Latent
        Law that starts are drawn from.
    effort : Effort
        The schedule.
    streams : Streams
        Random streams of the signals.
    starts : Tensor, optional
        Latents (R, B, k) to start from in place of drawn ones.
    progress : callable
        Told the number of Adam steps done.
    """
    if starts is None:
        starts = random_starts(problem, latent, effort, streams)
    found = race(problem, starts, effort, progress)
    steps = found.steps.expand_as(found.value).clone()
    converged = found.converged.expand_as(found.value).clone()
    for row in range(len(found.z) if effort.polish_steps else 0):
        tolerance = effort.polish_tolerance
        polished = polish(problem, found.z[row], effort.polish_steps, tolerance)
        if polished is None:
            break
        found.z[row], found.value[row] = polished.z, polished.value
        steps[row] += polished.steps
        converged[row] = polished.converged

    # torch.argmin takes NaN for the smallest number; the race leaves infinity in its place.
    winner = found.value.argmin(0)
    signals = torch.arange(problem.count, device=winner.device)
    value = found.value[winner, signals]
    return Minimum(
        z=found.z[winner, signals],
        value=value,
        status=_status(value, converged[winner, signals]),
        steps=steps[winner, signals],
        restart=found.restart[winner, signals],
        trace=torch.stack(found.trace),
    )


def _status(value: Tensor, converged: Tensor) -> tuple[Status, ...]:
    return tuple(
        Status.NONFINITE if not finite else Status.CONVERGED if done else Status.MAX_STEPS
        for finite, done in zip(value.isfinite().tolist(), converged.tolist(), strict=True)
    )
