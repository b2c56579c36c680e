"""Nesterov's momentum with adaptive restart, for a batch of signals at once.

Y. Nesterov, "A method of solving a convex programming problem with convergence rate O(1/k^2)",
1983, in the form of A. Beck, M. Teboulle, "A fast iterative shrinkage-thresholding algorithm",
2009, (4.2); B. O'Donoghue, E. Candes, "Adaptive restart for accelerated gradient schemes", 2015.
"""

from __future__ import annotations

import torch
from torch import Tensor


def restarted_momentum(t: Tensor, wrong: Tensor) -> tuple[Tensor, Tensor]:
    """Factor of the last move that is added to the next one, and t of the step after.

    Parameters
    ----------
    t : Tensor
        t_k of each signal; 1 at the start.
    wrong : Tensor
        Whether the last move led against the gradient: the signal then begins anew, with t = 1
        and no momentum.
    """
    following = (1 + (1 + 4 * t.square()).sqrt()) / 2
    return torch.where(wrong, 0, (t - 1) / following), torch.where(wrong, 1, following)
