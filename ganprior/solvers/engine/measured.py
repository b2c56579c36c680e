"""The bank as the signals' physics sees it: which entries are near, and what they say of z.

The nearest entry is a start. A better one is what the neighbours together say: the latents are
regressed on the measurements, linearly and for each signal on its own neighbourhood of the bank
(locally weighted regression: W. S. Cleveland, "Robust locally weighted regression and smoothing
scatterplots", J. American Statistical Association 74, 1979, here with all weights equal; ridge:
A. E. Hoerl, R. W. Kennard, Technometrics 12, 1970), and the fit is evaluated at the signal. One
step of an ensemble Kalman inversion with the neighbours as the ensemble is the same formula
(M. A. Iglesias, K. J. H. Law, A. M. Stuart, "Ensemble Kalman methods for inverse problems",
Inverse Problems 29, 2013, equations (12) to (14)). No generator is evaluated.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

# Measurements are regressed on by so many principal components for each entry of the latent: more
# say little more, and the work grows with their square.
COMPONENTS = 3
# Weight of the ridge in units of the mean variance of the components.
RIDGE = 0.1
# Bound on the neighbours' components that are in memory at once.
BYTES = 32 * 2**20


@dataclass(frozen=True)
class Axes:
    """Centre (M,) and orthonormal directions (M, d) of measurements."""

    centre: Tensor
    directions: Tensor

    @classmethod
    def principal(cls, y: Tensor, count: int) -> Axes:
        """At most ``count`` principal directions of measurements (N, M)."""
        centre = y.mean(0)
        spread = y - centre
        if y.shape[1] <= count:
            return cls(centre, torch.eye(y.shape[1], dtype=y.dtype, device=y.device))
        # The smaller of the two Gram matrices gives the same directions.
        if y.shape[1] <= len(y):
            return cls(centre, torch.linalg.eigh(spread.T @ spread)[1][:, -count:])
        vectors = torch.linalg.eigh(spread @ spread.T)[1][:, -count:]
        return cls(centre, torch.linalg.qr(spread.T @ vectors)[0])

    def of(self, y: Tensor) -> Tensor:
        """Components (N, d) of measurements (N, M)."""
        return (y - self.centre) @ self.directions


@dataclass(frozen=True)
class Measured:
    """The bank's entries against B signals.

    Attributes
    ----------
    latents : Tensor
        (N, k).
    error : Tensor
        ||y - A x||^2, (N, B).
    features : Tensor, optional
        Principal components of the entries' measurements, (N, d).
    targets : Tensor, optional
        Those of the signals, (B, d).
    """

    latents: Tensor
    error: Tensor
    features: Tensor | None = None
    targets: Tensor | None = None

    def select(self, signals: Tensor) -> Measured:
        """The same entries against some of the signals, by position."""
        targets = None if self.targets is None else self.targets[signals]
        return replace(self, error=self.error[:, signals], targets=targets)

    def best(self, count: int) -> tuple[Tensor, Tensor]:
        """Numbers int64 (count, B) and latents (count, B, k) of the nearest, nearest first."""
        error = torch.where(self.error.isfinite(), self.error, torch.inf)
        numbers = error.topk(min(count, len(error)), dim=0, largest=False).indices
        return numbers, self.latents[numbers]

    def regressed(self, neighbourhoods: tuple[int, ...]) -> Tensor:
        """Latents by regression on neighbourhoods of several sizes.

        Parameters
        ----------
        neighbourhoods : tuple of int
            Sizes.

        Returns
        -------
        Tensor
            (sizes, B, k); none, (0, B, k), where there are no features. Where the fit is not
            finite the nearest entry stands in.
        """
        count, size = self.error.shape[1], self.latents.shape[1]
        if self.features is None or self.targets is None or not neighbourhoods:
            return self.latents.new_zeros(0, count, size)
        numbers, nearest = self.best(max(neighbourhoods))
        each = numbers.shape[0] * (self.features.shape[1] + size) * self.features.element_size()
        fitted = [
            torch.stack([self._fitted(numbers[:n, part], part) for n in neighbourhoods])
            for part in torch.arange(count, device=numbers.device).split(max(1, BYTES // each))
        ]
        z = torch.cat(fitted, 1)
        return torch.where(z.isfinite().all(-1, keepdim=True), z, nearest[:1])

    def _fitted(self, numbers: Tensor, signals: Tensor) -> Tensor:
        """Fit to the entries (n, B) of some signals, evaluated at their measurements, (B, k)."""
        assert self.features is not None
        assert self.targets is not None
        x, z = self.features[numbers.T], self.latents[numbers.T]
        centre, level = x.mean(1), z.mean(1)
        x = x - centre[:, None]
        gram = x.mT @ x
        diagonal = gram.diagonal(dim1=1, dim2=2)
        diagonal += RIDGE * diagonal.mean(1, keepdim=True) + torch.finfo(x.dtype).tiny
        off = self.targets[signals] - centre
        weights = x @ torch.linalg.solve_ex(gram, off[..., None])[0]
        # The weights of the neighbours do not depend on what is read off them.
        return level + (weights.mT @ (z - level[:, None]))[:, 0]


def squared_distances(a: Tensor, b: Tensor) -> Tensor:
    """||a_i - b_j||^2, (N, B), of vectors (N, M) and (B, M), by one matrix product."""
    return a.square().sum(1)[:, None] - 2 * a @ b.T + b.square().sum(1)
