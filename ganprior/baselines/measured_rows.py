"""The matrix of any linear physics, row by row, where it is small enough to be held."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ganprior.physics import Facts
from ganprior.physics.probing import as_rows
from ganprior.solution import squared_norm

# Rows that a Cholesky factorisation takes in a second, and entries of all matrices: 512 MB of
# float32.
MOST_ROWS, MOST_ENTRIES = 4096, 2**27
AT_ONCE = 256
# Of a row that is zero but for rounding, in units of eps and of the largest row.
ROUNDING = 16


@dataclass(frozen=True)
class MeasuredRows:
    """Matrices of the signals, without the rows of entries that never respond.

    Attributes
    ----------
    matrices : Tensor
        (1, m, n) where all signals meet the same matrix, else (B, m, n) with zero rows where an
        entry responds in other signals alone.
    y : Tensor
        The measurements that go with them, (B, m).
    """

    matrices: Tensor
    y: Tensor

    @property
    def shared(self) -> bool:
        """Whether all signals meet the same matrix."""
        return len(self.matrices) == 1

    def of_signal(self, index: int) -> tuple[Tensor, Tensor]:
        """Matrix and measurements of one signal, (m, n) and (1, m), without zero rows."""
        matrix = self.matrices[index]
        kept = (matrix != 0).any(1)
        return matrix[kept], self.y[index : index + 1, kept]

    def groups(self, noise_std: Tensor) -> Iterator[Group]:
        """Signals that share a matrix and a noise; ``noise_std`` is (B,)."""
        if not self.shared:
            for i, level in enumerate(noise_std.tolist()):
                matrix, y = self.of_signal(i)
                yield Group(torch.tensor([i], device=y.device), matrix, y, level)
            return
        for level in noise_std.unique().tolist():
            signals = (noise_std == level).nonzero()[:, 0].to(self.y.device)
            yield Group(signals, self.matrices[0], self.y[signals], level)


@dataclass(frozen=True)
class Group:
    """Signals, by position (S,), with their matrix (m, n), measurements (S, m) and noise."""

    signals: Tensor
    matrix: Tensor
    y: Tensor
    noise_std: float


def measured_rows(physics: Any, known: Facts, y: Tensor, image: Tensor) -> MeasuredRows | None:
    """Find the matrix of a linear physics; None where it would be too large.

    Its rows are the images under the adjoint of measurements that have a single entry, which a
    complex entry makes twice, as 1 and as i.

    Parameters
    ----------
    physics : object
        With ``A_adjoint``; one that holds something per signal is asked for all at once.
    known : Facts
        What is known of it.
    y : Tensor
        Measurements, (B, ...), real or complex.
    image : Tensor
        (B, C, H, W): gives the shape, type and device of the images.
    """
    entries = _entries(known, y)
    alike = known.batching.alike
    copies = 1 if alike else len(y)
    if len(entries) > MOST_ROWS or copies * len(entries) * image[0].numel() > MOST_ENTRIES:
        return None
    if known.matrix is not None:
        return _responding(known.matrix[None], as_rows(y))
    parts = []
    for some in entries.split(AT_ONCE if alike else 1):
        rows = _adjoint_of_entries(physics, y, some if alike else some.expand(len(y)))
        parts.append(rows[None] if alike else rows[:, None])
    matrices = torch.cat(parts, 1) if parts else image.new_zeros(copies, 0, image[0].numel())
    return _responding(matrices, as_rows(y)[:, entries])


def _entries(known: Facts, y: Tensor) -> Tensor:
    """Places in a real row of y that respond in some signal."""
    size = as_rows(y).shape[1]
    if known.matrix is not None or known.support is None:
        return torch.arange(size, device=y.device)
    support = known.support.flatten(1).any(0)
    return support.repeat_interleave(size // len(support)).nonzero()[:, 0].to(y.device)


def _adjoint_of_entries(physics: Any, y: Tensor, entries: Tensor) -> Tensor:
    """Rows of A, one for each of ``entries``, (len(entries), n)."""
    units = as_rows(y).new_zeros(len(entries), as_rows(y).shape[1])
    units[torch.arange(len(entries), device=y.device), entries] = 1
    if y.is_complex():
        units = torch.view_as_complex(units.reshape(len(entries), *y.shape[1:], 2))
    images = physics.A_adjoint(units.reshape(len(entries), *y.shape[1:]))
    return (images.real if images.is_complex() else images).flatten(1)


def _responding(matrices: Tensor, y: Tensor) -> MeasuredRows:
    # The imaginary part of a symmetric spectrum is zero but for rounding: no measurement.
    norms = squared_norm(matrices, 2).sqrt()
    largest = norms.amax() if norms.numel() else 0
    kept = (norms > ROUNDING * torch.finfo(norms.dtype).eps * largest).any(0)
    return MeasuredRows(matrices[:, kept], y[:, kept])
