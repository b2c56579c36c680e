"""Conjugate gradients for a batch of systems, each with step lengths and an end of its own.

Preconditioned as in algorithm 11.5.1 of G. H. Golub, C. F. Van Loan, "Matrix Computations", 2013.
(Least squares of least norm, where only A and its adjoint are at hand, are those of
:mod:`ganprior.physics.least_squares`: its residual is that of y, which AᵀA would square.)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from ganprior.solution import squared_norm


class Solved(NamedTuple):
    """Solutions, in the shape of the right-hand sides; whether each converged, and its steps."""

    x: Tensor
    converged: Tensor
    steps: Tensor


def conjugate_gradients(
    product: Callable[[Tensor], Tensor],
    right: Tensor,
    *,
    tolerance: float,
    max_steps: int,
    precondition: Callable[[Tensor], Tensor] | None = None,
) -> Solved:
    """Solve Q x = right for every system of a batch, from x = 0.

    A system that has converged, or that holds NaN, stays as it is while the others go on, so that
    each gets what it would get alone.

    Parameters
    ----------
    product : callable
        Q, symmetric and positive definite on what is searched, on a batch (N, ...).
    right : Tensor
        Right-hand sides, (N, ...).
    tolerance : float
        A system has converged when the norm of its residual is at most this fraction of that of
        its right-hand side.
    max_steps : int
        Steps after which all stop.
    precondition : callable, optional
        An approximate inverse of Q, symmetric and positive definite too.
    """

    def conditioned(residual: Tensor) -> Tensor:
        return residual if precondition is None else precondition(residual)

    def shaped(numbers: Tensor) -> Tensor:
        return numbers.reshape(-1, *[1] * (right.dim() - 1))

    x, r = torch.zeros_like(right), right
    p = s = conditioned(r)
    energy, r_s = squared_norm(r), _dot(r, s)
    goal = tolerance**2 * energy
    steps = torch.zeros_like(energy, dtype=torch.int64)
    for _ in range(max_steps):
        # Comparisons with NaN are false: a system that holds one is left alone.
        active = energy > goal
        if not active.any():
            break
        image = product(p)
        length = torch.where(active, r_s / _dot(p, image), 0)
        # What divided by zero is not used, but zero times infinity would be NaN.
        x = torch.where(shaped(active), x + shaped(length) * p, x)
        r = torch.where(shaped(active), r - shaped(length) * image, r)
        energy = torch.where(active, squared_norm(r), energy)
        s = conditioned(r)
        before, r_s = r_s, torch.where(active, _dot(r, s), r_s)
        ratio = torch.where(active, r_s / before, 0)
        p = torch.where(shaped(active), s + shaped(ratio) * p, p)
        steps += active
    return Solved(x, energy <= goal, steps)


def _dot(a: Tensor, b: Tensor) -> Tensor:
    return (a * b).flatten(1).sum(1)
