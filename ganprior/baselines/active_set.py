"""The last steps of a Lasso: Newton's method on the coefficients that are not zero.

Given the set S and the signs s of the coefficients that are not zero, the minimum solves

    B_S^T B_S w_S = B_S^T y - alpha s

which is a semismooth Newton step on the optimality conditions: M. Hintermueller, K. Ito,
K. Kunisch, "The primal-dual active set strategy as a semismooth Newton method", SIAM
J. Optimization 13(3), 2002. It is taken as a correction of w_S by the residual of the system, which
is in double precision: the factors may then be in single precision. From far away it need not
converge; nothing is accepted here but what its duality gap proves.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ganprior.baselines.fista import certificate

STEPS = 8
# B^T B is formed once where it costs less than the parts of it that so many signals need: about
# three steps each, with a set of almost m. Of more columns than this it is in single precision.
WORTH = 2
PRECISE_COLUMNS = 1024


def shared_gram(B: Tensor, signals: int) -> Tensor | None:
    """B^T B of B (m, n), float64, (n, n), where it pays for so many signals; else None."""
    m, n = B.shape
    if n**2 > WORTH * signals * m**2:
        return None
    columns = B if n <= PRECISE_COLUMNS else B.float()
    return columns.T @ columns


def active_set(
    B: Tensor,
    y: Tensor,
    alpha: Tensor,
    w: Tensor,
    tolerance: float,
    gram: Tensor | None = None,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Minimise 1/2 ||y - B w||^2 + alpha ||w||_1 for every row of y, from near its minimum.

    Parameters
    ----------
    B : Tensor
        (m, n), float64.
    y : Tensor
        (N, m), float64.
    alpha : Tensor
        Weights, (N, 1).
    w : Tensor
        Coefficients to start from, (N, n).
    tolerance : float
        Largest duality gap, relative to the objective.
    gram : Tensor, optional
        B^T B, (n, n), of which parts are taken instead of being computed.

    Returns
    -------
    tuple of Tensor
        Coefficients (N, n), their objective and duality gap, float64, and whether the gap is small
        enough, bool (N,); the other rows mean nothing.
    """
    w, alpha = w.to(y), alpha.to(y)
    best, objective, gap = w.clone(), torch.zeros_like(y[:, 0]), torch.full_like(y[:, 0], torch.inf)
    found = torch.zeros_like(objective, dtype=torch.bool)
    rows = torch.arange(len(y), device=y.device)
    correlation = (y - w @ B.T) @ B
    for _ in range(STEPS):
        kept = [_newton(B, gram, alpha[i], w[i], correlation[i]) for i in range(len(rows))]
        going = torch.tensor([step is not None for step in kept], device=y.device)
        rows, y, alpha = rows[going], y[going], alpha[going]
        if len(rows) == 0:
            break
        w = torch.stack([step for step in kept if step is not None])
        residual = y - w @ B.T
        correlation = residual @ B
        value, bound = certificate(y, alpha, w, residual, correlation)
        good = bound <= tolerance * value
        ended = rows[good]
        best[ended], objective[ended], gap[ended] = w[good], value[good], bound[good]
        found[ended] = True
        rows, y, alpha, w = rows[~good], y[~good], alpha[~good], w[~good]
        correlation = correlation[~good]
        if len(rows) == 0:
            break
    return best, objective, gap, found


def _newton(
    B: Tensor, gram: Tensor | None, alpha: Tensor, w: Tensor, correlation: Tensor
) -> Tensor | None:
    """Next coefficients (n,) of one signal; None if the columns of its set are not independent."""
    entering = torch.where(correlation.abs() > alpha, correlation.sign(), 0)
    signs = torch.where(w != 0, w.sign(), entering)
    S = signs.nonzero()[:, 0]
    if len(S) > len(B):
        return None
    if gram is None:
        columns = B[:, S]
        system = columns.T @ columns
    else:
        system = gram[S[:, None], S]
    factor, failed = torch.linalg.cholesky_ex(system)
    if failed:
        return None
    right = (correlation[S] - alpha * signs[S]).to(factor)
    w_S = w[S] + torch.cholesky_solve(right[:, None], factor)[:, 0].to(w)
    # A coefficient that changed its sign leaves the set.
    return torch.zeros_like(w).index_put((S,), torch.where(w_S * signs[S] > 0, w_S, 0))
