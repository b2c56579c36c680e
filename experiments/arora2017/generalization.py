"""Which distances of two samples tell that both are of one law (Arora et al. 2017, section 3).

S. Arora, R. Ge, Y. Liang, T. Ma, Y. Zhang, "Generalization and equilibrium in generative
adversarial nets", ICML 2017, arXiv 1703.00573. Two samples of n points each are drawn from the
same N(0, I) in d dimensions, so that every distance of the laws is 0. Between the samples
themselves Jensen-Shannon's divergence is log 2 whatever n is, since they share no point, and W1
stays away from 0 while n is not exponential in d (lemma 1). The neural-net distance (definition 2)
is the largest difference of means over the samples that a network of some size reaches, and falls
as sqrt(p / n) for p parameters (theorem 3.1). All networks here are 1-Lipschitz, so that it is W1
with fewer functions: two hidden layers of 32 ReLUs, rows of the first in the unit ball, of the
others in the unit ball of the l1 norm, fitted by projected Adam from three starts.

    ganprior figure arora2017/generalization --preset paper

Claims: the divergence is log 2 everywhere; from the fewest to the most points W1 in the largest d
loses at most a quarter, and the neural-net distance at least a half in every d.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from experiments.intervals import grouped
from experiments.rows import Row
from experiments.sweep.figure import declare
from ganprior.jobs import Cell
from ganprior.streams import derive_seed

NETWORK, WASSERSTEIN, JENSEN_SHANNON = "neural-net distance", "W1", "Jensen-Shannon"
UNITS, STARTS, RATE = 32, 3, 0.02
MOST_LEFT, LEAST_LEFT = 0.5, 0.75


@dataclass(frozen=True)
class Config:
    """What is drawn; the presets are below."""

    dimensions: tuple[int, ...] = (2, 10, 30, 100)
    samples: tuple[int, ...] = (50, 100, 200, 500, 1000, 2000)
    seeds: int = 5
    steps: int = 300


def cells(config: Config) -> list[Cell]:
    """Every distance, dimension, number of points and pair of samples."""
    return [
        Cell(method, "samples", n, f"d = {d}", seed)
        for d in config.dimensions
        for n in config.samples
        for seed in range(config.seeds)
        for method in (NETWORK, WASSERSTEIN, JENSEN_SHANNON)
    ]


def rows(config: Config, cell: Cell) -> list[Row]:
    """Distance of a pair of samples; the same pair for every distance."""
    n, d = int(cell.number), int(cell.panel.removeprefix("d = "))
    rng = torch.Generator().manual_seed(derive_seed(cell.seed, f"samples in {d} dimensions", n))
    a, b = torch.randn(2, n, d, generator=rng)
    measured = {
        NETWORK: lambda: neural_net_distance(a, b, config.steps, cell.seed),
        WASSERSTEIN: lambda: wasserstein(a, b),
        JENSEN_SHANNON: lambda: jensen_shannon(a, b),
    }
    return [{"distance": f"{measured[cell.method]():.6g}"}]


class Network(nn.Module):
    """A 1-Lipschitz function of points (N, d), (N,), as long as :meth:`project` has been called."""

    def __init__(self, d: int, rng: torch.Generator) -> None:
        super().__init__()
        sizes = ((UNITS, d), (UNITS, UNITS), (1, UNITS))
        self.weights = nn.ParameterList([torch.randn(*size, generator=rng) for size in sizes])
        self.shifts = nn.ParameterList([torch.randn(size[0], generator=rng) for size in sizes[:2]])
        self.project()

    @torch.no_grad()
    def project(self) -> None:
        """Put every row back into its ball."""
        first, *others = self.weights
        first.div_(first.norm(dim=1, keepdim=True).clamp(min=1))
        for weight in others:
            weight.div_(weight.abs().sum(1, keepdim=True).clamp(min=1))

    def forward(self, x: Tensor) -> Tensor:
        """The function."""
        for weight, shift in zip(self.weights, self.shifts, strict=False):
            x = torch.relu(x @ weight.T + shift)
        return (x @ self.weights[2].T)[:, 0]


def neural_net_distance(a: Tensor, b: Tensor, steps: int, seed: int) -> float:
    """Largest difference of the means of a network over two samples (N, d), of some starts."""
    best = 0.0
    for start in range(STARTS):
        rng = torch.Generator().manual_seed(derive_seed(seed, "network", start))
        network = Network(a.shape[1], rng)
        adam = torch.optim.Adam(network.parameters(), RATE)
        for _ in range(steps):
            difference = network(a).mean() - network(b).mean()
            best = max(best, float(difference))
            adam.zero_grad()
            (-difference).backward()
            adam.step()
            network.project()
    return best


def wasserstein(a: Tensor, b: Tensor) -> float:
    """W1 of two samples (N, d): the mean distance of the best assignment."""
    from scipy.optimize import linear_sum_assignment

    cost = torch.cdist(a.double(), b.double()).numpy()
    return float(cost[linear_sum_assignment(cost)].mean())


def jensen_shannon(a: Tensor, b: Tensor) -> float:
    """Jensen-Shannon's divergence of the laws that two samples (N, d) are, in nats."""
    both = torch.cat([a, b])
    _, place = both.unique(dim=0, return_inverse=True)
    count = int(place.max()) + 1
    p, q = (torch.bincount(part, minlength=count) / len(part) for part in place.chunk(2))
    middle = (p + q) / 2
    return float((torch.xlogy(p, p / middle) + torch.xlogy(q, q / middle)).sum() / 2)


def claims(found: list[Row]) -> dict[str, bool]:
    """What stays and what falls as there are more points."""
    kinds = {kind: own for (kind,), own in grouped(found, ["method"]).items()}
    left = {(method, panel): _left(own) for (method, panel), own in grouped(found, PANELS).items()}
    largest = max((panel for _, panel in left), key=lambda panel: int(panel.split(" = ")[1]))
    return {
        "Jensen-Shannon's divergence is log 2 everywhere": all(
            abs(float(row["distance"]) - math.log(2)) < 1e-4 for row in kinds[JENSEN_SHANNON]
        ),
        f"at most {1 - LEAST_LEFT:.0%} of W1 is gone in the largest d": left[WASSERSTEIN, largest]
        >= LEAST_LEFT,
        f"at least {1 - MOST_LEFT:.0%} of the neural-net distance is, in every d": all(
            own <= MOST_LEFT for (method, _), own in left.items() if method == NETWORK
        ),
    }


PANELS = ("method", "panel")


def _left(own: list[Row]) -> float:
    """Mean at the most points over that at the fewest."""
    means = {
        int(n): sum(float(row["distance"]) for row in part) / len(part)
        for (n,), part in grouped(own, ["samples"]).items()
    }
    return means[max(means)] / means[min(means)]


def headline(found: list[Row]) -> str:
    """What is left of each distance at the most points, of what it is at the fewest."""
    return "; ".join(
        f"{panel}: {method} {_left(own):.0%} left"
        for (method, panel), own in grouped(found, PANELS).items()
        if method != JENSEN_SHANNON
    )


declare(
    __name__,
    "arora2017/generalization",
    "the neural-net distance of two samples of one law falls, W1 and Jensen-Shannon's do not",
    paper=Config(),
    smoke=Config((2, 100), (50, 500), 1, 150),
    column="distance",
    published="a theorem; no figure",
    differs="networks of two layers, 1-Lipschitz by their weights' norms",
)
