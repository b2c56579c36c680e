"""Further rounds for signals whose minimum two rounds do not agree on.

A descent now and then ends in a minimum beside the right one. Three quarters of the latent where it
ended are a start from which another one is often found: most of what such a latent has right is
still there, and what keeps it where it is lies further out. (Iterated local search; compare basin
hopping, D. J. Wales, J. P. K. Doye, J. Physical Chemistry A 101, 1997, whose moves are random.)
Every round sets out from where the last one ended, be it better or worse, and the best is kept.
Rounds that end equally low have in all likelihood found what there is, as for most real images: no
further round follows. The further a signal is from the generator's range the fewer rounds it has,
and far from it none, since a lower minimum is not worth its cost there.

An objective that is nearly zero can still fall to zero, as for images of the generator's own; of
real images hardly one comes so near. There equal rounds are not believed, and all but the first
are races from other starts. The search ends where the objective is zero.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

import torch
from torch import Tensor

from ganprior.solvers.engine.minimum import Minimum
from ganprior.solvers.engine.problem import Problem

# Objective over ||y||^2 below which a signal counts as exact, and below which as nearly so.
EXACT, NEAR = 1e-8, 8e-4
# Relative difference up to which two rounds count as equally low.
AGREE = 0.05
# Further off a round takes more steps and is no surer, nearer by more rounds fall back.
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
        # A comparison with NaN is False: what is not a number is left alone.
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
            # Signals that cannot leave the batch are solved with it, and keep what they had.
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
