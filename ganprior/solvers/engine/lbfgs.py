"""L-BFGS on all restarts of all signals at once, each with a line search of its own.

The inverse Hessian is that of R. H. Byrd, J. Nocedal, R. B. Schnabel, "Representations of
quasi-Newton matrices and their use in limited memory methods", 1994, Theorem 2.2: what the
two-loop recursion (Algorithm 7.4 of Nocedal and Wright, "Numerical Optimization", 2006) does pair
by pair are two triangular solves there, in far fewer calls. It is scaled by equation (7.20) of the
book, to which the other numbers refer. Every restart of every signal has its own history, direction
and step length. A step of the batch is one evaluation of objective and gradient at the trial point
of each: those whose trial falls enough (Armijo, equation 3.4) move there, the others try nearer by
in the next step, so that none waits for another one's line search.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ganprior.cuda_graph import Recording
from ganprior.solvers.engine.blocks import in_blocks
from ganprior.solvers.engine.curvature import inverse_curvature
from ganprior.solvers.engine.problem import Problem

HISTORY = 10
ARMIJO = 1e-4
SHRINK = 0.3
# Least curvature of a pair that is remembered, relative to the turn of the gradient.
CURVATURE = 1e-10
# Attributes that a step changes.
STATE = ("z", "gradient", "direction", "value", "length", "moves", "turns")


@dataclass(frozen=True)
class LBFGS:
    """L-BFGS with the numbers of this module.

    Attributes
    ----------
    first_move : float
        Length of the first move, before any curvature is known.
    curvature : bool
        Whether the steps set out from the inverse of the generator's mean curvature
        (:mod:`ganprior.solvers.engine.curvature`) in place of a multiple of the identity.

    Raises
    ------
    ValueError
        If the first move is not positive.
    """

    first_move: float = 1.0
    curvature: bool = True

    def __post_init__(self) -> None:
        if not self.first_move > 0:
            raise ValueError(f"first_move must be positive, got {self.first_move}")

    def prepare(self, problem: Problem) -> float:
        """Compute the mean curvature, or find it in the cache."""
        return inverse_curvature(problem)[1] if self.curvature else 0.0

    def begin(self, problem: Problem, z: Tensor, steps: int) -> LBFGSWalk:
        """Stand at latents (R, B, k)."""
        metric = inverse_curvature(problem)[0] if self.curvature else None
        return LBFGSWalk(problem.project(z), self.first_move, problem.project, metric)

    def with_rate(self, rate: float) -> LBFGS:
        """Return L-BFGS with a first move of another length."""
        return replace(self, first_move=rate)


class LBFGSWalk:
    """State of a descent from R starts of B signals.

    Parameters
    ----------
    z : Tensor
        Latents to start from, (R, B, k).
    first_move : float
        Length of the first move.
    project : callable
        Maps latents into the feasible set; trial points are projected.
    metric : Tensor, optional
        Symmetric positive definite (k, k): the inverse Hessian up to a factor, before the steps
        know better. The identity by default.
    """

    def __init__(
        self,
        z: Tensor,
        first_move: float,
        project: Callable[[Tensor], Tensor],
        metric: Tensor | None = None,
    ) -> None:
        self.metric: Callable[[Tensor], Tensor] = _times(metric)
        self.first = first_move
        self.project = project
        self.z = z.clone()
        self.gradient = torch.zeros_like(z)
        self.direction = torch.zeros_like(z)
        # Infinite until the start itself has been evaluated.
        self.value = torch.full_like(z[..., 0], torch.inf)
        self.length = torch.zeros_like(self.value)
        # Last moves and turns of the gradient, newest first, zero where there was none.
        self.moves = z.new_zeros(*z.shape[:-1], HISTORY, z.shape[-1])
        self.turns = torch.zeros_like(self.moves)
        self._recording = Recording()

    def trial(self) -> Tensor:
        """Latents to evaluate next, (R, B, k)."""
        return self.project(self.z + self.length[..., None] * self.direction)

    def take(self, value: Tensor, gradient: Tensor, step: int) -> None:
        """Move where the objective fell enough; shorten the step elsewhere."""
        before = [getattr(self, name) for name in STATE]
        after = self._recording.call(self._after, value, gradient, *before)
        for name, tensor in zip(STATE, after, strict=True):
            setattr(self, name, tensor)

    def _after(self, value: Tensor, gradient: Tensor, *state: Tensor) -> tuple[Tensor, ...]:
        """State after a step from another one."""
        walk = copy.copy(self)
        for name, tensor in zip(STATE, state, strict=True):
            setattr(walk, name, tensor)
        walk._move(value, gradient)
        return tuple(getattr(walk, name) for name in STATE)

    def _move(self, value: Tensor, gradient: Tensor) -> None:
        z = self.trial()
        predicted = _dot(self.gradient, z - self.z)
        first = self.value.isinf()
        moved = value.isfinite() & (first | (value <= self.value + ARMIJO * predicted))
        self._remember(moved & ~first, z - self.z, gradient - self.gradient)
        self.z = torch.where(moved[..., None], z, self.z)
        self.gradient = torch.where(moved[..., None], gradient, self.gradient)
        self.value = torch.where(moved, value, self.value)
        self.direction = torch.where(moved[..., None], -self._scaled_gradient(), self.direction)
        # Without curvature the length of the direction means nothing.
        blind = self.first / _dot(self.direction, self.direction).sqrt().clamp_min(_tiny(z))
        length = torch.where(self.moves[..., 0, :].any(-1), torch.ones_like(blind), blind)
        self.length = torch.where(moved, length, SHRINK * self.length)

    def map(self, choose: Callable[[Tensor], Tensor]) -> LBFGSWalk:
        """Return the state of some restarts and signals."""
        part = copy.copy(self)
        for name in STATE:
            setattr(part, name, choose(getattr(self, name)))
        return part

    def _remember(self, rows: Tensor, move: Tensor, turn: Tensor) -> None:
        # Without positive curvature the update would not stay positive definite (section 7.2).
        good = rows & (_dot(move, turn) > CURVATURE * _dot(turn, turn))
        good = good[..., None, None]
        self.moves = torch.where(good, _pushed(self.moves, move), self.moves)
        self.turns = torch.where(good, _pushed(self.turns, turn), self.turns)

    def _scaled_gradient(self) -> Tensor:
        """Inverse Hessian, as far as it is known, times the gradient."""
        moves, turns = self.moves, self.turns
        # R of the pairs, oldest first, is upper triangular; newest first it is lower triangular.
        R = (moves @ turns.mT).tril()
        curvature = R.diagonal(dim1=-2, dim2=-1)
        product = curvature.clone()
        curvature += product == 0  # where there is no pair its row and column are zero
        u = _solve(R, _dot(moves, self.gradient[..., None, :]), upper=False)
        q = self.gradient - _combined(turns, u)
        # Equation (7.20), in the norm of the metric.
        newest = turns[..., 0, :]
        size = _dot(newest, self.metric(newest))
        scale = torch.where(size > 0, product[..., 0] / size.clamp_min(_tiny(q)), 1)
        q = scale[..., None] * self.metric(q)
        right = product * u - _dot(turns, q[..., None, :])
        return q + _combined(moves, _solve(R.mT, right, upper=True))


def _solve(triangle: Tensor, right: Tensor, upper: bool) -> Tensor:
    return torch.linalg.solve_triangular(triangle, right[..., None], upper=upper)[..., 0]


# Sums, not products of matrices: those of one matrix alone may be rounded in a way of their own.
def _combined(history: Tensor, weights: Tensor) -> Tensor:
    return (history * weights[..., None]).sum(-2)


def _times(metric: Tensor | None) -> Callable[[Tensor], Tensor]:
    if metric is None:
        return lambda z: z
    return lambda z: in_blocks(lambda rows: rows @ metric, z.flatten(0, -2)).view(z.shape)


def _dot(a: Tensor, b: Tensor) -> Tensor:
    return (a * b).sum(-1)


def _pushed(history: Tensor, new: Tensor) -> Tensor:
    """History along the axis after (R, B), with ``new`` first and the last one gone."""
    return torch.cat([new.unsqueeze(2), history[:, :, :-1]], 2)


def _tiny(tensor: Tensor) -> float:
    return torch.finfo(tensor.dtype).tiny
