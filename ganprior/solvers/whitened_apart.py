"""Whitening without a matrix, where no pixel is measured twice: masks, and means over blocks.

With the covariance R^T R + D of nu and B = A R^T,

    C = Delta + B B^T,    Delta = A D A^T + s^2 I,

and Delta is diagonal, since rows of A share no pixel. With the thin singular value decomposition
Delta^-1/2 B = Q Lambda^1/2 V^T, of as many directions as nu has,

    C = Delta^1/2 (I + Q Lambda Q^T) Delta^1/2,
    W = (I - Q (I - (I + Lambda)^-1/2) Q^T) Delta^-1/2,    W C W^T = I.

All of it is of the size of y times the number of directions.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from ganprior.baselines.gaussian_woodbury import Sigma
from ganprior.baselines.linear_map import LinearMap
from ganprior.priors.gaussian_mixture_law import GaussianMixtureLaw
from ganprior.solvers.whitened import Whitened, root_of


@dataclass(frozen=True)
class Turn:
    """W of rows v that belong together: (I - Q T Q^T) Delta^-1/2 v, and its transpose.

    Attributes
    ----------
    scale : Tensor
        Diagonal of Delta^-1/2, (m,).
    directions, shares : Tensor
        Q, (m, r), and the diagonal of T = I - (I + Lambda)^-1/2, (r,).
    """

    scale: Tensor
    directions: Tensor
    shares: Tensor

    def forward(self, rows: Tensor) -> Tensor:
        """W v of rows (N, m)."""
        return self._turned(rows * self.scale)

    def transpose(self, rows: Tensor) -> Tensor:
        """W^T w of rows (N, m)."""
        return self._turned(rows) * self.scale

    def to(self, like: Tensor) -> Turn:
        """In the type of ``like``."""
        return Turn(*(part.to(like) for part in (self.scale, self.directions, self.shares)))

    def _turned(self, rows: Tensor) -> Tensor:
        return rows - (rows @ self.directions * self.shares) @ self.directions.T


class WhitenedPhysics:
    """W A as a physics: images (N, C, H, W) to rows (N, m)."""

    def __init__(self, A: LinearMap, turn: Turn) -> None:
        self._forward, self._turn = A.forward, turn

    def A(self, x: Tensor) -> Tensor:
        """Measure images."""
        return self._turn.forward(self._forward(x.flatten(1)))


@dataclass(frozen=True)
class WhitenedApart(Whitened):
    """Measurements of rows that share no pixel.

    Attributes
    ----------
    linear : LinearMap
        A on any number of rows of pixels, in their type.
    turn : Turn
        W, float64.
    """

    linear: LinearMap
    turn: Turn

    @classmethod
    def of(
        cls, law: GaussianMixtureLaw, linear: LinearMap, y: Tensor, noise_std: float
    ) -> Self | None:
        """Whiten measurements (B, m); None where rows of A share pixels.

        Parameters
        ----------
        law : GaussianMixtureLaw
            Law of nu.
        linear : LinearMap
            A on any number of rows of pixels.
        y : Tensor
            Measurements; entries that never respond are left out.
        noise_std : float
            s.
        """
        A, seen = _responding(linear, y)
        variance = seen.new_full((1, 1), noise_std**2)
        delta = Sigma.of(A, law.diagonal.to(seen), variance, seen[:1]).diagonal
        if delta is None:
            return None
        scale = delta[0].double().rsqrt()
        root = root_of(law)
        B = A.forward(root.to(seen)).double() * scale
        directions, values, _ = torch.linalg.svd(B.T, full_matrices=False)
        lengths = 1 + values.square()
        turn = Turn(scale, directions, 1 - lengths.rsqrt())
        away = seen.double() - A.forward(law.mean().to(seen)[None]).double()
        volume = lengths.log().sum() / 2 - scale.log().sum()
        return cls(
            law=law,
            y=turn.forward(away),
            noise_std=noise_std,
            log_scale=volume + len(scale) / 2 * math.log(2 * math.pi),
            linear=A,
            turn=turn,
        )

    def measure(self, rows: Tensor) -> Tensor:
        """See the class."""
        return self.turn.to(rows).forward(self.linear.forward(rows))

    def whiten(self, rows: Tensor) -> Tensor:
        """See the class."""
        return self.turn.forward(rows)

    def gain(self, rows: Tensor) -> Tensor:
        """See the class."""
        back, root = self.linear.transpose(self.turn.transpose(rows)), root_of(self.law)
        return (back @ root.T) @ root + self.law.diagonal * back

    def physics(self, like: Tensor) -> WhitenedPhysics:
        """See the class."""
        return WhitenedPhysics(self.linear, self.turn.to(like))


def _responding(linear: LinearMap, y: Tensor) -> tuple[LinearMap, Tensor]:
    """A without the entries of y that see no pixel, and y without them."""
    ones = torch.ones_like(y[:1])
    places = (linear.forward(linear.transpose(ones))[0] != 0).nonzero()[:, 0]

    def forward(rows: Tensor) -> Tensor:
        return linear.forward(rows)[:, places]

    def transpose(rows: Tensor) -> Tensor:
        full = rows.new_zeros(len(rows), y.shape[1])
        full[:, places] = rows
        return linear.transpose(full)

    return LinearMap(forward, transpose, shared=True), y[:, places]
