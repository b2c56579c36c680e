"""Levenberg-Marquardt on the latents of a batch of signals.

Each signal minimises an objective f with gradient g, whose curvature is that of ||r(z)||^2 for a
residual r with Jacobian J (for a sum of squares f is ||r||^2 itself, and g is 2 J^T r):

    (J^T J + mu D) delta = -g / 2,    D = diag(J^T J) + its mean,

the step is taken when it lowers f, and mu follows the ratio of the true to the predicted decrease
(Nielsen 1999; Madsen, Nielsen, Tingleff 2004, "Methods for non-linear least squares problems",
Algorithm 3.16). A generator with ReLU is piecewise smooth and close to a least-squares minimum
this ends what first-order steps approach only slowly.

Where J would be too large, or its k tangents too many passes of a large generator, J^T J is
replaced by Q T Q^T, what ``KRYLOV`` steps of the Lanczos process from g see of it (Q orthonormal,
T tridiagonal; G. H. Golub, C. F. Van Loan, "Matrix Computations", 2013, algorithm 10.1.1), and D
by a multiple of the identity: the step is then the one that as many conjugate gradients take, for
every mu alike.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple

import torch
from torch import Tensor

from ganprior.solvers.engine.candidates import Candidates
from ganprior.solvers.engine.effort import Stage, check_at_least
from ganprior.solvers.engine.problem import Problem

FIRST_DAMPING = 1e-3
# Bound on the Jacobians that are in memory at once.
JACOBIAN_BYTES = 128 * 2**20
# Lanczos steps where a Jacobian is larger; above so many entries of z there is no polish at all.
KRYLOV, MOST_ENTRIES = 24, 4096
# Passes of a Lanczos step, roughly: forward, tangent and gradient.
PRODUCT_PASSES = 5
# Dampings tried for one Jacobian; with the growth doubling each time the last one is large.
TRIALS = 5
# One small step may be a kink of the generator that the next one passes.
PATIENCE = 2

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Polish(Stage):
    """Levenberg-Marquardt steps on the candidates of the signals that have not converged.

    Those whose objective goes on falling are the ones that the generator can make exactly.

    Attributes
    ----------
    steps : int
        At most.
    tolerance : float
        A latent has converged when two steps in turn lower its objective by less than this fraction
        each. A signal in the generator's range falls by far more in each step until it is exact;
        for any other one the polish ends after a few steps.

    Raises
    ------
    ValueError
        If there is no step or the tolerance is negative.
    """

    steps: int
    tolerance: float = 5e-3

    def __post_init__(self) -> None:
        check_at_least(1, self, "steps")
        check_at_least(0, self, "tolerance")

    def run(self, problem: Problem, candidates: Candidates) -> Candidates:
        """Polish; as they are where the objective has no residual or that no Jacobian."""
        falling = (~candidates.converged.all(0)).nonzero()[:, 0]
        if len(falling) == 0:
            return candidates
        logger.info("polish of %d images", len(falling))
        part, own = problem.subset(falling), candidates.subset(falling)
        rows = [polish(part, z, self.steps, self.tolerance) for z in own.z]
        found = [row for row in rows if row is not None]
        if not found:
            return candidates
        columns = {name: getattr(candidates, name).clone() for name in ("z", "value", "steps")}
        converged = candidates.converged.clone()
        columns["z"][:, falling] = torch.stack([row.z for row in found])
        columns["value"][:, falling] = torch.stack([row.value for row in found])
        columns["steps"][:, falling] += torch.stack([row.steps for row in found])
        converged[:, falling] = torch.stack([row.converged for row in found])
        return replace(candidates, **columns, converged=converged)


@dataclass
class Polished:
    """Result of the polish of B signals: latents (B, k), objective, steps, whether converged."""

    z: Tensor
    value: Tensor
    steps: Tensor
    converged: Tensor


def polish(problem: Problem, z: Tensor, steps: int, tolerance: float) -> Polished | None:
    """Take at most ``steps`` Levenberg-Marquardt steps from ``z`` (B, k).

    Parameters
    ----------
    problem : Problem
        Objective of the B signals.
    z : Tensor
        Latents to start from.
    steps : int
        Most steps, each with a Jacobian of its own.
    tolerance : float
        A signal has converged when ``PATIENCE`` steps in turn lower its objective by less
        than this fraction each.

    Returns
    -------
    Polished or None
        None where the problem has no residual or no Jacobian, or z too many entries.
    """
    if z.shape[1] > MOST_ENTRIES:
        return None
    value = problem.value(z[None])[0]
    state = _State(
        Polished(z.clone(), value, torch.zeros_like(value, dtype=torch.long), ~value.isfinite()),
        damping=torch.full_like(value, FIRST_DAMPING),
        growth=torch.full_like(value, 2.0),
        small=torch.zeros_like(value, dtype=torch.long),
    )
    found = state.found
    for _ in range(steps):
        active = (~found.converged).nonzero()[:, 0]
        if len(active) == 0:
            break
        # A Jacobian is m x k numbers and k passes for each signal: so many signals at a time as
        # fit, and none where products with it are cheaper.
        most = JACOBIAN_BYTES // (problem.y[0].numel() * z.shape[1] * z.element_size())
        if z.shape[1] > max(problem.tangents, KRYLOV * PRODUCT_PASSES):
            most = 0
        for signals in active.split(max(1, most)):
            part = problem.subset(signals)
            slope = part.value_and_gradient(found.z[signals][None])[1][0] / 2
            normal = (_normal if most else _krylov_normal)(part, found.z[signals], slope)
            if normal is None:
                return None
            _step(part, state, signals, normal, slope, tolerance)
    return found


@dataclass
class _State:
    """Latents on their way, damping mu and its growth (B,), and small steps in turn, int64 (B,)."""

    found: Polished
    damping: Tensor
    growth: Tensor
    small: Tensor


class _Normal(NamedTuple):
    """J^T J of each signal, (B, k, k), and the diagonal of D, (B, k)."""

    matrix: Tensor
    scale: Tensor


def _normal(part: Problem, z: Tensor, slope: Tensor) -> _Normal | None:
    """That of the Jacobian."""
    linearised = part.residual_and_jacobian(z)
    if linearised is None:
        return None
    # One at a time: products of one matrix alone may be rounded in a way of their own.
    matrix = torch.stack([J.mT @ J for J in linearised[1]])
    diagonal = matrix.diagonal(dim1=-2, dim2=-1)
    return _Normal(matrix, diagonal + diagonal.mean(-1, keepdim=True))


def _krylov_normal(part: Problem, z: Tensor, slope: Tensor) -> _Normal | None:
    """What the Lanczos process from the slope sees of it."""
    try:
        product = part.curvature_products(z)
        if product is None:
            return None
        basis, images = _krylov(product, slope)
    except (RuntimeError, NotImplementedError):
        return None
    T = basis @ images.mT
    matrix = basis.mT @ ((T + T.mT) / 2) @ basis
    level = T.diagonal(dim1=-2, dim2=-1).mean(-1, keepdim=True)
    return _Normal(matrix, level.expand_as(z))


def _krylov(product: Callable[[Tensor], Tensor], start: Tensor) -> tuple[Tensor, Tensor]:
    """Orthonormal rows (B, q, k) of the Krylov space of each signal, and their products."""
    basis, images = start.new_zeros(2, len(start), 0, start.shape[1])
    new = start
    for _ in range(min(KRYLOV, start.shape[1])):
        before = new.norm(dim=-1, keepdim=True)
        # Twice is enough: rounding leaves no component in the basis.
        for _ in range(2):
            new = new - ((basis @ new[..., None]) * basis).sum(1)
        length = new.norm(dim=-1, keepdim=True)
        # What is left at the end of the space is rounding, and no direction.
        left = length > torch.finfo(new.dtype).eps ** 0.75 * before
        new = torch.where(left, new / length.clamp_min(torch.finfo(new.dtype).tiny), 0)
        basis = torch.cat([basis, new[:, None]], 1)
        new = product(new)
        images = torch.cat([images, new[:, None]], 1)
    return basis, images


def _step(
    part: Problem,
    state: _State,
    active: Tensor,
    linearised: _Normal,
    slope: Tensor,
    tolerance: float,
) -> None:
    found, normal = state.found, linearised.matrix
    z, value, frozen = found.z[active], found.value[active], found.converged[active]
    new_z, new_value = z, value
    waiting = ~frozen
    # A refused step leaves z, and hence the Jacobian, as they are: only the damping grows.
    for _ in range(TRIALS):
        mu, growth = state.damping[active], state.growth[active]
        trial = part.project(z + _solve(linearised, slope, mu))
        delta = trial - z
        after = part.value(trial[None])[0]
        # f(z) - f(z + delta) by the model
        predicted = -(2 * slope + (normal * delta[:, None]).sum(-1)).mul(delta).sum(-1)
        fall = value - after
        accepted = (fall > 0) & waiting
        gain = fall / predicted.clamp_min(torch.finfo(z.dtype).tiny)
        shrink = (1 - (2 * gain - 1) ** 3).clamp(1 / 3, 1)

        new_z = torch.where(accepted[:, None], trial, new_z)
        new_value = torch.where(accepted, after, new_value)
        refused = waiting & ~accepted
        mu = torch.where(accepted, mu * shrink, torch.where(refused, mu * growth, mu))
        state.damping[active] = mu
        two = torch.full_like(growth, 2.0)
        growth = torch.where(accepted, two, torch.where(refused, growth * 2, growth))
        state.growth[active] = growth
        waiting = refused
        if not waiting.any():
            break
    found.z[active], found.value[active] = new_z, new_value
    found.steps[active] += (~frozen).long()
    little = value - new_value <= tolerance * value.abs()
    small = torch.where(little, state.small[active] + 1, torch.zeros_like(state.small[active]))
    state.small[active] = small
    # Nothing is left to gain once a sum of squares is rounding error of the measurements.
    exact = new_value.abs() <= (8 * torch.finfo(z.dtype).eps) ** 2 * part.scale
    found.converged[active] |= (small >= PATIENCE) | exact


def _solve(normal: _Normal, slope: Tensor, mu: Tensor) -> Tensor:
    """delta of each signal; zero where the numbers are not finite."""
    damped = normal.matrix + torch.diag_embed(mu[:, None] * normal.scale)
    # Doubles: forming J^T J squares the condition number, and k x k systems cost little.
    factor, failed = torch.linalg.cholesky_ex(damped.double())
    delta = -torch.cholesky_solve(slope.double()[..., None], factor)[..., 0].to(slope)
    good = (failed == 0) & delta.isfinite().all(-1)
    return torch.where(good[:, None], delta, torch.zeros_like(delta))
