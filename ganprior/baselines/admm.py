"""The Lasso by ADMM, for signals that share one matrix with few rows.

    min over w of  P(w) = 1/2 ||y - B w||^2 + alpha ||w||_1

S. Boyd, N. Parikh, E. Chu, B. Peleato, J. Eckstein, "Distributed optimization and statistical
learning via the alternating direction method of multipliers", Foundations and Trends in Machine
Learning 3(1), 2011: the Lasso of section 6.4, over-relaxed as in section 3.4.3.

The paper's penalty rho / 2 ||x - z||^2 is rho / 2 ||S^-1/2 (x - z)||^2 here, S the diagonal matrix
of the sizes to be expected of the coefficients: the soft threshold of each is in proportion to it.
P. Giselsson, S. Boyd, "Linear convergence and metric selection for Douglas-Rachford splitting and
ADMM", IEEE Transactions on Automatic Control 62(2), 2017. The minimum is the same.

B S B^T = Q diag(eigenvalues) Q^T is factorised once, after which B stands for Q^T B and y for
Q^T y: the linear system of every signal is then solved by a division, whatever its rho, and a step
costs what one of FISTA does, two products, while small alphas take a tenth of the steps. The
products are faster with a column for every signal than with a row.

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
from ganprior.progress import tell

CHECK_EVERY = 4
RELAXATION = 1.8
# On a CPU, products with another number of columns than a multiple of this, but for one, take up to
# twice as long for each.
COLUMNS = 16
# The active set is tried where the relative gap is below NEAR and would need more than PAYS further
# steps, at the rate of the last ones; at a few steps only, each PATIENCE times as late as the one
# before.
NEAR, PAYS, PATIENCE = 5e-3, 100, 1.3
# Soft threshold alpha / rho in units of ||y|| / ||B||_F, where alpha = m ||B^T y||_inf, and the
# power of alpha / m with which it falls: fitted by hand to Gaussian B with m from 25 to 500 and n
# from 784 to 12,288, alpha from 0.001 to 2.
THRESHOLD, POWER = 4.0, 0.2


@dataclass(frozen=True)
class _Exact:
    """The problem as it came, and what the active set makes of it when first used."""

    matrix: Tensor
    y: Tensor
    alpha: Tensor

    @cached_property
    def B(self) -> Tensor:
        return self.matrix.double()

    @cached_property
    def gram(self) -> Tensor | None:
        return shared_gram(self.B, len(self.y))


@dataclass(frozen=True)
class _Factors:
    """S as (n, 1), of mean square 1, Q, the eigenvalues, (m, 1), and B^T Q."""

    scale: Tensor
    Q: Tensor
    eigenvalues: Tensor
    transpose: Tensor

    @classmethod
    def of(cls, matrix: Tensor, scale: Tensor) -> _Factors:
        scale = scale[:, None] / scale.square().mean().sqrt()
        eigenvalues, Q = torch.linalg.eigh((matrix * scale.T @ matrix.T).double())
        # Q is orthogonal whatever the rounding of the product: the minimum stays the same.
        eigenvalues, Q = eigenvalues.clamp(min=0).to(matrix)[:, None], Q.to(matrix)
        return cls(scale, Q, eigenvalues, matrix.T @ Q)

    def residual(self, y: Tensor, w: Tensor) -> Tensor:
        """Give y - Q^T B S w."""
        if w.shape[1] == 1:
            # One signal waits for memory alone: a second matrix would be twice as much to read.
            return torch.addmm(y, self.transpose.T, self.scale * w, alpha=-1)
        return torch.addmm(y, self._forward, w, alpha=-1)

    @cached_property
    def _forward(self) -> Tensor:
        return (self.transpose * self.scale).T.contiguous()


@dataclass(frozen=True)
class _Signals:
    """A column for each signal, in such units that its soft thresholds are 1.

    ``index`` is the place in the batch; ``running`` is false for a signal that has ended. ``unit``
    is what y was divided by, coefficients by ``unit`` times S, and ``divisor`` rho plus the
    eigenvalues. y is rotated; ``w`` and ``u`` are the paper's z and scaled dual, ``residual`` is
    y - Q^T B S w and ``Bu`` is Q^T B S u. ``gap`` is the relative gap when the active set was last
    considered.
    """

    index: Tensor
    running: Tensor
    unit: Tensor
    rho: Tensor
    divisor: Tensor
    y: Tensor
    w: Tensor
    u: Tensor
    residual: Tensor
    Bu: Tensor
    gap: Tensor

    def select(self, columns: Tensor) -> _Signals:
        return _Signals(*(getattr(self, field.name)[..., columns] for field in fields(self)))


def admm(
    matrix: Tensor,
    y: Tensor,
    alpha: Tensor,
    *,
    start: Tensor,
    scale: Tensor,
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
    scale : Tensor
        Size to be expected of each coefficient, up to a common factor, positive, (n,): a better
        guess takes fewer steps to the same minimum.
    tolerance : float
        A signal has converged when its duality gap is at most ``tolerance`` times its objective.
    max_steps : int
        Steps after which the others stop.

    Returns
    -------
    Minimum
        Where every signal was when it stopped; a signal whose objective is not finite stops.
    """
    exact, factors = _Exact(matrix, y, alpha), _Factors.of(matrix, scale)
    now = _first(factors, exact, start)
    sizes = (now.unit[:, : len(y)] * factors.scale).T
    out = Minimum.blank(start)
    before = considered = 0
    for step in range(max_steps + 1):
        tell(step, max_steps)
        # (B S B^T + rho)^-1 (y - B v) = (y - B x) / rho and its image, x - v, for v = w - u.
        g = (now.residual + now.Bu) / now.divisor
        correction = factors.transpose @ g
        if step % CHECK_EVERY == 0 or step == max_steps:
            found = _certified(factors, now, g, correction, tolerance, step)
            if step >= considered:
                _finish(exact, sizes, now, found, tolerance, step - before)
                before, considered = step, math.ceil(PATIENCE * step)
            ended = found.converged | ~found.objective.isfinite() | (step == max_steps)
            out.write(now.index, ended & now.running, found)
            now = replace(now, running=now.running & ~ended)
            if not now.running.any():
                break
            columns = _kept(now.running)
            if len(columns) < len(now.running):
                now, g, correction = now.select(columns), g[:, columns], correction[:, columns]
        now = _step(factors, now, g, correction)
    return replace(out, w=out.w * sizes)


