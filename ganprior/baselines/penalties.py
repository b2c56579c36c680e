"""Norms of K x that keep an image simple: total variation, and l1 in a basis."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from ganprior.baselines.linear_map import Basis


class Penalty(Protocol):
    """A norm of K x for a linear K.

    Attributes
    ----------
    squared_norm : float
        A bound of ||K||^2.
    """

    @property
    def squared_norm(self) -> float:
        """Bound of ||K||^2."""
        ...

    def forward(self, x: Tensor) -> Tensor:
        """K x of images (B, C, H, W), (B, ...)."""
        ...

    def adjoint(self, p: Tensor) -> Tensor:
        """K^T p, (B, C, H, W)."""
        ...

    def project(self, p: Tensor, weight: Tensor) -> Tensor:
        """Nearest p whose dual norm is at most ``weight``, (B, 1, 1, 1)."""
        ...

    def value(self, x: Tensor) -> Tensor:
        """||K x||, (B,)."""
        ...


class TotalVariationNorm:
    """Isotropic total variation, channels coupled: K is the gradient.

    L. Rudin, S. Osher, E. Fatemi 1992; one norm for all channels of a pixel (X. Bresson, T. F. Chan
    2008). ||grad||^2 <= 8 (A. Chambolle 2004, theorem 3.1).
    """

    squared_norm = 8.0

    def forward(self, x: Tensor) -> Tensor:
        """Differences, (B, 2, C, H, W)."""
        return gradient(x)

    def adjoint(self, p: Tensor) -> Tensor:
        """Transpose of the differences."""
        return gradient_adjoint(p)

    def project(self, p: Tensor, weight: Tensor) -> Tensor:
        """Shorten what is longer than ``weight`` at a pixel."""
        return p / (_pixel_norm(p) / weight[:, None]).clamp(min=1)

    def value(self, x: Tensor) -> Tensor:
        """Total variation."""
        return total_variation(x)


@dataclass(frozen=True)
class CoefficientNorm:
    """Weighted l1 norm of the coefficients in an orthonormal basis: K x = Psi^T x.

    Attributes
    ----------
    basis : Basis
        Psi.
    weights : Tensor
        Positive, of a shape that expands to the coefficients of an image, (C, H, W).
    """

    basis: Basis
    weights: Tensor
    squared_norm: float = 1.0

    def forward(self, x: Tensor) -> Tensor:
        """Coefficients."""
        return self.basis.analysis(x)

    def adjoint(self, p: Tensor) -> Tensor:
        """Image of coefficients."""
        return self.basis.synthesis(p)

    def project(self, p: Tensor, weight: Tensor) -> Tensor:
        """Clip every coefficient at ``weight`` times its own weight."""
        bound = weight * self.weights
        return p.clamp(-bound, bound)

    def value(self, x: Tensor) -> Tensor:
        """Sum of the weighted moduli."""
        return (self.weights * self.basis.analysis(x).abs()).flatten(1).sum(1)


def gradient(x: Tensor) -> Tensor:
    """Differences to the pixel below and to the right, 0 at the border: (B, 2, C, H, W)."""
    g = x.new_zeros(len(x), 2, *x.shape[1:])
    torch.sub(x[..., 1:, :], x[..., :-1, :], out=g[:, 0, :, :-1, :])
    torch.sub(x[..., :, 1:], x[..., :, :-1], out=g[:, 1, :, :, :-1])
    return g


def gradient_adjoint(p: Tensor) -> Tensor:
    """Transpose of :func:`gradient`: (B, 2, C, H, W) to (B, C, H, W)."""
    x = torch.zeros_like(p[:, 0])
    down, right = p[:, 0, :, :-1, :], p[:, 1, :, :, :-1]
    x[..., 1:, :] += down
    x[..., :-1, :] -= down
    x[..., :, 1:] += right
    x[..., :, :-1] -= right
    return x


def total_variation(x: Tensor) -> Tensor:
    """Isotropic total variation of images (B, C, H, W), channels coupled, (B,)."""
    return _pixel_norm(gradient(x)).flatten(1).sum(1)


def _pixel_norm(p: Tensor) -> Tensor:
    """Norm over both directions and all channels of each pixel, (B, 1, 1, H, W)."""
    return p.square().sum((1, 2), keepdim=True).sqrt()
