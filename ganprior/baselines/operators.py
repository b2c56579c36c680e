"""Any linear physics as operators on rows, one for all signals that share it and their noise."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ganprior.baselines.linear_map import LinearMap
from ganprior.physics import Facts
from ganprior.physics.copies import copy_of_signals
from ganprior.physics.probing import as_rows


@dataclass(frozen=True)
class Operator:
    """Signals, by position (S,), with A on any number of rows, measurements (S, m) and noise."""

    signals: Tensor
    linear: LinearMap
    y: Tensor
    noise_std: float


def operators(physics: Any, known: Facts, y: Tensor, noise_std: Tensor) -> Iterator[Operator]:
    """Cut a physics into what it is for its signals.

    Parameters
    ----------
    physics : object
        Linear, with ``A`` and ``A_adjoint``.
    known : Facts
        What is known of it. One that is not alike for all signals and cannot be cut down to one is
        asked for all signals with every row.
    y : Tensor
        Measurements, (B, ...), real or complex.
    noise_std : Tensor
        Of each signal, (B,).
    """
    rows, how = as_rows(y), known.batching
    if how.alike:
        for level in noise_std.unique().tolist():
            signals = (noise_std == level).nonzero()[:, 0].to(y.device)
            yield Operator(signals, _map(physics, known, y, _directly), rows[signals], level)
        return
    for i, level in enumerate(noise_std.tolist()):
        signals = torch.tensor([i], device=y.device)
        own = physics
        if how.indexed:
            own = copy_of_signals(physics, known.count, signals)
        one = how.can_select

        def over(
            operator: Callable[[Tensor], Tensor], x: Tensor, i: int = i, one: bool = one
        ) -> Tensor:
            repeated = x[:, None] if one else x[:, None].expand(-1, known.count, *x.shape[1:])
            return how.over_restarts(operator, repeated)[:, 0 if one else i]

        yield Operator(signals, _map(own, known, y, over), rows[signals], level)


def _directly(operator: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
    return operator(x)


def _map(
    physics: Any,
    known: Facts,
    y: Tensor,
    over: Callable[[Callable[[Tensor], Tensor], Tensor], Tensor],
) -> LinearMap:
    """A and its adjoint on rows of any number, by a way to apply an operator to a batch.

    Rows are measured in the type of y and given back in their own.
    """
    real = y.dtype.to_real()

    def forward(pixels: Tensor) -> Tensor:
        x = pixels.to(real).reshape(-1, *known.image_shape)
        return as_rows(over(physics.A, x)).to(pixels)

    def transpose(seen: Tensor) -> Tensor:
        parts = seen.to(real)
        shape = y.shape[1:]
        measured = (
            torch.view_as_complex(parts.reshape(-1, *shape, 2))
            if y.is_complex()
            else parts.reshape(-1, *shape)
        )
        x = over(physics.A_adjoint, measured)
        return (x.real if x.is_complex() else x).flatten(1).to(seen)

    return LinearMap(forward, transpose, shared=True)
