"""Densities in one dimension, and divergences between them by quadrature: what training is held to.

All are float64 on a grid of points. D_f(P || Q) = int q f(p / q) (Nowozin, Cseke, Tomioka 2016,
arXiv 1606.00709, section 2.1), with f of the package's table.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from ganprior.training.objectives import Divergence


def log_normal(x: Tensor, mean: Tensor | float, std: Tensor | float) -> Tensor:
    """Log density of N(mean, std^2) at x."""
    std = torch.as_tensor(std, dtype=x.dtype)
    return -((x - mean) / std).square() / 2 - std.log() - math.log(2 * math.pi) / 2


@dataclass(frozen=True)
class Mixture:
    """A mixture of Gaussians in one dimension.

    Attributes
    ----------
    weights, means, stds : tuple of float
        Of each part; the weights sum to 1.
    """

    weights: tuple[float, ...]
    means: tuple[float, ...]
    stds: tuple[float, ...]

    def log_density(self, x: Tensor) -> Tensor:
        """Log density at x, of the shape of x."""
        parts = [
            math.log(weight) + log_normal(x, mean, std)
            for weight, mean, std in zip(self.weights, self.means, self.stds, strict=True)
        ]
        return torch.stack(parts).logsumexp(0)

    def draw(self, runs: int, count: int, rng: torch.Generator) -> Tensor:
        """Independent draws, float32, (runs, count, 1)."""
        shape = runs, count, 1
        part = torch.multinomial(
            torch.tensor(self.weights), runs * count, replacement=True, generator=rng
        ).view(shape)
        noise = torch.randn(shape, generator=rng)
        return torch.tensor(self.means)[part] + torch.tensor(self.stds)[part] * noise

    @property
    def mean(self) -> float:
        """The mean."""
        return sum(w * m for w, m in zip(self.weights, self.means, strict=True))

    @property
    def std(self) -> float:
        """The standard deviation."""
        second = sum(
            w * (m**2 + s**2) for w, m, s in zip(self.weights, self.means, self.stds, strict=True)
        )
        return math.sqrt(second - self.mean**2)


def grid(low: float, high: float, count: int = 4001) -> Tensor:
    """Points of a quadrature, float64."""
    return torch.linspace(low, high, count, dtype=torch.float64)


def divergence(row: Divergence, log_p: Tensor, log_q: Tensor, x: Tensor) -> float:
    """int q f(p / q) by the trapezoidal rule, from log densities at the points x."""
    # Beyond e^300 either way one of the two is nothing, and f would overflow.
    ratio = (log_p - log_q).clamp(-300, 300).exp()
    return torch.trapezoid(log_q.exp() * row.f(ratio), x).item()


def jensen_shannon(log_p: Tensor, log_q: Tensor, x: Tensor) -> float:
    """The usual Jensen-Shannon divergence, between 0 and log 2."""
    log_m = torch.logaddexp(log_p, log_q) - math.log(2)
    integrand = log_p.exp() * (log_p - log_m) + log_q.exp() * (log_q - log_m)
    return torch.trapezoid(integrand, x).item() / 2
