"""Further rounds: signals are solved again until two rounds agree on the minimum.

A descent sometimes ends in a local minimum that is not the lowest. The next round then starts from
``SHRINK`` times the latent at which the last round ended: the start keeps most of what that latent
has right, and it lies outside of the basin of that minimum. (This is iterated local search; compare
basin hopping, D. J. Wales, J. P. K. Doye, J. Physical Chemistry A 101, 1997, whose moves are
random.) The next round starts from the last result even where an earlier one was lower; the lowest
of all is returned.

Three rules say when a signal has no further round:

- two rounds end at the same objective, up to ``AGREE``: this is probably the lowest minimum, and it
  is the usual end for real images;
- the objective is above a limit that falls with the number of the round: the signal is far from the
  generator's range, where a lower minimum is not worth its cost;
- the objective is below ``EXACT``: the generator makes the signal exactly.

Signals whose objective is between ``EXACT`` and ``NEAR`` are an exception. They are mostly images
that the generator can make exactly, so that two equal rounds do not end the search, and from the
second further round on they start from other latents of the bank, with racing.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

import torch
from torch import Tensor

from ganprior.solvers.engine.minimum import Minimum
from ganprior.solvers.engine.problem import Problem

# A signal is exact where its objective is below EXACT ||y||^2, and nearly so below NEAR ||y||^2.
EXACT, NEAR = 1e-8, 8e-4
# Two rounds agree where their objectives differ by at most this fraction of the lower one.
AGREE = 0.05
# Factor between the last latent and the next start. A smaller one made rounds longer and found no
# more; with a larger one more rounds ended in the same minimum again.
SHRINK = 0.75

logger = logging.getLogger(__name__)

# Solves the problem of some signals from starts (R, B, k).
Solve = Callable[[Problem, Tensor], Minimum]
# Other starts for the problem of some signals, by their positions and the number of the round.
Others = Callable[[Problem, Tensor, int], Tensor]


def again(
    problem: Problem, found: Minimum, rounds: int, reach: Tensor, solve: Solve, others: Others
) -> Minimum:
    """Solve anew the signals on which the rounds disagree, keeping the best result.

    Parameters
    ----------
    problem : Problem
        Objective of the B signals.
    found : Minimum
        What the first round made of them.
    rounds : int
        Rounds at most.
    reach : Tensor
        Objective over ||y||^2 from which each signal has no further round, (B,); the limit for
        round n is ``reach / n^2``, but not below ``NEAR``.
    solve : callable
        Called with the problem of some signals and their starts.
    others : callable
        Makes starts for the problem of some signals, called with their positions and the number
        of the round too.
    """
    z = found.z.clone()
    unsettled = torch.ones_like(found.value, dtype=torch.bool)
    for number in range(1, rounds + 1):
        # Comparisons with NaN are false, so that a signal whose objective is NaN has no round.
        relative = found.value / problem.energy()
        unsettled &= (relative > EXACT) & (relative < (reach / number**2).clamp(min=NEAR))
        near = unsettled & (relative < NEAR)
        fresh = near if number > 1 else torch.zeros_like(near)
        best = found.value
        for group in (unsettled & ~fresh, fresh):
            chosen = group.nonzero()[:, 0]
            if len(chosen) == 0:
                continue
            logger.info("round %d, %d images", number + 1, len(chosen))
            # Some physics cannot be cut down to some of the signals. Then the whole batch is
            # solved, and the results of the signals that have no round are dropped.
            signals = chosen if problem.can_select else torch.arange(problem.count, device=z.device)
            part = problem if len(signals) == problem.count else problem.select(signals)
            shrunk = SHRINK * z[None, signals]
            other = solve(part, others(part, signals, number) if group is fresh else shrunk)
            own = group[signals]
            z[signals] = torch.where(own[:, None], other.z, z[signals])
            found = found.better(other, signals, own)
            lower = torch.minimum(best[signals], other.value)
            equal = (other.value - best[signals]).abs() <= AGREE * lower
            unsettled[signals] &= ~(own & equal & ~near[signals])
    return found
