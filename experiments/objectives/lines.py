"""Two parallel lines, and distances between them from samples.

M. Arjovsky, S. Chintala, L. Bottou, "Wasserstein GAN", 2017, arXiv 1701.07875, example 1.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import torch
from scipy.optimize import linear_sum_assignment
from torch import Tensor, nn

from experiments.objectives.game import Game
from experiments.objectives.readings import distances

W1, JS, KL, TV = "W1", "Jensen-Shannon", "KL", "total variation"
WORDS = {W1: "|theta|", JS: "log 2", TV: "1"}
TRUTH: dict[str, Callable[[float], float]] = {
    W1: abs,
    JS: lambda theta: math.log(2) if theta else 0.0,
    KL: lambda theta: math.inf if theta else 0.0,
    TV: lambda theta: 1.0 if theta else 0.0,
}


class Line(nn.Module):
    """The generator (theta, U) of each run; z ~ N(0, 1) becomes the uniform U."""

    def __init__(self, thetas: tuple[float, ...]) -> None:
        super().__init__()
        self.theta = nn.Parameter(torch.tensor(thetas))

    def forward(self, z: Tensor) -> Tensor:
        """(R, B, 1) to (R, B, 2)."""
        return torch.cat([self.theta[:, None, None].expand_as(z), torch.special.ndtr(z)], 2)


def draw_line(runs: int, count: int, rng: torch.Generator, theta: float = 0.0) -> Tensor:
    """Points of P_theta, (R, B, 2); P is that of theta = 0."""
    height = torch.rand(runs, count, 1, generator=rng)
    return torch.cat([torch.full_like(height, theta), height], 2)


def transport(x: np.ndarray, y: np.ndarray) -> tuple[float, np.ndarray]:
    """Exact W1 between samples of equal number, and its gradient in y.

    Parameters
    ----------
    x, y : np.ndarray
        Points (N, d). The gradient is that of the best matching's cost, the matching being
        constant around almost every y.
    """
    distances = np.linalg.norm(x[:, None] - y[None], axis=2)
    i, j = linear_sum_assignment(distances)
    lengths = np.maximum(distances[i, j], 1e-12)
    gradient = np.zeros_like(y)
    gradient[j] = (y[j] - x[i]) / lengths[:, None] / len(x)
    return float(distances[i, j].mean()), gradient


def histograms(x: np.ndarray, y: np.ndarray) -> dict[str, float]:
    """JS, KL and TV of the histograms of two samples (N, 2), in bins of 0.05 by 0.25."""
    bins = [np.arange(-1.525, 1.55, 0.05), np.linspace(0, 1, 5)]
    p, q = (np.histogramdd(sample, bins=bins)[0] / len(sample) for sample in (x, y))
    m = (p + q) / 2
    return {
        JS: (_relative_entropy(p, m) + _relative_entropy(q, m)) / 2,
        KL: _relative_entropy(p, q),
        TV: float(np.abs(p - q).sum() / 2),
    }


def _relative_entropy(p: np.ndarray, q: np.ndarray) -> float:
    inside = p > 0
    with np.errstate(divide="ignore"):
        return float((p[inside] * np.log(p[inside] / q[inside])).sum())


def slopes(game: Game) -> Tensor:
    """Steepest slope of each run's critic (R,), on a grid that holds both lines."""
    places = torch.cartesian_prod(torch.linspace(-1, 1, 81), torch.linspace(0, 1, 11))
    x = places.expand(game.runs, -1, -1).clone().requires_grad_(True)
    (gradient,) = torch.autograd.grad(game.discriminator(x).sum(), x)
    return gradient.norm(dim=2).amax(1)


def estimates(game: Game, count: int = 4096) -> Tensor:
    """The objective's own distance of every run (R,); of a clipped critic, by its slope."""
    found = distances(game, count)
    return found / slopes(game) if game.settings.objective == "wgan" else found


def slope_of_transport(theta: float, count: int, rng: torch.Generator) -> tuple[float, float]:
    """Exact W1 between ``count`` points of P and of P_theta, and its derivative in theta."""
    x, y = (draw_line(1, count, rng, at)[0].double().numpy() for at in (0.0, theta))
    value, gradient = transport(x, y)
    return value, float(gradient[:, 0].sum())