def _first(factors: _Factors, exact: _Exact, start: Tensor) -> _Signals:
    matrix, count = exact.matrix, len(exact.y)
    # Filled up with signals that have ended from the start.
    place = torch.arange(_width(count), device=start.device)
    index, running = place % count, place < count
    y, alpha = factors.Q.T @ exact.y[index].T, exact.alpha[index].T
    share = alpha / (factors.transpose @ y).abs().amax(0, keepdim=True) / len(matrix)
    unit = THRESHOLD * y.norm(dim=0, keepdim=True) / matrix.norm() * share**POWER
    unit = torch.where(unit.isfinite() & (unit > 0), unit, 1)
    rho = alpha / unit
    y, w = y / unit, start[index].T / (unit * factors.scale)
    residual = factors.residual(y, w)
    # At the minimum alpha u is B^T (y - B w).
    u = (factors.transpose @ residual / rho).clamp(-1, 1)
    Bu = -factors.residual(torch.zeros_like(y), u)
    unknown = torch.full_like(y[0], torch.nan)
    divisor = factors.eigenvalues + rho
    return _Signals(index, running, unit, rho, divisor, y, w, u, residual, Bu, unknown)


def _step(factors: _Factors, now: _Signals, g: Tensor, correction: Tensor) -> _Signals:
    """(6.4): x, z and u of the paper; z is w here, and x = w - u + correction is not formed."""
    # RELAXATION x + (1 - RELAXATION) w + u; what the soft threshold takes from it is the next u.
    relaxed = now.w.add(now.u, alpha=1 - RELAXATION).add_(correction, alpha=RELAXATION)
    u = relaxed.clamp(-1, 1)
    w = relaxed.sub_(u)
    residual = factors.residual(now.y, w)
    # Q^T B S B^T Q is diagonal: the product with u is for nothing.
    Bu = (residual - now.residual).add_(now.Bu, alpha=1 - RELAXATION)
    Bu.addcmul_(factors.eigenvalues, g, value=RELAXATION)
    return replace(now, w=w, u=u, residual=residual, Bu=Bu)


def _certified(
    factors: _Factors, now: _Signals, g: Tensor, correction: Tensor, tolerance: float, step: int
) -> Minimum:
    """Value and gap of every signal, its coefficients as they are: not yet times their sizes."""
    objective = primal_value(now.rho.T, (factors.scale * now.w).T, now.residual.T)
    # Of the correlation the largest entry is all that counts.
    largest = now.rho * correction.abs().amax(0, keepdim=True)
    gap = objective - dual_value(now.y.T, now.rho.T, (now.rho * g).T, largest.T)
    square = now.unit[0].square()
    steps = torch.full_like(now.index, step)
    converged = gap <= tolerance * objective
    return Minimum(now.w.T, square * objective, square * gap, converged, steps)


def _finish(
    exact: _Exact,
    sizes: Tensor,
    now: _Signals,
    found: Minimum,
    tolerance: float,
    elapsed: int,
) -> None:
    """Put the minimum into ``found`` for the signals whose active set gives it."""
    gap = found.gap / found.objective
    # A gap that has not fallen gives infinity, the first one NaN: a start near the minimum.
    rest = elapsed * (gap / tolerance).log() / (now.gap / gap).log().clamp(min=0)
    now.gap.copy_(gap)
    near = (gap <= NEAR) & ~(rest <= PAYS) & ~found.converged & now.running
    rows = near.nonzero()[:, 0]
    if len(rows):
        places = now.index[rows]
        w, objective, gap, proved = active_set(
            exact.B,
            exact.y[places].double(),
            exact.alpha[places],
            found.w[rows] * sizes[places],
            tolerance,
            exact.gram,
        )
        rows, places = rows[proved], places[proved]
        found.w[rows] = w[proved].to(sizes) / sizes[places]
        found.objective[rows] = objective[proved].to(found.objective)
        found.gap[rows] = gap[proved].to(found.gap)
        found.converged[rows] = True


def _kept(running: Tensor) -> Tensor:
    """Columns of the signals that run, filled up with ended ones."""
    return running.argsort(descending=True, stable=True)[: _width(int(running.sum()))]


def _width(signals: int) -> int:
    """Columns that so many signals take."""
    return 1 if signals == 1 else -(-signals // COLUMNS) * COLUMNS
