"""The search for the lowest objective: an effort's stages, run on blocks of signals."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ganprior.progress import tell
from ganprior.solution import Status
from ganprior.solvers.engine.candidates import Candidates, joined
from ganprior.solvers.engine.effort import Effort, run
from ganprior.solvers.engine.problem import Problem
from ganprior.solvers.engine.rounds import Rounds
from ganprior.solvers.engine.starts import FromBank, Random
from ganprior.streams import Streams

# Signals that are worked on at once: starts and descents of all would take too much memory.
# Blocks change no result, because signals are independent.
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
        First-order steps and steps of the polish, of all rounds together, int64 (B,).
    restart : Tensor
        Which start won the first round, int64 (B,).
    trace : Tensor
        Best objective after each first-order step of the first round, (steps, B), with the
        penalty as long as there is one.
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
) -> Minimum:
    """Find the latent of lowest objective for each signal.

    Parameters
    ----------
    problem : Problem
        The objective.
    effort : Effort
        The stages.
    streams : Streams
        Random streams of the signals.
    starts : Tensor, optional
        Latents (R, B, k) to start from in place of those of the effort, once.
    warm : Tensor, optional
        Latents (W, B, k) that compete with those of the effort for being starts.

    Raises
    ------
    ValueError
        If no stage of the effort makes starts and none are given.
    """
    if starts is not None:
        effort = effort.without(Random, FromBank).change(Rounds, most=0)
    elif effort.restarts == 0:
        raise ValueError("effort must begin with a stage that makes starts, such as Random(10)")
    seconds = sum(stage.prepare(problem) for stage in effort)
    given = Candidates.at(problem, warm if starts is None else starts, streams)
    blocks, found = _blocks(problem), []
    for done, signals in enumerate(blocks):
        # Of all blocks together divided by their number; further rounds are not counted.
        def tell_step(step: int, done: int = done) -> None:
            tell((done * effort.most_steps + step) // len(blocks), effort.most_steps)

        own = replace(given.subset(signals), progress=tell_step)
        found.append(run(effort, problem.subset(signals), own).best())
    return _minimum(joined(found, blocks), seconds)


def _blocks(problem: Problem) -> list[Tensor]:
    """Positions of the signals that are worked on at once; of all that cannot leave the batch."""
    signals = torch.arange(problem.count, device=problem.y.device)
    return list(signals.split(BLOCK if problem.can_leave else problem.count))


def _minimum(found: Candidates, seconds: float) -> Minimum:
    value, converged = found.value[0], found.converged[0].tolist()
    return Minimum(
        z=found.z[0],
        value=value,
        status=tuple(
            Status.NONFINITE if not finite else Status.CONVERGED if done else Status.MAX_STEPS
            for finite, done in zip(value.isfinite().tolist(), converged, strict=True)
        ),
        steps=found.steps[0],
        restart=found.restart[0],
        trace=found.trace,
        bank_seconds=seconds,
    )
