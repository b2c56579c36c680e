"""Densities and divergences by quadrature, and the best Gaussian: what training is held to.

Densities are logarithms in float64 on a regular grid of points (N, d), of which each stands for a
volume: beyond the grid there is nothing, and the sum over points is the trapezoidal rule.
D_f(P || Q) = int q f(p / q) (Nowozin, Cseke, Tomioka 2016, arXiv 1606.00709, section 2.1), with f
of the package's table.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from scipy.optimize import minimize
from torch import Tensor

from ganprior.training import DIVERGENCES, Divergence


def log_normal(x: Tensor, mean: Sequence[float], std: float) -> Tensor:
    """Log density of N(mean, std^2 I) at x (N, d), (N,)."""
    distance = (x - torch.tensor(mean, dtype=x.dtype)).square().sum(-1)
    return -distance / (2 * std**2) - x.shape[-1] * math.log(std * math.sqrt(2 * math.pi))


@dataclass(frozen=True)
class Mixture:
    """A mixture of isotropic Gaussians.

    Attributes
    ----------
    weights, stds : tuple of float
        Of each part; the weights sum to 1.
    means : tuple of tuple of float
        Of each part, d numbers.
    """

    weights: tuple[float, ...]
    means: tuple[tuple[float, ...], ...]
    stds: tuple[float, ...]

    def log_density(self, x: Tensor) -> Tensor:
        """Log density at x (N, d), (N,)."""
        parts = zip(self.weights, self.means, self.stds, strict=True)
        logs = [math.log(weight) + log_normal(x, mean, std) for weight, mean, std in parts]
        return torch.stack(logs).logsumexp(0)

    def draw(self, runs: int, count: int, rng: torch.Generator) -> Tensor:
        """Independent draws, float32, (runs, count, d)."""
        weights = torch.tensor(self.weights)
        part = torch.multinomial(weights, runs * count, replacement=True, generator=rng)
        means, stds = torch.tensor(self.means)[part], torch.tensor(self.stds)[part]
        x = means + stds[:, None] * torch.randn(means.shape, generator=rng)
        return x.view(runs, count, -1)

    @property
    def mean(self) -> tuple[float, ...]:
        """The mean, d numbers."""
        weighted = np.array(self.weights) @ np.array(self.means)
        return tuple(weighted.tolist())

    @property
    def std(self) -> float:
        """Root of the variance of a coordinate, averaged over the coordinates."""
        means = np.array(self.means)
        spread = ((means - np.array(self.mean)) ** 2).mean(1) + np.array(self.stds) ** 2
        return float(np.sqrt(np.array(self.weights) @ spread))


class Grid(NamedTuple):
    """Points (N, d) of a quadrature, float64, and the volume that each stands for."""

    points: Tensor
    volume: float


def grid(low: float, high: float, count: int, dimensions: int = 1) -> Grid:
    """A regular grid of ``count`` points on each axis."""
    axis = torch.linspace(low, high, count, dtype=torch.float64)
    points = torch.cartesian_prod(*[axis] * dimensions).view(-1, dimensions)
    return Grid(points, ((high - low) / (count - 1)) ** dimensions)


def divergence(name: str, log_p: Tensor, log_q: Tensor, volume: float) -> float:
    """D_f(P || Q) by quadrature; ``"jensen-shannon"`` is twice the usual one."""
    row: Divergence = DIVERGENCES[name]
    # Beyond e^300 either way one of the two is nothing, and f would overflow.
    ratio = (log_p - log_q).clamp(-300, 300).exp()
    # q f(p / q) = p f(p / q) / (p / q), of which the one whose factor is not nothing.
    p, q, f = log_p.exp(), log_q.exp(), row.f(ratio)
    return torch.where(ratio > 1, p * (f / ratio), q * f).sum().item() * volume


def squared_mmd(data: Mixture, mean: Sequence[float], std: float, bandwidth: float) -> float:
    """Squared maximum mean discrepancy of a mixture and N(mean, std^2 I), in closed form.

    A. Gretton et al., "A Kernel Two-Sample Test", 2012, JMLR 13, lemma 6, with the kernel
    exp(-||x - y||^2 / (2 bandwidth^2)), whose mean over two Gaussians is a Gaussian again.
    """
    weights = np.array([*data.weights, -1.0])
    means, stds = np.array([*data.means, tuple(mean)]), np.array([*data.stds, std])
    spread = bandwidth**2 + stds[:, None] ** 2 + stds[None] ** 2
    distance = ((means[:, None] - means[None]) ** 2).sum(2)
    kernel = (bandwidth**2 / spread) ** (means.shape[1] / 2) * np.exp(-distance / (2 * spread))
    return float(weights @ kernel @ weights)


class Gaussian(NamedTuple):
    """N(mean, std^2 I)."""

    mean: tuple[float, ...]
    std: float


def best_gaussian(data: Mixture, loss: Callable[[Gaussian], float]) -> Gaussian:
    """The Gaussian of least loss, the best of searches from the mixture's moments and parts."""
    starts = [(data.mean, data.std), *zip(data.means, data.stds, strict=True)]

    def of(numbers: np.ndarray) -> Gaussian:
        return Gaussian(tuple(numbers[:-1].tolist()), math.exp(numbers[-1]))

    options = {"xatol": 1e-5, "fatol": 1e-9, "maxiter": 2000}
    ends = [
        minimize(
            lambda numbers: loss(of(numbers)),
            [*mean, math.log(std)],
            method="Nelder-Mead",
            options=options,
        )
        for mean, std in starts
    ]
    return of(min(ends, key=lambda end: float(end.fun)).x)
