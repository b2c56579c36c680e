"""Measurements of x = G(z) + nu, written so that what is left after G(z) is white.

    y = A x + noise,    nu ~ N(mu, S)
    y - A mu - A G(z) ~ N(0, C),    C = A S A^T + s^2 I = L L^T
    E[nu | y, z] = mu + S A^T C^-1 (y - A mu - A G(z))

the enhanced error model of J. Kaipio, E. Somersalo, "Statistical inverse problems: discretization,
model reduction and inverse crimes", Journal of Computational and Applied Mathematics 198(2), 2007,
section 4. L^-1 y and L^-1 A are measurements of G(z) with noise N(0, I).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ganprior.physics import Dense
from ganprior.priors.gaussian_mixture_law import GaussianMixtureLaw

# Rounding of an entry of y that was summed from many, in units of the eps of its type.
ROUNDING = 16


@dataclass(frozen=True)
class Whitened:
    """Signals that share a matrix and a noise, whitened.

    Attributes
    ----------
    law : GaussianMixtureLaw
        Law of nu.
    y : Tensor
        L^-1 (y - A mu), float64, (B, m).
    matrix : Tensor
        L^-1 A, float64, (m, n).
    gain : Tensor
        S A^T L^-T, float64, (n, m): E[nu | y, z] = mu + gain (L^-1 (y - A mu) - L^-1 A G(z)).
    log_scale : float
        log det L + m / 2 log(2 pi): what a density of the whitened y is to be lowered by.
    """

    law: GaussianMixtureLaw
    y: Tensor
    matrix: Tensor
    gain: Tensor
    factor: Tensor
    noise_std: float
    log_scale: Tensor

    @classmethod
    def of(cls, law: GaussianMixtureLaw, matrix: Tensor, y: Tensor, noise_std: float) -> Whitened:
        """Whiten measurements (B, m) by a matrix (m, n), of the types in which they were made."""
        A = matrix.double()
        root = law.square_roots()[0].T @ law.basis
        seen = A @ root.T
        covariance = seen @ seen.T + (A * law.diagonal) @ A.T
        rounding = (ROUNDING * torch.finfo(y.dtype).eps) ** 2
        covariance.diagonal().add_(noise_std**2 + rounding * covariance.diagonal())
        factor = torch.linalg.cholesky(covariance)
        solve = torch.linalg.solve_triangular
        white = solve(factor, A, upper=False)
        away = y.double() - A @ law.mean()
        gain = root.T @ (white @ root.T).T + law.diagonal[:, None] * white.T
        log_scale = factor.diagonal().log().sum() + len(A) / 2 * torch.log(
            torch.tensor(2 * torch.pi)
        )
        return cls(
            law, solve(factor, away.T, upper=False).T, white, gain, factor, noise_std, log_scale
        )

    def select(self, signals: Tensor | slice) -> Whitened:
        """Some of the signals, by position."""
        return replace(self, y=self.y[signals])

    def physics(self, like: Tensor) -> Dense:
        """L^-1 A as a physics on images of the type of ``like``."""
        return Dense(self.matrix.to(like), self.law.image_shape)

    def deviations(self, images: Tensor) -> Tensor:
        """E[nu | y, z], float64 (N, n), of images G(z), (N, C, H, W).

        The images are one of each signal, or any number of one signal.
        """
        left = self.y - images.flatten(1).double() @ self.matrix.T
        return self.law.mean() + left @ self.gain.T

    def drawn_deviations(self, images: Tensor, rng: torch.Generator) -> Tensor:
        """A draw of nu given y and z for each image as above, float64 (N, n), by a CPU generator.

        Of (nu, noise) drawn from their law, corrected by what it would have measured (G. Matheron;
        Y. Hoffman, E. Ribak, "Constrained realizations of Gaussian fields", ApJ 380, 1991).
        """
        drawn = self.law.sample(len(images), rng).flatten(1).to(self.y)
        shape = (len(images), self.y.shape[1])
        noise = torch.randn(shape, generator=rng, dtype=torch.float64).to(self.y)
        away = drawn - self.law.mean()
        white = torch.linalg.solve_triangular(self.factor, self.noise_std * noise.T, upper=False).T
        left = self.y - (images.flatten(1).double() + away) @ self.matrix.T - white
        return drawn + left @ self.gain.T

    def deviation_variances(self) -> Tensor:
        """Variance of every pixel of nu given y and z, (n,)."""
        return (self.law.pixel_variances() - self.gain.square().sum(1)).clamp(min=0)
