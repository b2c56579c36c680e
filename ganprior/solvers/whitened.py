"""Measurements of x = G(z) + nu, written so that what is left after G(z) is white.

    y = A x + noise,    nu ~ N(mu, S)
    y - A mu - A G(z) ~ N(0, C),    C = A S A^T + s^2 I = L L^T
    E[nu | y, z] = mu + S A^T C^-1 (y - A mu - A G(z))

the enhanced error model of J. Kaipio, E. Somersalo, "Statistical inverse problems: discretization,
model reduction and inverse crimes", Journal of Computational and Applied Mathematics 198(2), 2007,
section 4. W y and W A, for any W with W C W^T = I, are measurements of G(z) with noise N(0, I):
here W = L^-1, of a matrix A that is held, and in :mod:`ganprior.solvers.whitened_apart` one that
needs none.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import Any, Self

import torch
from torch import Tensor

from ganprior.physics import Dense
from ganprior.priors.gaussian_mixture_law import GaussianMixtureLaw

# Rounding of an entry of y that was summed from many, in units of the eps of its type.
ROUNDING = 16


@dataclass(frozen=True)
class Whitened(ABC):
    """Signals that share an operator and a noise, whitened.

    Attributes
    ----------
    law : GaussianMixtureLaw
        Law of nu.
    y : Tensor
        W (y - A mu), float64, (B, m).
    noise_std : float
        s.
    log_scale : Tensor
        log det C / 2 + m / 2 log(2 pi): what a density of the whitened y is to be lowered by.
    """

    law: GaussianMixtureLaw
    y: Tensor
    noise_std: float
    log_scale: Tensor

    @abstractmethod
    def measure(self, rows: Tensor) -> Tensor:
        """W A x, (N, m), of images as rows (N, n)."""

    @abstractmethod
    def whiten(self, rows: Tensor) -> Tensor:
        """W v of rows v like measurements, float64 (N, m)."""

    @abstractmethod
    def gain(self, rows: Tensor) -> Tensor:
        """S A^T W^T w, float64 (N, n), of whitened rows w, (N, m)."""

    @abstractmethod
    def physics(self, like: Tensor) -> Any:
        """W A as a physics on images of the type of ``like``."""

    def select(self, signals: Tensor | slice) -> Self:
        """Some of the signals, by position."""
        return replace(self, y=self.y[signals])

    def deviations(self, images: Tensor) -> Tensor:
        """E[nu | y, z], float64 (N, n), of images G(z), (N, C, H, W).

        The images are one of each signal, or any number of one signal.
        """
        left = self.y - self.measure(images.flatten(1).double())
        return self.law.mean() + self.gain(left)

    def drawn_deviations(self, images: Tensor, rng: torch.Generator) -> Tensor:
        """A draw of nu given y and z for each image as above, float64 (N, n), by a CPU generator.

        Of (nu, noise) drawn from their law, corrected by what it would have measured (G. Matheron;
        Y. Hoffman, E. Ribak, "Constrained realizations of Gaussian fields", ApJ 380, 1991).
        """
        drawn = self.law.sample(len(images), rng).flatten(1).to(self.y)
        shape = (len(images), self.y.shape[1])
        noise = torch.randn(shape, generator=rng, dtype=torch.float64).to(self.y)
        away = drawn - self.law.mean()
        white = self.whiten(self.noise_std * noise)
        left = self.y - self.measure(images.flatten(1).double() + away) - white
        return drawn + self.gain(left)


@dataclass(frozen=True)
class WhitenedMatrix(Whitened):
    """By the Cholesky factor of C, of a matrix A that is held.

    Attributes
    ----------
    matrix : Tensor
        L^-1 A, float64, (m, n).
    gains : Tensor
        S A^T L^-T, float64, (n, m).
    factor : Tensor
        L, float64, (m, m).
    """

    matrix: Tensor
    gains: Tensor
    factor: Tensor

    @classmethod
    def of(cls, law: GaussianMixtureLaw, matrix: Tensor, y: Tensor, noise_std: float) -> Self:
        """Whiten measurements (B, m) by a matrix (m, n), of the types in which they were made."""
        A = matrix.double()
        root = root_of(law)
        seen = A @ root.T
        covariance = seen @ seen.T + (A * law.diagonal) @ A.T
        rounding = (ROUNDING * torch.finfo(y.dtype).eps) ** 2
        covariance.diagonal().add_(noise_std**2 + rounding * covariance.diagonal())
        factor = torch.linalg.cholesky(covariance)
        white = torch.linalg.solve_triangular(factor, A, upper=False)
        away = y.double() - A @ law.mean()
        return cls(
            law=law,
            y=torch.linalg.solve_triangular(factor, away.T, upper=False).T,
            noise_std=noise_std,
            log_scale=factor.diagonal().log().sum() + len(A) / 2 * math.log(2 * math.pi),
            matrix=white,
            gains=root.T @ (white @ root.T).T + law.diagonal[:, None] * white.T,
            factor=factor,
        )

    def measure(self, rows: Tensor) -> Tensor:
        """See the class."""
        return rows @ self.matrix.T

    def whiten(self, rows: Tensor) -> Tensor:
        """See the class."""
        return torch.linalg.solve_triangular(self.factor, rows.T, upper=False).T

    def gain(self, rows: Tensor) -> Tensor:
        """See the class."""
        return rows @ self.gains.T

    def physics(self, like: Tensor) -> Dense:
        """See the class."""
        return Dense(self.matrix.to(like), self.law.image_shape)


def root_of(law: GaussianMixtureLaw) -> Tensor:
    """R, (r, n), of the covariance R^T R + D of one Gaussian."""
    return law.square_roots()[0].T @ law.basis
