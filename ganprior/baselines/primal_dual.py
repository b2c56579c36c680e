"""The primal-dual method of Chambolle and Pock for images in a box, a batch of signals at once.

    min over lower <= x <= upper of  weight ||K x|| + 1/2 ||A x - y||^2

is the saddle point

    min over lower <= x <= upper, max over |p| <= weight and q, of
        <K x, p> + <A x - y, q> - 1/2 ||q||^2

with ||K x|| the total variation of x, or the l1 norm of its coefficients in a basis
(:mod:`ganprior.baselines.penalties`), and |p| the dual norm.

A. Chambolle, T. Pock, "A first-order primal-dual algorithm for convex problems with applications
to imaging", J. Mathematical Imaging and Vision 40, 2011: algorithm 1, equation (7), over-relaxed
as in algorithm 3.1 of L. Condat, "A primal-dual splitting method for convex optimization involving
Lipschitzian, proximable and linear composite terms", J. Optimization Theory and Applications 158,
2013. The box makes the dual finite: the gap between the two values bounds the error of each.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace

import torch
from torch import Tensor

from ganprior.baselines.linear_map import LinearMap, normal_image, squared_operator_norm
from ganprior.baselines.outcome import Outcome
from ganprior.baselines.penalties import Penalty
from ganprior.progress import tell
from ganprior.solution import squared_norm

CHECK_EVERY = 25
RELAXATION = 1.8
# Size of p over size of x, which sets the ratio of the two step lengths, for weight 1 and images
# in [0, 1] from Gaussian measurements: 10 to 20 take the fewest steps.
DUAL_OVER_PRIMAL = 15


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
        Weight of the penalty, (B, 1, 1, 1).
    primal_step, dual_step : Tensor
        tau and sigma of the paper, tau sigma (||K||^2 + ||A||^2) <= 1, (B, 1, 1, 1).
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
    """x, (B, C, H, W), and its duals p, of the shape of K x, and q, (B, m)."""

    x: Tensor
    p: Tensor
    q: Tensor

    def select(self, rows: Tensor) -> _Iterate:
        return _Iterate(self.x[rows], self.p[rows], self.q[rows])

    def towards(self, other: _Iterate, factor: float) -> _Iterate:
        pairs = ((getattr(self, f.name), getattr(other, f.name)) for f in fields(self))
        return _Iterate(*(torch.lerp(a, b, factor) for a, b in pairs))


def minimise(
    operator: LinearMap,
    penalty: Penalty,
    problem: SaddlePoint,
    tolerance: float,
    max_steps: int,
    start: Tensor | None = None,
) -> Outcome:
    """Minimise; a signal stops where its duality gap is ``tolerance`` times its objective.

    Parameters
    ----------
    operator : LinearMap
        A, on rows of pixels.
    penalty : Penalty
        K and its norm.
    problem : SaddlePoint
        Everything else.
    tolerance : float
        Of the duality gap, relative.
    max_steps : int
        Steps after which the others stop; a signal whose objective is not finite stops too.
    start : Tensor, optional
        Images (B, C, H, W) to start from, clipped to the box; its middle when absent.
    """
    now = latest = _first(operator, penalty, problem, start)
    rows = torch.arange(len(now.x), device=now.x.device)
    running = torch.ones_like(rows, dtype=torch.bool)
    number = torch.zeros_like(now.x[:, 0, 0, 0])
    out = Outcome(now.x.clone(), number, number.bool(), number.long())
    for step in range(max_steps + 1):
        tell(step, max_steps)
        if step % CHECK_EVERY == 0 or step == max_steps:
            objective, gap = _certificate(operator, penalty, problem, latest)
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
        latest = _step(operator, penalty, problem, now)
        now = now.towards(latest, RELAXATION)
    return out


def _first(
    operator: LinearMap, penalty: Penalty, problem: SaddlePoint, start: Tensor | None
) -> _Iterate:
    middle = (problem.lower + problem.upper) / 2
    x = middle if start is None else start.clamp(problem.lower, problem.upper)
    return _Iterate(x, 0 * penalty.forward(x), operator.forward(x.flatten(1)) - problem.y)


def _step(operator: LinearMap, penalty: Penalty, problem: SaddlePoint, now: _Iterate) -> _Iterate:
    """(7): x first, then both duals at the point 2 x_new - x."""
    x = now.x - problem.primal_step * _adjoint(operator, penalty, now)
    x = x.clamp(problem.lower, problem.upper)
    v = 2 * x - now.x
    image = penalty.forward(v)
    sigma = problem.dual_step.reshape(-1, *[1] * (image.ndim - 1))
    p = penalty.project(now.p + sigma * image, problem.weight)
    sigma = problem.dual_step[:, 0, 0]
    q = (now.q + sigma * (operator.forward(v.flatten(1)) - problem.y)) / (1 + sigma)
    return _Iterate(x, p, q)


def _certificate(
    operator: LinearMap, penalty: Penalty, problem: SaddlePoint, now: _Iterate
) -> tuple[Tensor, Tensor]:
    """Objective at x, and how far above the minimum it can be: objective less dual, (B,) each."""
    residual = operator.forward(now.x.flatten(1)) - problem.y
    objective = problem.weight[:, 0, 0, 0] * penalty.value(now.x) + squared_norm(residual) / 2
    slope = _adjoint(operator, penalty, now)
    least = torch.minimum(problem.lower * slope, problem.upper * slope).flatten(1).sum(1)
    return objective, objective - least + (problem.y * now.q).sum(1) + squared_norm(now.q) / 2


def _adjoint(operator: LinearMap, penalty: Penalty, now: _Iterate) -> Tensor:
    return penalty.adjoint(now.p) + operator.transpose(now.q).reshape(now.x.shape)


def minimise_in_box(
    operator: LinearMap,
    penalty: Penalty,
    y: Tensor,
    weight: Tensor,
    image: Tensor,
    tolerance: float,
    max_steps: int,
    start: Tensor | None = None,
    *,
    lower: Tensor | float = 0.0,
    upper: Tensor | float = 1.0,
) -> Outcome:
    """Minimise for images in a box, in units in which A has the norm of K.

    With A and y divided by c and the weight by c^2 the minimum is the same: measurements in other
    units take the same steps.

    Parameters
    ----------
    operator : LinearMap
        A, on rows of pixels.
    penalty : Penalty
        K and its norm.
    y : Tensor
        (B, m).
    weight : Tensor
        Of each signal's penalty, positive, (B,).
    image : Tensor
        (B, C, H, W): gives the shape, type and device of the images.
    tolerance, max_steps, start
        As for :func:`minimise`.
    lower, upper : Tensor or float
        The box, finite, of the shape of ``image`` or the same everywhere.
    """
    bound = squared_operator_norm(operator, normal_image(image).flatten(1)) / penalty.squared_norm
    # An A of zeros has no units.
    bound = torch.where(bound > torch.finfo(y.dtype).tiny, bound, 1)
    unit = bound.sqrt()
    weights = weight.to(y).reshape(-1, 1, 1, 1) / bound[..., None, None]
    ratio = DUAL_OVER_PRIMAL * weights
    length = math.sqrt(2 * penalty.squared_norm)
    problem = SaddlePoint(
        lower=torch.zeros_like(image) + lower,
        upper=torch.zeros_like(image) + upper,
        y=y / unit,
        weight=weights,
        primal_step=1 / (ratio * length),
        dual_step=ratio / length,
    )
    found = minimise(operator.divided(unit), penalty, problem, tolerance, max_steps, start)
    return replace(found, objective=found.objective * bound[:, 0])
