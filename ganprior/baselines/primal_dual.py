"""The primal-dual method of Chambolle and Pock for total variation, a batch of signals at once.

    min over lower <= x <= upper of  weight TV(x) + 1/2 ||A x - y||^2

is the saddle point

    min over lower <= x <= upper, max over |p| <= weight and q, of
        <grad x, p> + <A x - y, q> - 1/2 ||q||^2

A. Chambolle, T. Pock, "A first-order primal-dual algorithm for convex problems with applications
to imaging", J. Mathematical Imaging and Vision 40, 2011: algorithm 1, equation (7), over-relaxed
as in algorithm 3.1 of L. Condat, "A primal-dual splitting method for convex optimization involving
Lipschitzian, proximable and linear composite terms", J. Optimization Theory and Applications 158,
2013. The box makes the dual finite: the gap between the two values bounds the error of each.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import torch
from torch import Tensor

from ganprior.baselines.linear_map import LinearMap
from ganprior.baselines.outcome import Outcome
from ganprior.solution import squared_norm

CHECK_EVERY = 25
RELAXATION = 1.8


@dataclass(frozen=True)
class SaddlePoint:
    """One problem per signal.

    Attributes
    ----------
    lower, upper : Tensor
        Box of x, finite, (B, C, H, W).
    y : Tensor
        What A x should be, (B, m); m = 0 where there is no A.
    weight : Tensor
        Weight of the total variation, (B, 1, 1, 1).
    primal_step, dual_step : Tensor
        tau and sigma of the paper, tau sigma (||grad||^2 + ||A||^2) <= 1, (B, 1, 1, 1).
    """

    lower: Tensor
    upper: Tensor
    y: Tensor
    weight: Tensor
    primal_step: Tensor
    dual_step: Tensor

    def select(self, rows: Tensor) -> SaddlePoint:
        """Return the problems of some signals."""
        return SaddlePoint(*(getattr(self, field.name)[rows] for field in fields(self)))


@dataclass(frozen=True)
class _Iterate:
    """x, (B, C, H, W), and its duals p, (B, 2, C, H, W), and q, (B, m)."""

    x: Tensor
    p: Tensor
    q: Tensor

    def select(self, rows: Tensor) -> _Iterate:
        return _Iterate(self.x[rows], self.p[rows], self.q[rows])

    def towards(self, other: _Iterate, factor: float) -> _Iterate:
        pairs = ((getattr(self, f.name), getattr(other, f.name)) for f in fields(self))
        return _Iterate(*(torch.lerp(a, b, factor) for a, b in pairs))


def minimise(
    operator: LinearMap, problem: SaddlePoint, tolerance: float, max_steps: int
) -> Outcome:
    """Minimise; a signal stops where its duality gap is ``tolerance`` times its objective.

    Parameters
    ----------
    operator : LinearMap
        A, on rows of pixels.
    problem : SaddlePoint
        Everything else.
    tolerance : float
        Of the duality gap, relative.
    max_steps : int
        Steps after which the others stop; a signal whose objective is not finite stops too.
    """
    now = latest = _first(operator, problem)
    rows = torch.arange(len(now.x), device=now.x.device)
    running = torch.ones_like(rows, dtype=torch.bool)
    number = torch.zeros_like(now.x[:, 0, 0, 0])
    out = Outcome(now.x.clone(), number, number.bool(), number.long())
    for step in range(max_steps + 1):
        if step % CHECK_EVERY == 0 or step == max_steps:
            objective, gap = _certificate(operator, problem, latest)
            converged = gap <= tolerance * objective
            ended = running & (converged | ~objective.isfinite() | (step == max_steps))
            out.x[rows[ended]], out.objective[rows[ended]] = latest.x[ended], objective[ended]
            out.converged[rows[ended]], out.steps[rows[ended]] = converged[ended], step
            running &= ~ended
            if not running.any():
                break
            if operator.shared:
                problem, now = problem.select(running), now.select(running)
                rows, running = rows[running], running[running]
        latest = _step(operator, problem, now)
        now = now.towards(latest, RELAXATION)
    return out


def _first(operator: LinearMap, problem: SaddlePoint) -> _Iterate:
    x = (problem.lower + problem.upper) / 2
    return _Iterate(x, 0 * gradient(x), operator.forward(x.flatten(1)) - problem.y)


def _step(operator: LinearMap, problem: SaddlePoint, now: _Iterate) -> _Iterate:
    """(7): x first, then both duals at the point 2 x_new - x."""
    x = now.x - problem.primal_step * _adjoint(operator, now)
    x = x.clamp(problem.lower, problem.upper)
    v = 2 * x - now.x
    p = now.p + problem.dual_step[:, None] * gradient(v)
    p = p / (_pixel_norm(p) / problem.weight[:, None]).clamp(min=1)
    sigma = problem.dual_step[:, 0, 0]
    q = (now.q + sigma * (operator.forward(v.flatten(1)) - problem.y)) / (1 + sigma)
    return _Iterate(x, p, q)


def _certificate(operator: LinearMap, problem: SaddlePoint, now: _Iterate) -> tuple[Tensor, Tensor]:
    """Objective at x, and how far above the minimum it can be: objective less dual, (B,) each."""
    residual = operator.forward(now.x.flatten(1)) - problem.y
    variation = problem.weight[:, 0, 0, 0] * total_variation(now.x)
    objective = variation + squared_norm(residual) / 2
    slope = _adjoint(operator, now)
    least = torch.minimum(problem.lower * slope, problem.upper * slope).flatten(1).sum(1)
    return objective, objective - least + (problem.y * now.q).sum(1) + squared_norm(now.q) / 2


def gradient(x: Tensor) -> Tensor:
    """Differences to the pixel below and to the right, 0 at the border: (B, 2, C, H, W)."""
    g = x.new_zeros(len(x), 2, *x.shape[1:])
    torch.sub(x[..., 1:, :], x[..., :-1, :], out=g[:, 0, :, :-1, :])
    torch.sub(x[..., :, 1:], x[..., :, :-1], out=g[:, 1, :, :, :-1])
    return g


def gradient_adjoint(p: Tensor) -> Tensor:
    """Transpose of :func:`gradient`: (B, 2, C, H, W) to (B, C, H, W)."""
    x = torch.zeros_like(p[:, 0])
    down, right = p[:, 0, :, :-1, :], p[:, 1, :, :, :-1]
    x[..., 1:, :] += down
    x[..., :-1, :] -= down
    x[..., :, 1:] += right
    x[..., :, :-1] -= right
    return x


def total_variation(x: Tensor) -> Tensor:
    """Isotropic total variation of images (B, C, H, W), channels coupled, (B,)."""
    return _pixel_norm(gradient(x)).flatten(1).sum(1)


def _pixel_norm(p: Tensor) -> Tensor:
    """Norm over both directions and all channels of each pixel, (B, 1, 1, H, W)."""
    return p.square().sum((1, 2), keepdim=True).sqrt()


def _adjoint(operator: LinearMap, now: _Iterate) -> Tensor:
    return gradient_adjoint(now.p) + operator.transpose(now.q).reshape(now.x.shape)
