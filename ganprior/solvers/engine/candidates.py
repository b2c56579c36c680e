"""Latents of a batch of signals on their way through the stages of an effort."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from ganprior.solvers.engine.problem import Problem
from ganprior.streams import Streams

# Attributes that have a row for each candidate.
ROWS = ("z", "value", "restart", "steps", "converged")


def silent(step: int) -> None:
    """Progress that nobody asked for."""


@dataclass(frozen=True)
class Candidates:
    """R latents of each of B signals, best first or in the order in which they were found.

    Attributes
    ----------
    z : Tensor
        Latents, (R, B, k).
    value : Tensor
        Objective there, (R, B); infinite where it is not known or not finite.
    restart : Tensor
        From which start each latent comes, int64 (R, B).
    steps : Tensor
        First-order and polish steps that led to each latent, int64 (R, B).
    converged : Tensor
        bool, (R, B).
    trace : Tensor
        Best objective of each signal after each first-order step, (T, B), with the penalty as long
        as there is one.
    spare : Tensor
        Latents (S, B, k) that further rounds may set out from.
    streams : Streams
        Random streams of the signals.
    progress : callable
        Told the number of first-order steps done.
    """

    z: Tensor
    value: Tensor
    restart: Tensor
    steps: Tensor
    converged: Tensor
    trace: Tensor
    spare: Tensor
    streams: Streams
    progress: Callable[[int], None] = silent

    @classmethod
    def at(
        cls,
        problem: Problem,
        z: Tensor | None,
        streams: Streams,
        progress: Callable[[int], None] = silent,
    ) -> Candidates:
        """Candidates that stand at latents (R, B, k), none by default, not yet evaluated."""
        none = problem.like.new_zeros(0, problem.count, problem.prior.latent.size)
        number = torch.zeros(0, problem.count, dtype=torch.long, device=none.device)
        flat = none[..., 0]
        empty = cls(none, flat, number, number, number.bool(), flat, none, streams, progress)
        return empty if z is None else empty.moved(z)

    def moved(self, z: Tensor) -> Candidates:
        """Return starts (R, B, k), not yet evaluated, in place of the latents."""
        number = torch.arange(len(z), device=z.device)[:, None].repeat(1, z.shape[1])
        zero, value = torch.zeros_like(number), torch.full_like(z[..., 0], torch.inf)
        return replace(self, z=z, value=value, restart=number, steps=zero, converged=zero.bool())

    def keep(self, kept: int) -> tuple[Candidates, Tensor]:
        """Keep the best of each signal; also which rows they were, int64 (kept, B)."""
        numbers = lowest(self.value, kept)
        own: dict[str, Any] = {name: pick(getattr(self, name), numbers) for name in ROWS}
        return replace(self, **own), numbers

    def best(self) -> Candidates:
        """Keep the best one of each signal."""
        return self.keep(1)[0]

    def subset(self, signals: Tensor) -> Candidates:
        """Candidates of some of the signals, by position."""
        own = {name: getattr(self, name)[:, signals] for name in (*ROWS, "trace", "spare")}
        return replace(self, **own, streams=self.streams.select(signals.tolist()))


def joined(parts: list[Candidates], signals: list[Tensor]) -> Candidates:
    """As many candidates of each signal, found for some signals at a time, as one.

    Parameters
    ----------
    parts : list of Candidates
        At least one.
    signals : list of Tensor
        Positions of the signals of each part, int64.
    """
    if len(parts) == 1:
        return parts[0]
    order = torch.cat(signals).argsort()
    # A part whose signals converged early keeps its last objective.
    longest = max(len(part.trace) for part in parts)
    traces = [
        torch.cat([part.trace, part.trace[-1:].expand(longest - len(part.trace), -1)])
        for part in parts
    ]
    own: dict[str, Any] = {
        name: torch.cat([getattr(part, name) for part in parts], 1)[:, order] for name in ROWS
    }
    return replace(parts[0], **own, trace=torch.cat(traces, 1)[:, order])


def lowest(value: Tensor, kept: int) -> Tensor:
    """Row numbers of the lowest values of each signal, best first: (R, B) to int64 (kept, B)."""
    # torch.topk and argmin take NaN for the smallest number of all.
    return _or_infinite(value).argsort(dim=0, stable=True)[:kept]


def pick(rows: Tensor, numbers: Tensor) -> Tensor:
    """Row ``numbers[i, b]`` of signal b: (R, B, ...) to (len(numbers), B, ...)."""
    index = numbers.reshape(*numbers.shape, *[1] * (rows.dim() - 2))
    return rows.gather(0, index.expand(*numbers.shape, *rows.shape[2:]))


def _or_infinite(value: Tensor) -> Tensor:
    return torch.where(value.isfinite(), value, torch.inf)
