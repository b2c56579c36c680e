"""The Lasso by ADMM, for signals that share one matrix with few rows.

    min over w of  P(w) = 1/2 ||y - B w||^2 + alpha ||w||_1

S. Boyd, N. Parikh, E. Chu, B. Peleato, J. Eckstein, "Distributed optimization and statistical
learning via the alternating direction method of multipliers", Foundations and Trends in Machine
Learning 3(1), 2011: the Lasso of section 6.4, over-relaxed as in section 3.4.3.

B B^T = Q diag(eigenvalues) Q^T is factorised once, after which B stands for Q^T B and y for Q^T y:
the linear system of every signal is then solved by a division, whatever its rho, and a step costs
what one of FISTA does, two products, while small alphas take a tenth of the steps.

The paper's x also certifies: its residual, which is rho times what the division gives, is a point
of the dual whose image under B^T the step has formed anyway. It costs nothing, and bounds the
minimum several times as tightly as the residual of w does. Where the gap closes slowly all the
same, or float32 cannot certify the minimum any more, an active-set iteration in float64 ends it
(:mod:`ganprior.baselines.active_set`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace
from functools import cached_property

import torch
from torch import Tensor

from ganprior.baselines.active_set import active_set, shared_gram
from ganprior.baselines.fista import Minimum, dual_value, primal_value
from ganprior.solution import squared_norm

CHECK_EVERY = 4
RELAXATION = 1.7
# The active set is tried where the relative gap is below NEAR and would need more than PAYS further
# steps, at the rate of the last ones; at a few steps only, each PATIENCE times as late as the one
# before.
NEAR, PAYS, PATIENCE = 5e-3, 100, 1.3
# Soft threshold alpha / rho in units of the coefficients' size, at alpha = ||B^T y||_inf, and the
# power of alpha with which it falls: fitted by hand to Gaussian B with m = 500, n = 784 and 4,096,
# alpha from 0.001 to 0.3, where it is within a factor of 2 of the best.
THRESHOLD, POWER = 0.7, 0.2


@dataclass(frozen=True)
class _Exact:
    """What the active set needs, made when the first signal comes to it."""

    matrix: Tensor
    signals: int

    @cached_property
    def B(self) -> Tensor:
        return self.matrix.double()

    @cached_property
    def gram(self) -> Tensor | None:
        return shared_gram(self.B, self.signals)


@dataclass(frozen=True)
class _Signals:
    """Rotated y, alpha, rho, and the variables of the paper, w for its z, scaled dual u.

    ``Bw`` and ``Bu`` are rotated too. ``index`` is the place in the batch, ``exact_y`` the
    measurements as they came, and ``gap`` the relative gap when the active set was last considered.
    """

    index: Tensor
    exact_y: Tensor
    y: Tensor
    alpha: Tensor
    rho: Tensor
    w: Tensor
    u: Tensor
    Bw: Tensor
    Bu: Tensor
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
    # Q is orthogonal whatever the rounding of B B^T: the rotated problem has the same minimum.
    eigenvalues, Q = torch.linalg.eigh((matrix @ matrix.T).double())
    eigenvalues, Q = eigenvalues.clamp(min=0).to(y), Q.to(y)
    B = Q.T @ matrix
    exact = _Exact(matrix, len(y))
    now = _first(B, y, y @ Q, alpha, start)
    out = Minimum.blank(start)
    before = considered = 0
    for step in range(max_steps + 1):
        g, correction = _solve(B, eigenvalues, now)
        if step % CHECK_EVERY == 0 or step == max_steps:
            found = _certified(now, g, correction, tolerance, step)
            if step >= considered:
                _finish(exact, now, found, tolerance, step - before)
                before, considered = step, math.ceil(PATIENCE * step)
            ended = found.converged | ~found.objective.isfinite() | (step == max_steps)
            out.write(now.index, ended, found)
            if ended.all():
                break
            if ended.any():
                now, g, correction = now.select(~ended), g[~ended], correction[~ended]
        now = _step(B, eigenvalues, now, g, correction)
    return out


def _first(B: Tensor, exact_y: Tensor, y: Tensor, alpha: Tensor, start: Tensor) -> _Signals:
    m, n = B.shape
    largest = (y @ B).abs().amax(1, keepdim=True)
    size = squared_norm(y).sqrt()[:, None] / (B.norm() * m**0.5 / n**0.5)
    threshold = THRESHOLD * size * (alpha / largest) ** POWER
    rho = alpha / torch.where(threshold.isfinite() & (threshold > 0), threshold, 1)
    # At the minimum rho u is B^T (y - B w).
    Bw = start @ B.T
    u = ((y - Bw) @ B).clamp(-alpha, alpha) / rho
    index = torch.arange(len(y), device=y.device)
    unknown = torch.full_like(y[:, 0], torch.nan)
    return _Signals(index, exact_y, y, alpha, rho, start, u, Bw, u @ B.T, unknown)


def _solve(B: Tensor, eigenvalues: Tensor, now: _Signals) -> tuple[Tensor, Tensor]:
    """Give g = (B B^T + rho)^-1 (y - B v) = (y - B x) / rho for v = w - u, and B^T g."""
    # (B^T B + rho)^-1 (B^T y + rho v) = v + B^T (B B^T + rho)^-1 (y - B v)
    g = (now.y - now.Bw + now.Bu) / (eigenvalues + now.rho)
    return g, g @ B


def _step(B: Tensor, eigenvalues: Tensor, now: _Signals, g: Tensor, correction: Tensor) -> _Signals:
    """(6.4): x, z and u of the paper; z is w here, and x = w - u + B^T g is not formed."""
    # RELAXATION x + (1 - RELAXATION) w + u; what the soft threshold takes from it is the next u.
    relaxed = now.w.add(now.u, alpha=1 - RELAXATION).add_(correction, alpha=RELAXATION)
    threshold = now.alpha / now.rho
    u = relaxed.clamp(-threshold, threshold)
    w = relaxed - u
    # B B^T is diagonal: the product of B and u is for nothing.
    Bw = w @ B.T
    Bu = now.Bw + (1 - RELAXATION) * now.Bu + RELAXATION * eigenvalues * g - Bw
    return replace(now, w=w, u=u, Bw=Bw, Bu=Bu)


def _certified(
    now: _Signals, g: Tensor, correction: Tensor, tolerance: float, step: int
) -> Minimum:
    objective = primal_value(now.alpha, now.w, now.y - now.Bw)
    gap = objective - dual_value(now.y, now.alpha, now.rho * g, now.rho * correction)
    steps = torch.full_like(now.index, step)
    return Minimum(now.w.clone(), objective, gap, gap <= tolerance * objective, steps)


def _finish(exact: _Exact, now: _Signals, found: Minimum, tolerance: float, elapsed: int) -> None:
    """Put the minimum into ``found`` for the signals whose active set gives it."""
    gap = found.gap / found.objective
    # A gap that has not fallen gives infinity, the first one NaN: a start near the minimum.
    rest = elapsed * (gap / tolerance).log() / (now.gap / gap).log().clamp(min=0)
    now.gap.copy_(gap)
    near = (gap <= NEAR) & ~(rest <= PAYS) & ~found.converged
    rows = near.nonzero()[:, 0]
    if len(rows):
        y = now.exact_y[rows].double()
        w, objective, gap, proved = active_set(
            exact.B, y, now.alpha[rows], found.w[rows], tolerance, exact.gram
        )
        rows = rows[proved]
        found.w[rows] = w[proved].to(found.w)
        found.objective[rows] = objective[proved].to(found.objective)
        found.gap[rows] = gap[proved].to(found.gap)
        found.converged[rows] = True
