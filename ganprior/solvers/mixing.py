"""Whether chains, or particles of separate descent, have found the same law.

A. Vehtari, A. Gelman, D. Simpson, B. Carpenter, P.-C. Bürkner, "Rank-normalization, folding, and
localization: an improved R-hat for assessing convergence of MCMC", Bayesian Analysis 16(2), 2021,
arXiv 1903.08008, equations (1) to (4) and (14).
"""

from __future__ import annotations

import torch
from torch import Tensor


def rank_normalised_split_rhat(draws: Tensor) -> Tensor:
    """R-hat of numbers drawn by several chains: 1 where they agree, larger where they do not.

    Parameters
    ----------
    draws : Tensor
        (chains, N, ...), N at least 4.

    Returns
    -------
    Tensor
        Of each number, (...), float64: the larger of that of its location and of its spread.
    """
    half = draws.shape[1] // 2
    split = torch.cat([draws[:, :half], draws[:, -half:]]).double()
    every = split.flatten(0, 1)
    folded = (split - every.quantile(0.5, 0)).abs()
    return torch.maximum(_rhat(_rank_normalised(split)), _rhat(_rank_normalised(folded)))


def _rank_normalised(draws: Tensor) -> Tensor:
    """Normal scores of the ranks over all chains; equal numbers share their mean rank."""
    every = draws.flatten(0, 1)
    ordered = every.movedim(0, -1).sort(-1).values.contiguous()
    asked = every.movedim(0, -1).contiguous()
    below = torch.searchsorted(ordered, asked)
    ranks = (below + torch.searchsorted(ordered, asked, right=True) + 1).double() / 2
    scores = torch.special.ndtri((ranks - 3 / 8) / (len(every) + 1 / 4))
    return scores.movedim(-1, 0).unflatten(0, draws.shape[:2])


def _rhat(draws: Tensor) -> Tensor:
    count = draws.shape[1]
    within = draws.var(1).mean(0)
    between = draws.mean(1).var(0)
    # Numbers that never vary agree.
    ratio = torch.where(within > 0, between / within, torch.where(between > 0, torch.inf, 0.0))
    return ((count - 1) / count + ratio).sqrt()
