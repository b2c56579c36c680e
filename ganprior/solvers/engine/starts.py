"""Starts: the latents from which the optimisation of each signal sets out."""

from __future__ import annotations

import torch
from torch import Tensor

from ganprior.priors import Latent
from ganprior.solvers.engine.effort import Effort
from ganprior.solvers.engine.problem import Problem
from ganprior.streams import Streams

# Signals whose candidates are in memory at once.
BLOCK = 256


def draw_starts(
    latent: Latent, count: int, restarts: int, streams: Streams, like: Tensor
) -> Tensor:
    """Latents (restarts, count, k) from the prior's law, each signal from its own stream.

    Parameters
    ----------
    latent : Latent
        Law of z.
    count : int
        Number of signals.
    restarts : int
        Latents per signal.
    streams : Streams
        Random streams of the signals.
    like : Tensor
        Gives device and dtype.
    """
    signals = []
    for position in range(count):
        rng = streams.generator("starts", position)
        # One at a time: the numbers of a restart then do not depend on how many there are.
        signals.append(torch.cat([latent.sample(1, rng) for _ in range(restarts)]))
    return torch.stack(signals, 1).flatten(2).to(like)


def random_starts(problem: Problem, latent: Latent, effort: Effort, streams: Streams) -> Tensor:
    """Starts (restarts, B, k): the best of ``effort.candidates`` times as many random latents.

    Parameters
    ----------
    problem : Problem
        Ranks latents by its objective.
    latent : Latent
        Law of z.
    effort : Effort
        How many are tried and how many kept.
    streams : Streams
        Random streams of the signals.
    """
    tried = effort.restarts * effort.candidates
    if effort.candidates == 1:
        return draw_starts(latent, problem.count, tried, streams, problem.like)
    # A block of signals at a time: candidates are many, and only the kept ones need memory.
    block = BLOCK if problem.can_select else problem.count
    kept = []
    for first in range(0, problem.count, block):
        signals = torch.arange(first, min(first + block, problem.count), device=problem.y.device)
        part = problem.select(signals) if problem.can_select else problem
        own = streams.select(signals.tolist())
        z = draw_starts(latent, part.count, tried, own, problem.like)
        kept.append(survivors(z, part.value(z), effort.restarts)[0])
    return torch.cat(kept, 1)


def survivors(z: Tensor, value: Tensor, kept: int) -> tuple[Tensor, Tensor]:
    """Of each signal the ``kept`` rows of lowest value, best first, and their row numbers.

    Parameters
    ----------
    z : Tensor
        (R, B, ...).
    value : Tensor
        (R, B); what is not finite ranks last.
    kept : int
        Rows to keep.

    Returns
    -------
    rows : Tensor
        (kept, B, ...).
    numbers : Tensor
        Which rows they were, int64 (kept, B).
    """
    # torch.topk and argmin take NaN for the smallest number of all.
    finite = torch.where(value.isfinite(), value, torch.inf)
    numbers = finite.argsort(dim=0, stable=True)[:kept]
    return pick(z, numbers), numbers


def pick(rows: Tensor, numbers: Tensor) -> Tensor:
    """Row ``numbers[i, b]`` of signal b: (R, B, ...) to (len(numbers), B, ...)."""
    index = numbers.reshape(*numbers.shape, *[1] * (rows.dim() - 2))
    return rows.gather(0, index.expand(*numbers.shape, *rows.shape[2:]))
