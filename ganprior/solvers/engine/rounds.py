"""Further rounds for signals that are nearly in the generator's range.

Descents from other starts are worth their price where the objective can still fall to zero. It
can for an image of the generator's own, whose descents now and then all end in minima beside the
right one. Real images stay further away: of their objectives hardly one is below :data:`NEAR`.
What noise leaves of an image of the generator's own is near zero too: there two rounds find the
same, and that ends the search.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from ganprior.solvers.engine.minimum import Minimum
from ganprior.solvers.engine.problem import Problem

# Objective over ||y||^2 above which a signal counts as outside the range, and below which as exact.
NEAR, EXACT = 5e-4, 1e-8
# Relative difference up to which two rounds count as having found the same.
AGREE = 0.02


def again(
    problem: Problem, found: Minimum, rounds: int, solve: Callable[[Problem, Tensor, int], Minimum]
) -> Minimum:
    """Solve anew the signals that are near the range and not in it, keeping the better result.

    Parameters
    ----------
    problem : Problem
        Objective of the B signals.
    found : Minimum
        What the first round made of them.
    rounds : int
        Rounds at most.
    solve : callable
        Called with the problem of some signals, their positions and the number of the round.
    """
    settled = torch.zeros_like(found.value, dtype=torch.bool)
    for number in range(1, rounds + 1):
        relative = found.value / problem.energy()
        # A comparison with NaN is False: what is not a number is left alone.
        near = ((relative > EXACT) & (relative < NEAR) & ~settled).nonzero()[:, 0]
        if len(near) == 0:
            break
        # Signals that cannot leave the batch are solved with it, and keep what they had.
        signals = near if problem.can_select else torch.arange(problem.count, device=near.device)
        part = problem if len(signals) == problem.count else problem.select(signals)
        other = solve(part, signals, number)
        own = torch.isin(signals, near)
        before = found.value[signals]
        same = (other.value - before).abs() <= AGREE * before
        settled[signals[own & same]] = True
        found = found.better(other, signals, own)
    return found
