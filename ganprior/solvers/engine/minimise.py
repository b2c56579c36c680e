"""The search for the lowest objective: starts, race and polish, then further rounds.

``minimise`` cuts the signals into blocks; ``_searched`` finds the starts of a block and repeats the
search where rounds disagree; ``_minimise`` races from given starts, polishes what is left and
chooses the best restart of each signal.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace

import torch
from torch import Tensor

from ganprior.solvers.engine.bank import Bank, bank_of
from ganprior.solvers.engine.curvature import inverse_curvature
from ganprior.solvers.engine.effort import Effort
from ganprior.solvers.engine.levenberg_marquardt import polish
from ganprior.solvers.engine.minimum import Minimum, joined, status_of
from ganprior.solvers.engine.problem import Problem
from ganprior.solvers.engine.race import Race, race
from ganprior.solvers.engine.rounds import again
from ganprior.solvers.engine.starts import first_starts, measured_for, pick
from ganprior.streams import Streams

# Signals that are worked on at once.
BLOCK = 512

logger = logging.getLogger(__name__)


def effort_for(problem: Problem, effort: Effort) -> Effort:
    """Effort of a whole problem, chosen by the signal that has the fewest measurements."""
    possible = problem.alike or problem.can_select
    fewest = int(problem.measurements.min())
    return effort.on(fewest, problem.prior.latent.size, possible)


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
        the number of blocks. Further rounds are not counted.
    """
    bank = bank_of(problem, effort.bank) if effort.bank and starts is None else None
    metric, seconds = inverse_curvature(problem) if effort.metric else (None, 0.0)
    blocks = _blocks(problem, effort)
    found = []
    for done, signals in enumerate(blocks):

        def tell(step: int, done: int = done) -> None:
            progress((done * effort.most_steps + step) // len(blocks))

        part = problem if len(blocks) == 1 else problem.select(signals)
        own = effort_for(part, effort)
        if starts is not None:
            found.append(_minimise(part, starts[:, signals], own, metric, tell))
            continue
        rivals = None if warm is None else warm[:, signals]
        chosen = streams.select(signals.tolist())
        found.append(_searched(part, own, chosen, bank, metric, rivals, tell))
    return joined(found, torch.cat(blocks), seconds + (bank.seconds if bank else 0.0))


def _blocks(problem: Problem, effort: Effort) -> list[Tensor]:
    """Positions of the signals that are worked on at once, and have the same effort."""
    signals = torch.arange(problem.count, device=problem.y.device)
    if not problem.can_select:
        return [signals]
    # Starts and descents of all signals at once would take too much memory. Blocks change no
    # result, because signals are independent.
    long = effort.determined_by(problem.measurements, problem.prior.latent.size)
    return [b for own in (~long, long) for b in signals[own].split(BLOCK) if len(b)]


def _searched(
    problem: Problem,
    effort: Effort,
    streams: Streams,
    bank: Bank | None,
    metric: Tensor | None,
    warm: Tensor | None,
    progress: Callable[[int], None],
) -> Minimum:
    """Minimum from the effort's own starts, with further rounds."""
    logger.info("starts of %d images", problem.count)
    measured = None if bank is None else measured_for(problem, effort, bank)
    first = first_starts(problem, effort, streams, bank, warm, measured=measured)
    best = _minimise(problem, first, effort, metric, progress)

    def solve(few: Problem, z: Tensor) -> Minimum:
        return _minimise(few, z, effort if len(z) > 1 else replace(effort, race=()), metric)

    def others(few: Problem, which: Tensor, number: int) -> Tensor:
        skipped = (number - 1) * effort.restarts * effort.candidates
        chosen = streams.select(which.tolist())
        known = None if measured is None else measured.select(which)
        return first_starts(few, effort, chosen, bank, None, skipped, known)

    reach = effort.reach_of(problem.measurements, problem.prior.latent.size)
    return again(problem, best, effort.rounds, reach, solve, others)


def _minimise(
    problem: Problem,
    starts: Tensor,
    effort: Effort,
    metric: Tensor | None,
    progress: Callable[[int], None] = lambda step: None,
) -> Minimum:
    logger.info("descent of %d images from %d starts each", problem.count, len(starts))
    found = _raced(problem, starts, effort, metric, progress)
    steps = found.steps.expand_as(found.value).clone()
    converged = found.converged.expand_as(found.value).clone()
    falling = (~found.converged).nonzero()[:, 0]
    # Some physics cannot be cut down to some of the signals. Then all are polished, and the results
    # of the signals that had converged before are dropped.
    left = falling if problem.can_select else torch.arange(problem.count, device=falling.device)
    part = problem if len(left) == problem.count else problem.select(left)
    own = torch.isin(left, falling)
    if effort.polish_steps and len(falling):
        logger.info("polish of %d images", len(falling))
    for row in range(len(found.z) if effort.polish_steps and len(falling) else 0):
        polished = polish(part, found.z[row, left], effort.polish_steps, effort.polish_tolerance)
        if polished is None:
            break
        found.z[row, falling] = polished.z[own]
        found.value[row, falling] = polished.value[own]
        steps[row, falling] += polished.steps[own]
        converged[row, falling] = polished.converged[own]

    # torch.argmin returns the index of a NaN; the race has put infinity in the place of each.
    winner = found.value.argmin(0)
    signals = torch.arange(problem.count, device=winner.device)
    value = found.value[winner, signals]
    return Minimum(
        z=found.z[winner, signals],
        value=value,
        status=status_of(value, converged[winner, signals]),
        steps=steps[winner, signals],
        restart=found.restart[winner, signals],
        trace=torch.stack(found.trace),
    )


def _raced(
    problem: Problem,
    starts: Tensor,
    effort: Effort,
    metric: Tensor | None,
    progress: Callable[[int], None],
) -> Race:
    """Race with the penalty on ||z||^2, then a second race without it.

    The second race starts from the restarts that the first one left, and from the best start
    itself: a start that is exact already, such as a warm one, is spoilt by the penalty.
    """
    held = problem.penalised(effort.penalty) if effort.penalty else problem
    first = race(held, starts, effort, progress, metric)
    if effort.release is None:
        return first
    z = torch.cat([first.z, starts[:1]])
    numbers = torch.cat([first.restart, torch.zeros_like(first.restart[:1])])
    schedule = replace(effort, **vars(effort.release))
    second = race(problem, z, schedule, lambda step: progress(effort.steps + step), metric)
    second.restart = pick(numbers, second.restart)
    second.steps += first.steps
    second.trace = first.trace + second.trace
    return second
