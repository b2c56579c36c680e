"""Draws from p(z | y) by tempered sequential Monte Carlo, for all signals of a batch at once.

Particles go from p(z) to p(z) p(y | z) by way of p(z) p(y | z)^t (P. Del Moral, A. Doucet,
A. Jasra, "Sequential Monte Carlo samplers", Journal of the Royal Statistical Society B 68, 2006,
section 2.3.1). A signal's next t is the one at which its weights have half of the particles'
effective size; particles are drawn anew by their weights and moved by Metropolis steps that
are reversible with respect to the Gaussian of the particles' own mean and covariance (D. Rudolf,
B. Sprungk, "On a generalization of the preconditioned Crank-Nicolson Metropolis algorithm",
Foundations of Computational Mathematics 18, 2018, equation (12)). The first particles are drawn
from a large bank of p(z), at the t that it carries.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
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
    """N particles of each of B signals.

    Attributes
    ----------
    z : Tensor
        (B, N, k), float64.
    log_prior, log_likelihood : Tensor
        (B, N), float64.
    temperature : Tensor
        t, (B,).
    log_evidence : Tensor
        log of the mean of p(y | z)^t over p(z), (B,).
    length : Tensor
        beta of the moves, (B,).
    accepted : Tensor
        Share of the last moves that were taken, (B,).
    """

    z: Tensor
    log_prior: Tensor
    log_likelihood: Tensor
    temperature: Tensor
    log_evidence: Tensor
    length: Tensor
    accepted: Tensor


@dataclass(frozen=True)
class Target:
    """p(z) and p(y | z) of B signals: of latents (B, N, k), each (B, N)."""

    log_prior: Callable[[Tensor], Tensor]
    log_likelihood: Callable[[Tensor], Tensor]


def tempered(
    target: Target,
    bank: Tensor,
    bank_log_likelihood: Tensor,
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
        Draws from p(z), (M, k).
    bank_log_likelihood : Tensor
        Their log p(y | z) for each signal, (B, M).
    count : int
        N.
    moves : int
        Metropolis steps at each temperature.
    rng : torch.Generator
        CPU generator.
    """
    particles = _from_bank(target, bank, bank_log_likelihood, count, rng)
    while bool((particles.temperature < 1).any()):
        _move(target, particles, moves, rng)
        _heat(particles, rng)
    _move(target, particles, moves, rng)
    return particles


def chain(
    target: Target, particles: Particles, rounds: int, rng: torch.Generator
) -> Iterator[Tensor]:
    """Go on moving at t = 1; the latents after each round of moves, (B, N, k)."""
    for _ in range(rounds):
        _move(target, particles, 1, rng)
        yield particles.z


def _from_bank(
    target: Target, bank: Tensor, log_likelihood: Tensor, count: int, rng: torch.Generator
) -> Particles:
    t = _next_temperature(log_likelihood, torch.zeros(len(log_likelihood)).double(), count)
    weights = t[:, None] * log_likelihood
    chosen = _resampled(weights, count, rng)
    z = bank[chosen]
    signals = torch.arange(len(chosen))[:, None]
    return Particles(
        z=z,
        log_prior=target.log_prior(z),
        log_likelihood=log_likelihood[signals, chosen],
        temperature=t,
        log_evidence=weights.logsumexp(1) - math.log(len(bank)),
        length=torch.full_like(t, 0.5),
        accepted=torch.zeros_like(t),
    )


def _heat(particles: Particles, rng: torch.Generator) -> None:
    """Raise the temperatures, and draw the particles anew by their weights."""
    count = particles.z.shape[1]
    t = _next_temperature(particles.log_likelihood, particles.temperature, count / 2)
    weights = (t - particles.temperature)[:, None] * particles.log_likelihood
    particles.log_evidence += weights.logsumexp(1) - math.log(count)
    chosen = _resampled(weights, count, rng)
    signals = torch.arange(len(chosen))[:, None]
    for name in ("z", "log_prior", "log_likelihood"):
        setattr(particles, name, getattr(particles, name)[signals, chosen])
    particles.temperature = t


def _next_temperature(log_likelihood: Tensor, now: Tensor, size: float) -> Tensor:
    """Largest t up to 1 at which the effective size of the weights is at least ``size``."""
    low, high = now.clone(), torch.ones_like(now)
    for step in range(HALVINGS):
        middle = high if step == 0 else (low + high) / 2
        weights = ((middle - now)[:, None] * log_likelihood).log_softmax(1)
        enough = torch.exp(-(2 * weights).logsumexp(1)) >= size
        low = torch.where(enough, middle, low)
        high = torch.where(enough, high, middle)
    return low


def _resampled(log_weights: Tensor, count: int, rng: torch.Generator) -> Tensor:
    """Systematic resampling: places of ``count`` particles, (B, count)."""
    edges = log_weights.softmax(1).cumsum(1)
    offsets = torch.rand(len(log_weights), 1, generator=rng, dtype=torch.float64)
    points = (torch.arange(count) + offsets) / count * edges[:, -1:]
    return torch.searchsorted(edges, points).clamp(max=log_weights.shape[1] - 1)


def _move(target: Target, particles: Particles, moves: int, rng: torch.Generator) -> None:
    """Metropolis steps of all particles, their length steered by what is accepted."""
    z = particles.z
    mean = z.mean(1, keepdim=True)
    away = z - mean
    covariance = away.mT @ away / z.shape[1]
    diagonal = torch.diag_embed(covariance.diagonal(dim1=1, dim2=2))
    factor = torch.linalg.cholesky((1 - SHRINKAGE) * covariance + (SHRINKAGE + 1e-6) * diagonal)
    for _ in range(moves):
        normal = torch.randn(z.shape, generator=rng, dtype=torch.float64)
        beta = particles.length[:, None, None]
        proposed = mean + (1 - beta**2).sqrt() * (z - mean) + beta * (normal @ factor.mT)
        log_prior = target.log_prior(proposed)
        log_likelihood = target.log_likelihood(proposed)
        t = particles.temperature[:, None]
        gained = log_prior - particles.log_prior
        gained += t * (log_likelihood - particles.log_likelihood)
        gained += _square(factor, proposed - mean) / 2 - _square(factor, z - mean) / 2
        taken = torch.rand(gained.shape, generator=rng, dtype=torch.float64).log() < gained
        z = torch.where(taken[..., None], proposed, z)
        particles.log_prior = torch.where(taken, log_prior, particles.log_prior)
        particles.log_likelihood = torch.where(taken, log_likelihood, particles.log_likelihood)
        particles.accepted = taken.double().mean(1)
        steered = particles.length * torch.exp(particles.accepted - ACCEPTED)
        particles.length = steered.clamp(0.01, 0.95)
    particles.z = z


def _square(factor: Tensor, away: Tensor) -> Tensor:
    """||L^-1 v||^2 of vectors (B, N, k), (B, N)."""
    return torch.linalg.solve_triangular(factor, away.mT, upper=False).square().sum(1)
