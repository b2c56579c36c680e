"""Draws from p(z | y) by tempered sequential Monte Carlo.

Particles go from a law q(z) that can be drawn from to p(z) p(y | z) by way of

    q(z) r(z)^t,    r(z) = p(z) p(y | z) / q(z)

(P. Del Moral, A. Doucet, A. Jasra, "Sequential Monte Carlo samplers", Journal of the Royal
Statistical Society B 68, 2006, section 2.3.1, where q is p(z)). The next t is the one at which the
weights have half of the particles' effective size; particles are drawn anew by their weights and
moved by Metropolis steps that are reversible with respect to the Gaussian of the particles' own
mean and covariance (D. Rudolf, B. Sprungk, "On a generalization of the preconditioned
Crank-Nicolson Metropolis algorithm", Foundations of Computational Mathematics 18, 2018, equation
(12)). The first particles are drawn from a large bank of q, at the t that it carries.

Drawing anew keeps the order of the particles, so that those of one ancestor stand together: parts
of them that disagree in the end tell that the law was not found (:mod:`ganprior.solvers.mixing`).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

# Share of a Gaussian's covariance that is its diagonal's: particles are few for their entries.
SHRINKAGE = 0.1
# What the length of a move is steered to accept.
ACCEPTED = 0.3
HALVINGS = 40


@dataclass
class Particles:
    """N particles.

    Attributes
    ----------
    z : Tensor
        (N, k), float64.
    log_start, log_ratio : Tensor
        (N,), float64.
    temperature : float
        t.
    log_evidence : Tensor
        log of the mean of r^t over q.
    length : float
        beta of the moves.
    """

    z: Tensor
    log_start: Tensor
    log_ratio: Tensor
    temperature: float
    log_evidence: Tensor
    length: float


@dataclass(frozen=True)
class Target:
    """log q and log r of latents (N, k), each (N,)."""

    log_start: Callable[[Tensor], Tensor]
    log_ratio: Callable[[Tensor], Tensor]


def tempered(
    target: Target,
    bank: Tensor,
    bank_log_ratio: Tensor,
    count: int,
    moves: int,
    rng: torch.Generator,
) -> Particles:
    """Particles of p(z | y).

    Parameters
    ----------
    target : Target
        The posterior.
    bank : Tensor
        Draws from q, (M, k).
    bank_log_ratio : Tensor
        Their log r, (M,).
    count : int
        N.
    moves : int
        Metropolis steps at each temperature.
    rng : torch.Generator
        CPU generator.
    """
    particles = _from_bank(target, bank, bank_log_ratio, count, rng)
    while particles.temperature < 1:
        _move(target, particles, moves, rng)
        _heat(particles, rng)
    _move(target, particles, moves, rng)
    return particles


def _from_bank(
    target: Target, bank: Tensor, log_ratio: Tensor, count: int, rng: torch.Generator
) -> Particles:
    t = _next_temperature(log_ratio, 0.0, count)
    weights = t * log_ratio
    chosen = _resampled(weights, count, rng)
    return Particles(
        z=bank[chosen],
        log_start=target.log_start(bank[chosen]),
        log_ratio=log_ratio[chosen],
        temperature=t,
        log_evidence=weights.logsumexp(0) - math.log(len(bank)),
        length=0.5,
    )


def _heat(particles: Particles, rng: torch.Generator) -> None:
    """Raise the temperature, and draw the particles anew by their weights."""
    count = len(particles.z)
    t = _next_temperature(particles.log_ratio, particles.temperature, count / 2)
    weights = (t - particles.temperature) * particles.log_ratio
    particles.log_evidence = particles.log_evidence + weights.logsumexp(0) - math.log(count)
    chosen = _resampled(weights, count, rng)
    particles.z = particles.z[chosen]
    particles.log_start = particles.log_start[chosen]
    particles.log_ratio = particles.log_ratio[chosen]
    particles.temperature = t


def _next_temperature(log_ratio: Tensor, now: float, size: float) -> float:
    """Largest t up to 1 at which the effective size of the weights is at least ``size``."""

    def enough(t: float) -> bool:
        weights = ((t - now) * log_ratio).log_softmax(0)
        return bool(torch.exp(-(2 * weights).logsumexp(0)) >= size)

    if enough(1.0):
        return 1.0
    low, high = now, 1.0
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if enough(middle) else (low, middle)
    # However steep the likelihood is, it goes on.
    return max(low, high if low == now else low)


def _resampled(log_weights: Tensor, count: int, rng: torch.Generator) -> Tensor:
    """Systematic resampling: places of ``count`` particles, (count,)."""
    edges = log_weights.softmax(0).cumsum(0)
    offset = torch.rand(1, generator=rng, dtype=torch.float64).to(edges)
    points = (torch.arange(count).to(edges) + offset) / count * edges[-1]
    return torch.searchsorted(edges, points).clamp(max=len(edges) - 1)


def _move(target: Target, particles: Particles, moves: int, rng: torch.Generator) -> None:
    """Metropolis steps of all particles, their length steered by what is accepted."""
    z = particles.z
    mean = z.mean(0)
    away = z - mean
    covariance = away.T @ away / len(z)
    diagonal = torch.diag(covariance.diagonal().clamp(min=1e-12))
    factor = torch.linalg.cholesky((1 - SHRINKAGE) * covariance + (SHRINKAGE + 1e-6) * diagonal)
    for _ in range(moves):
        normal = torch.randn(z.shape, generator=rng, dtype=torch.float64).to(z)
        beta = particles.length
        proposed = mean + math.sqrt(1 - beta**2) * (z - mean) + beta * (normal @ factor.T)
        log_start, log_ratio = target.log_start(proposed), target.log_ratio(proposed)
        gained = log_start - particles.log_start
        gained += particles.temperature * (log_ratio - particles.log_ratio)
        gained += (_square(factor, proposed - mean) - _square(factor, z - mean)) / 2
        taken = torch.rand(len(z), generator=rng, dtype=torch.float64).log().to(gained) < gained
        z = torch.where(taken[:, None], proposed, z)
        particles.log_start = torch.where(taken, log_start, particles.log_start)
        particles.log_ratio = torch.where(taken, log_ratio, particles.log_ratio)
        steered = beta * math.exp(float(taken.double().mean()) - ACCEPTED)
        particles.length = min(max(steered, 0.01), 0.95)
    particles.z = z


def _square(factor: Tensor, away: Tensor) -> Tensor:
    """||L^-1 v||^2 of vectors (N, k), (N,)."""
    return torch.linalg.solve_triangular(factor, away.T, upper=False).square().sum(0)
