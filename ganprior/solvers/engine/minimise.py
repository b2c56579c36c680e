"""Starts, race and polish, in this order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from ganprior.solution import Status
from ganprior.solvers.engine.bank import bank_of
from ganprior.solvers.engine.curvature import inverse_curvature
from ganprior.solvers.engine.effort import Effort
from ganprior.solvers.engine.levenberg_marquardt import polish
from ganprior.solvers.engine.problem import Problem
from ganprior.solvers.engine.race import race
from ganprior.solvers.engine.starts import first_starts
from ganprior.streams import Streams

# Signals that are worked on at once.
BLOCK = 512


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
        First-order steps and steps of the polish, int64 (B,).
    restart : Tensor
        Which start won, int64 (B,).
    trace : Tensor
        Best objective after each first-order step, (steps, B).
    bank_seconds : float
        What computing the bank of starts and the generator's mean curvature took, 0 when they
        were there already or are not used.
    """

    z: Tensor
    value: Tensor
    status: tuple[Status, ...]
    steps: Tensor
    restart: Tensor
    trace: Tensor
    bank_seconds: float


def minimise(
    problem: Problem,
    effort: Effort,
    streams: Streams,
    *,
    starts: Tensor | None = None,
    warm: Tensor | None = None,
    progress: Callable[[int], None] = lambda step: None,
) -> Minimum:
    """Find the latent of lowest objective for each signal.

    Parameters
    ----------
    problem : Problem
        The objective.
    effort : Effort
        The schedule.
    streams : Streams
        Random streams of the signals.
    starts : Tensor, optional
        Latents (R, B, k) to start from in place of those of the effort.
    warm : Tensor, optional
        Latents (W, B, k) that compete with those of the effort for being starts.
    progress : callable
        Told the number of first-order steps done, of all blocks of signals together divided by
        the number of blocks.
    """
    effort = effort.on(problem.measurements, problem.prior.latent.size)
    bank = bank_of(problem, effort.bank) if effort.bank and starts is None else None
    metric, seconds = inverse_curvature(problem) if effort.metric else (None, 0.0)
    # Signals are independent: a block at a time bounds the memory of starts and descents.
    size = BLOCK if problem.can_select else problem.count
    blocks = torch.arange(problem.count, device=problem.y.device).split(size)
    found = []
    for done, signals in enumerate(blocks):

        def tell(step: int, done: int = done) -> None:
            progress((done * effort.steps + step) // len(blocks))

        part = problem if len(blocks) == 1 else problem.select(signals)
        if starts is not None:
            first = starts[:, signals]
        else:
            own = streams.select(signals.tolist())
            rivals = None if warm is None else warm[:, signals]
            first = first_starts(part, effort, own, bank, rivals)
        found.append(_minimise(part, first, effort, metric, tell))
    return _joined(found, seconds + (bank.seconds if bank else 0.0))


def _minimise(
    problem: Problem,
    starts: Tensor,
    effort: Effort,
    metric: Tensor | None,
    progress: Callable[[int], None],
) -> Minimum:
    found = race(problem, starts, effort, progress, metric)
    steps = found.steps.expand_as(found.value).clone()
    converged = found.converged.expand_as(found.value).clone()
    falling = (~found.converged).nonzero()[:, 0]
    # Signals that cannot leave the batch are polished with it, and keep what they had.
    left = falling if problem.can_select else torch.arange(problem.count, device=falling.device)
    part = problem if len(left) == problem.count else problem.select(left)
    own = torch.isin(left, falling)
    for row in range(len(found.z) if effort.polish_steps and len(falling) else 0):
        polished = polish(part, found.z[row, left], effort.polish_steps, effort.polish_tolerance)
        if polished is None:
            break
        found.z[row, falling] = polished.z[own]
        found.value[row, falling] = polished.value[own]
        steps[row, falling] += polished.steps[own]
        converged[row, falling] = polished.converged[own]

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
        bank_seconds=0.0,
    )


def _joined(parts: list[Minimum], bank_seconds: float) -> Minimum:
    longest = max(len(part.trace) for part in parts)
    # A block whose signals converged early keeps its last objective.
    traces = [
        torch.cat([part.trace, part.trace[-1:].expand(longest - len(part.trace), -1)])
        for part in parts
    ]
    return Minimum(
        z=torch.cat([part.z for part in parts]),
        value=torch.cat([part.value for part in parts]),
        status=tuple(status for part in parts for status in part.status),
        steps=torch.cat([part.steps for part in parts]),
        restart=torch.cat([part.restart for part in parts]),
        trace=torch.cat(traces, 1),
        bank_seconds=bank_seconds,
    )


def _status(value: Tensor, converged: Tensor) -> tuple[Status, ...]:
    return tuple(
        Status.NONFINITE if not finite else Status.CONVERGED if done else Status.MAX_STEPS
        for finite, done in zip(value.isfinite().tolist(), converged.tolist(), strict=True)
    )
