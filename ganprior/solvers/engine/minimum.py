"""What a minimisation found for each signal, and how results go together."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ganprior.solution import Status


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
    bank_seconds: float = 0.0

    def better(self, other: Minimum, signals: Tensor, own: Tensor) -> Minimum:
        """Take over what is lower in the result of a further round.

        Parameters
        ----------
        other : Minimum
            Result for some of the signals.
        signals : Tensor
            Their positions, int64 (S,).
        own : Tensor
            Which of them the further round was for, bool (S,).
        """
        # A comparison with NaN is False.
        lower = own & (other.value < self.value[signals])
        z, value = self.z.clone(), self.value.clone()
        steps, status = self.steps.clone(), list(self.status)
        taken = signals[lower]
        z[taken], value[taken] = other.z[lower], other.value[lower]
        steps[signals[own]] += other.steps[own]
        for position in lower.nonzero()[:, 0].tolist():
            status[int(signals[position])] = other.status[position]
        return replace(self, z=z, value=value, steps=steps, status=tuple(status))


def joined(parts: list[Minimum], signals: Tensor, bank_seconds: float) -> Minimum:
    """Results of blocks of signals as one.

    Parameters
    ----------
    parts : list of Minimum
        Of the blocks.
    signals : Tensor
        Positions of all their signals, one block after the other, int64 (B,).
    bank_seconds : float
        See :class:`Minimum`.
    """
    order = signals.argsort()
    status = [status for part in parts for status in part.status]
    longest = max(len(part.trace) for part in parts)
    # A block whose signals converged early keeps its last objective.
    traces = [
        torch.cat([part.trace, part.trace[-1:].expand(longest - len(part.trace), -1)])
        for part in parts
    ]
    return Minimum(
        z=torch.cat([part.z for part in parts])[order],
        value=torch.cat([part.value for part in parts])[order],
        status=tuple(status[i] for i in order.tolist()),
        steps=torch.cat([part.steps for part in parts])[order],
        restart=torch.cat([part.restart for part in parts])[order],
        trace=torch.cat(traces, 1)[:, order],
        bank_seconds=bank_seconds,
    )


def status_of(value: Tensor, converged: Tensor) -> tuple[Status, ...]:
    """How each signal ended, by its objective (B,) and whether it has converged (B,)."""
    return tuple(
        Status.NONFINITE if not finite else Status.CONVERGED if done else Status.MAX_STEPS
        for finite, done in zip(value.isfinite().tolist(), converged.tolist(), strict=True)
    )
