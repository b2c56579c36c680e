"""The Lasso by ADMM, for signals that share one matrix with few rows.

    min over w of  P(w) = 1/2 ||y - B w||^2 + alpha ||w||_1

S. Boyd, N. Parikh, E. Chu, B. Peleato, J. Eckstein, "Distributed optimization and statistical
learning via the alternating direction method of multipliers", Foundations and Trends in Machine
Learning 3(1), 2011: the Lasso of section 6.4, over-relaxed as in section 3.4.3.

B B^T = Q diag(eigenvalues) Q^T is factorised once, after which B stands for Q^T B and y for Q^T y:
the linear system of every signal is then solved by a division, whatever its rho, and a step costs
what one of FISTA does, two products, while small alphas take a tenth of the steps. Where float32
cannot certify the minimum any more, an active-set iteration in float64 ends it
(:mod:`ganprior.baselines.active_set`).
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import torch
from torch import Tensor

from ganprior.baselines.active_set import active_set, shared_gram
from ganprior.baselines.fista import Minimum, certificate, soft_threshold
from ganprior.solution import squared_norm

CHECK_EVERY = 10
RELAXATION = 1.7
# The active set is tried once the relative gap is below NEAR and falls more slowly than this
# between two checks, and again whenever the steps have grown by a factor of PATIENCE.
NEAR, STALLED, PATIENCE = 2e-2, 0.25, 1.3
# Soft threshold alpha / rho in units of the coefficients' size, at alpha = ||B^T y||_inf, and the
# power of alpha with which it falls: fitted by hand to Gaussian B with m = 500, n = 784 and 4,096,
# alpha from 0.001 to 0.3, where it is within a factor of 2 of the best.
THRESHOLD, POWER = 0.7, 0.2


@dataclass(frozen=True)
class _Signals:
    """Rotated y, alpha, rho, and the variables of the paper, w for its z, scaled dual u.

    ``index`` is the place in the batch, ``attempt`` the step from which to try the active set,
    and ``gap`` the relative gap at the check before.
    """

    index: Tensor
    exact_y: Tensor
    y: Tensor
    alpha: Tensor
    rho: Tensor
    w: Tensor
    u: Tensor
    attempt: Tensor
    gap: Tensor

    def select(self, rows: Tensor) -> _Signals:
        return _Signals(*(getattr(self, field.name)[rows] for field in fields(self)))


def admm(
    matrix: Tensor,
    y: Tensor,
    alpha: Tensor,
    *,
    start: Tensor,
    tolerance: float,
    max_steps: int,
) -> Minimum:
    """Minimise 1/2 ||y - B w||^2 + alpha ||w||_1 for every row of y.

    Parameters
    ----------
    matrix : Tensor
        B, (m, n), the same for all; m is small enough for an eigendecomposition of (m, m).
    y : Tensor
        Measurements, (B, m).
    alpha : Tensor
        Weight of each signal, positive, (B, 1).
    start : Tensor
        First coefficients, (B, n).
    tolerance : float
        A signal has converged when its duality gap is at most ``tolerance`` times its objective.
    max_steps : int
        Steps after which the others stop.

    Returns
    -------
    Minimum
        Where every signal was when it stopped; a signal whose objective is not finite stops.
    """
    exact = matrix.double()
    eigenvalues, Q = torch.linalg.eigh(exact @ exact.T)
    exact, eigenvalues = Q.T @ exact, eigenvalues.clamp(min=0).to(y)
    B, exact_y = exact.to(y), y.double() @ Q
    gram = shared_gram(exact, len(y))
    now = _first(B, exact_y, alpha, start)
    out = Minimum.blank(start)
    for step in range(max_steps + 1):
        if step % CHECK_EVERY == 0 or step == max_steps:
            found = _certified(B, now, tolerance, step)
            _finish(exact, gram, now, found, tolerance, step)
            ended = found.converged | ~found.objective.isfinite() | (step == max_steps)
            out.write(now.index, ended, found)
            if ended.all():
                break
            now = now.select(~ended)
        now = _step(B, eigenvalues, now)
    return out


def _first(B: Tensor, exact_y: Tensor, alpha: Tensor, start: Tensor) -> _Signals:
    y = exact_y.to(B)
    m, n = B.shape
    largest = (y @ B).abs().amax(1, keepdim=True)
    size = squared_norm(y).sqrt()[:, None] / (B.norm() * m**0.5 / n**0.5)
    threshold = THRESHOLD * size * (alpha / largest) ** POWER
    rho = alpha / torch.where(threshold.isfinite() & (threshold > 0), threshold, 1)
    # At the minimum rho u is B^T (y - B w).
    u = ((y - start @ B.T) @ B).clamp(-alpha, alpha) / rho
    index = torch.arange(len(y), device=y.device)
    return _Signals(index, exact_y, y, alpha, rho, start, u, 0 * index, alpha[:, 0] / 0)


def _step(B: Tensor, eigenvalues: Tensor, now: _Signals) -> _Signals:
    """(6.4): x, z and u of the paper; z is w here, and x lives in this function only."""
    # (B^T B + rho)^-1 (B^T y + rho v) = v + B^T (B B^T + rho)^-1 (y - B v)
    v = now.w - now.u
    x = v + ((now.y - v @ B.T) / (eigenvalues + now.rho)) @ B
    relaxed = RELAXATION * x + (1 - RELAXATION) * now.w + now.u
    w = soft_threshold(relaxed, now.alpha / now.rho)
    return replace(now, w=w, u=relaxed - w)


def _certified(B: Tensor, now: _Signals, tolerance: float, step: int) -> Minimum:
    residual = now.y - now.w @ B.T
    objective, gap = certificate(now.y, now.alpha, now.w, residual, residual @ B)
    steps = torch.full_like(now.index, step)
    return Minimum(now.w.clone(), objective, gap, gap <= tolerance * objective, steps)


def _finish(
    exact: Tensor, gram: Tensor | None, now: _Signals, found: Minimum, tolerance: float, step: int
) -> None:
    """Put the minimum into ``found`` for the signals whose active set gives it."""
    gap = found.gap / found.objective
    near = (gap <= NEAR) & (gap > STALLED * now.gap) & (now.attempt <= step) & ~found.converged
    now.gap.copy_(gap)
    now.attempt[near] = int(PATIENCE * step) + 1
    rows = near.nonzero()[:, 0]
    if len(rows):
        w, objective, gap, proved = active_set(
            exact, now.exact_y[rows], now.alpha[rows], found.w[rows], tolerance, gram
        )
        rows = rows[proved]
        found.w[rows] = w[proved].to(found.w)
        found.objective[rows] = objective[proved].to(found.objective)
        found.gap[rows] = gap[proved].to(found.gap)
        found.converged[rows] = True
