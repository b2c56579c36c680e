"""The last steps of a Lasso: Newton's method on the coefficients that are not zero.

Given the set S and the signs s of the coefficients that are not zero, the minimum solves

    B_S^T B_S w_S = B_S^T y - alpha s

which is a semismooth Newton step on the optimality conditions: M. Hintermueller, K. Ito,
K. Kunisch, "The primal-dual active set strategy as a semismooth Newton method", SIAM
J. Optimization 13(3), 2002. From far away it need not converge; nothing is accepted here but what
its duality gap proves.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ganprior.baselines.fista import certificate

STEPS = 5


def active_set(
    B: Tensor,
    y: Tensor,
    alpha: Tensor,
    w: Tensor,
    tolerance: float,
    gram: Tensor | None = None,
) -> tuple[Tensor, Tensor, Tensor] | None:
    """Minimise 1/2 ||y - B w||^2 + alpha ||w||_1 for one signal, from near its minimum.

    Parameters
    ----------
    B : Tensor
        (m, n), float64.
    y : Tensor
        (m,), float64.
    alpha : Tensor
        Weight, (1,).
    w : Tensor
        Coefficients to start from, (n,).
    tolerance : float
        Largest duality gap, relative to the objective.
    gram : Tensor, optional
        B^T B, (n, n), of which parts are taken instead of being computed.

    Returns
    -------
    tuple of Tensor or None
        Coefficients (n,), their objective and duality gap, all float64; None if a few steps do
        not get there.
    """
    w, alpha = w.to(y), alpha.to(y)
    correlation = (y - B @ w) @ B
    for _ in range(STEPS):
        entering = torch.where(correlation.abs() > alpha, correlation.sign(), 0)
        signs = torch.where(w != 0, w.sign(), entering)
        S = signs.nonzero().flatten()
        if len(S) > len(y):
            return None
        B_S = B[:, S]
        factor, failed = torch.linalg.cholesky_ex(
            B_S.T @ B_S if gram is None else gram[S[:, None], S]
        )
        if failed:
            return None
        right = (y @ B_S - alpha * signs[S])[:, None]
        w_S = torch.cholesky_solve(right, factor)[:, 0]
        # A coefficient that changed its sign leaves the set.
        w = torch.zeros_like(w).index_put((S,), torch.where(w_S * signs[S] > 0, w_S, 0))
        residual = y - B @ w
        correlation = residual @ B
        objective, gap = certificate(
            y[None], alpha[None], w[None], residual[None], correlation[None]
        )
        if gap <= tolerance * objective:
            return w, objective[0], gap[0]
    return None
