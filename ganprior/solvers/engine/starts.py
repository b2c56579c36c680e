"""Starts: the latents from which the optimisation of each signal sets out."""

from __future__ import annotations

import torch
from torch import Tensor

from ganprior.priors import Latent
from ganprior.solvers.engine.problem import Problem
from ganprior.streams import Streams


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


def best_of(problem: Problem, z: Tensor, kept: int) -> Tensor:
    """The ``kept`` latents of each signal with the lowest objective: (N, B, k) to (kept, B, k)."""
    return survivors(z, problem.value(z), kept)[0]


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
