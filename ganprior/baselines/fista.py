"""The Lasso by FISTA with adaptive restart, for a batch of signals at once.

    min over w of  P(w) = 1/2 ||y - B w||^2 + alpha ||w||_1

A. Beck and M. Teboulle, "A fast iterative shrinkage-thresholding algorithm for linear inverse
problems", SIAM J. Imaging Sciences 2(1), 2009: FISTA with constant step size, equations (4.1) to
(4.3). B. O'Donoghue and E. Candes, "Adaptive restart for accelerated gradient schemes",
Foundations of Computational Mathematics 15, 2015, arXiv 1204.3982: the gradient scheme.

Every signal has its own momentum, restarts and stopping, so that it ends where it would have
ended alone.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import torch
from torch import Tensor

from ganprior.baselines.linear_map import LinearMap
from ganprior.baselines.momentum import restarted_momentum
from ganprior.progress import tell
from ganprior.solution import squared_norm

# One certificate costs about as much as the vector work of one step.
CHECK_EVERY = 10
# A step that moves no more than rounding does: nothing is left to gain.
STATIONARY = 4


@dataclass(frozen=True)
class Minimum:
    """Where FISTA ended, one entry per signal in every field.

    Attributes
    ----------
    w : Tensor
        Coefficients, (B, n).
    objective : Tensor
        P(w), (B,).
    gap : Tensor
        Duality gap, (B,): P(w) exceeds the minimum by no more.
    converged : Tensor
        Whether a stopping rule held, bool, (B,).
    steps : Tensor
        Steps taken, int64, (B,).
    """

    w: Tensor
    objective: Tensor
    gap: Tensor
    converged: Tensor
    steps: Tensor

    @classmethod
    def blank(cls, start: Tensor) -> Minimum:
        """Make room for the results of signals that start at ``start``, (B, n)."""
        number = torch.zeros_like(start[:, 0])
        return cls(start.clone(), number, number.clone(), number.bool(), number.long())

    def write(self, signals: Tensor, ended: Tensor, now: Minimum) -> None:
        """Keep the rows of ``now`` that ended; row i of ``now`` belongs to ``signals[i]``."""
        for field in fields(self):
            getattr(self, field.name)[signals[ended]] = getattr(now, field.name)[ended]


@dataclass(frozen=True)
class _Problem:
    """Rows of y, (B, m), with what belongs to each: alpha and the squared norm of B, (B, 1)."""

    y: Tensor
    alpha: Tensor
    lipschitz: Tensor

    def select(self, rows: Tensor) -> _Problem:
        return _Problem(*(getattr(self, field.name)[rows] for field in fields(self)))


@dataclass(frozen=True)
class _Iterate:
    """x_k of the paper (here w), x_{k-1}, their gradients, y - B x_k, t_k, (t_{k-1} - 1) / t_k."""

    w: Tensor
    w_before: Tensor
    gradient: Tensor
    gradient_before: Tensor
    residual: Tensor
    t: Tensor
    momentum: Tensor

    def select(self, rows: Tensor) -> _Iterate:
        return _Iterate(*(getattr(self, field.name)[rows] for field in fields(self)))


def _first(operator: LinearMap, problem: _Problem, w: Tensor) -> _Iterate:
    residual = problem.y - operator.forward(w)
    gradient = -operator.transpose(residual)
    one = torch.ones_like(problem.alpha)
    return _Iterate(w, w, gradient, gradient, residual, t=one, momentum=0 * one)


def _step(operator: LinearMap, problem: _Problem, now: _Iterate) -> _Iterate:
    """One step of FISTA: one product with B and one with its transpose."""
    # (4.3) of the step before; v is the paper's y_k. The gradient is affine in w, so that at v it
    # follows from two that are known, and the one at w, which the gap needs, is always at hand.
    v = now.w + now.momentum * (now.w - now.w_before)
    gradient = now.gradient + now.momentum * (now.gradient - now.gradient_before)
    # (4.1)
    w = soft_threshold(v - gradient / problem.lipschitz, problem.alpha / problem.lipschitz)
    residual = problem.y - operator.forward(w)
    # The gradient scheme: v - w is the generalised gradient at v times the step size.
    uphill = ((v - w) * (w - now.w)).sum(-1, keepdim=True) > 0
    # (4.2)
    momentum, t = restarted_momentum(now.t, uphill)
    return _Iterate(
        w=w,
        w_before=now.w,
        gradient=-operator.transpose(residual),
        gradient_before=now.gradient,
        residual=residual,
        t=t,
        momentum=momentum,
    )


def soft_threshold(w: Tensor, threshold: Tensor) -> Tensor:
    """sign(w) max(|w| - threshold, 0), the proximal map of threshold ||w||_1."""
    return w - w.clamp(-threshold, threshold)


def primal_value(alpha: Tensor, w: Tensor, residual: Tensor) -> Tensor:
    """P(w), (B,), for coefficients w, (B, n), with residual y - B w, (B, m); alpha is (B, 1)."""
    return squared_norm(residual) / 2 + alpha[:, 0] * w.abs().sum(-1)


def dual_value(y: Tensor, alpha: Tensor, point: Tensor, correlation: Tensor) -> Tensor:
    """Largest value of the dual on the line through a point: no P(w) is smaller.

    The dual is max of 1/2 ||y||^2 - 1/2 ||y - u||^2 over ||B^T u||_inf <= alpha, whose solution is
    the residual at the minimum of P; u = s point is feasible for small s.

    Parameters
    ----------
    y, alpha : Tensor
        The problems, (B, m) and (B, 1).
    point, correlation : Tensor
        A direction, (B, m), and its image under the transpose of B, (B, n); of either sign.

    Returns
    -------
    Tensor
        (B,).
    """
    energy = squared_norm(point)
    along = (point * y).sum(-1)
    largest = alpha[:, 0] / correlation.abs().amax(-1)
    # A point of zero gives 0 / 0: any s will do then.
    s = torch.minimum((along / energy).nan_to_num(0).abs(), largest) * along.sign()
    return s * along - s.square() * energy / 2


def certificate(
    y: Tensor, alpha: Tensor, w: Tensor, residual: Tensor, correlation: Tensor
) -> tuple[Tensor, Tensor]:
    """P(w) and the duality gap with the best multiple of the residual, (B,) each.

    Parameters
    ----------
    y, alpha, w : Tensor
        The problems, (B, m) and (B, 1), and a point of each, (B, n).
    residual, correlation : Tensor
        y - B w, (B, m), and its image under the transpose of B, (B, n); of either sign.
    """
    objective = primal_value(alpha, w, residual)
    return objective, objective - dual_value(y, alpha, residual, correlation)


def fista(
    operator: LinearMap,
    y: Tensor,
    alpha: Tensor,
    lipschitz: Tensor,
    *,
    start: Tensor,
    tolerance: float,
    max_steps: int,
) -> Minimum:
    """Minimise 1/2 ||y - B w||^2 + alpha ||w||_1 for every row of y.

    Parameters
    ----------
    operator : LinearMap
        B.
    y : Tensor
        Measurements, (B, m).
    alpha : Tensor
        Weight of each signal, positive, (B, 1).
    lipschitz : Tensor
        ||B||^2 of each signal's matrix, or a bound above it, (B, 1).
    start : Tensor
        First coefficients, (B, n).
    tolerance : float
        A signal has converged when its duality gap is at most ``tolerance`` times its objective,
        or when a step changes its coefficients by rounding only.
    max_steps : int
        Steps after which the others stop.

    Returns
    -------
    Minimum
        Where every signal was when it stopped; a signal whose objective is not finite stops.
    """
    problem = _Problem(y, alpha, lipschitz)
    now = _first(operator, problem, start)
    rows = torch.arange(len(y), device=y.device)  # the signal that each row of `now` belongs to
    running = torch.ones_like(rows, dtype=torch.bool)
    out = Minimum.blank(start)
    for step in range(max_steps + 1):
        tell(step, max_steps)
        if step % CHECK_EVERY == 0 or step == max_steps:
            objective, gap = certificate(
                problem.y, problem.alpha, now.w, now.residual, now.gradient
            )
            converged = (gap <= tolerance * objective) | (_stationary(now) & (step > 0))
            ended = running & (converged | ~objective.isfinite() | (step == max_steps))
            steps = torch.full_like(rows, step)
            out.write(rows, ended, Minimum(now.w, objective, gap, converged, steps))
            running &= ~ended
            if not running.any():
                break
            if operator.shared:
                problem, now = problem.select(running), now.select(running)
                rows, running = rows[running], running[running]
        now = _step(operator, problem, now)
    return out


def _stationary(now: _Iterate) -> Tensor:
    rounding = STATIONARY * torch.finfo(now.w.dtype).eps
    return squared_norm(now.w - now.w_before) <= rounding**2 * squared_norm(now.w)
