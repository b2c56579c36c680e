"""Least squares of least norm, by conjugate gradients."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from ganprior.solution import squared_norm


def least_norm_solution(
    A: Callable[[Tensor], Tensor],
    A_adjoint: Callable[[Tensor], Tensor],
    y: Tensor,
    *,
    max_iter: int = 1000,
    tol: float | None = None,
) -> Tensor:
    """Of all x that minimise ||A x - y||, the one of least norm: A⁺ y.

    Conjugate gradients on the normal equations, from x = 0, without ever forming AᵀA (CGLS;
    Björck 1996, "Numerical Methods for Least Squares Problems", algorithm 7.4.1). All iterates
    lie in the range of Aᵀ, so that the limit is the solution of least norm for any shape of A.
    Every signal has its own step lengths and stops by itself: a batch gives what its signals
    give one by one.

    Parameters
    ----------
    A, A_adjoint : callable
        The linear map and its adjoint, on batches.
    y : Tensor
        Measurements, first axis the batch.
    max_iter : int
        Most steps; one costs an ``A`` and an ``A_adjoint``.
    tol : float, optional
        A signal stops at ||Aᵀ r|| <= tol max(||Aᵀ y||, ||A|| ||r||) with r = y - A x; 100 times the
        machine epsilon of ``y`` when absent. The second term, with the largest ||A d|| / ||d|| met
        for ||A||, is the rounding error of Aᵀ r: where y is almost orthogonal to the range of A
        there is nothing else left to follow.

    Returns
    -------
    Tensor
        x, one image per signal; NaN where y is not finite.
    """
    tol = 100 * torch.finfo(y.dtype).eps if tol is None else tol
    residual = y
    gradient = A_adjoint(y)
    direction = gradient
    # Not zeros_like: a NaN in y must reach x, although the test below stops that signal at once.
    x = 0 * gradient
    norm = squared_norm(gradient)
    first, scale = norm, torch.zeros_like(norm)
    for _ in range(max_iter):
        active = norm > tol**2 * torch.maximum(first, scale * squared_norm(residual))
        if not active.any():
            break
        image = A(direction)
        length = squared_norm(image)
        scale = torch.maximum(scale, length / squared_norm(direction))
        alpha = torch.where(active, norm / length, 0)
        x = x + _scaled(alpha, direction)
        residual = residual - _scaled(alpha, image)
        gradient = A_adjoint(residual)
        new_norm = squared_norm(gradient)
        beta = torch.where(active, new_norm / norm, 0)
        direction = gradient + _scaled(beta, direction)
        norm = torch.where(active, new_norm, norm)
    return x


def _scaled(factor: Tensor, signals: Tensor) -> Tensor:
    """Multiply signal b by ``factor[b]``."""
    return factor.reshape(-1, *[1] * (signals.dim() - 1)) * signals
