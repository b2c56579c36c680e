"""The efforts that are offered by name, and their counterparts for L1 objectives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ganprior.solvers.engine.effort import Effort, Schedule, Search
from ganprior.solvers.engine.lbfgs import LBFGS

# Bora et al. (2017) run ten restarts of a thousand Adam steps to their end. A tolerance of 0
# never stops early.
REFERENCE = Effort(restarts=10, steps=1000, learning_rate=0.1, final_rate=0.1, tolerance=0.0)

BALANCED = Effort(
    descent=LBFGS,
    bank=20_000,
    metric=True,
    restarts=6,
    neighbours=(30, 15, 8),
    unaided=12,
    steps=100,
    learning_rate=1.0,
    final_rate=1.0,
    race=((0.06, 4), (0.15, 3), (0.3, 2), (0.5, 1)),
    tolerance=0.02,
    window=10,
    polish_steps=30,
    polish_tolerance=0.03,
    determined=Search(
        restarts=6,
        neighbours=(30, 15, 8),
        steps=150,
        race=((0.04, 4), (0.1, 3), (0.2, 2)),
        tolerance=0.02,
        window=10,
        penalty=4e-4,
        release=Schedule(steps=100, race=((0.02, 2), (0.1, 1)), tolerance=0.03, window=10),
        rounds=6,
        reach=4e-2,
    ),
)

FAST = Effort(
    descent=LBFGS,
    bank=20_000,
    metric=True,
    restarts=4,
    neighbours=(30, 15, 8),
    unaided=10,
    steps=80,
    learning_rate=1.0,
    final_rate=1.0,
    race=((0.05, 2), (0.15, 1)),
    tolerance=0.03,
    window=5,
    polish_steps=30,
    polish_tolerance=0.03,
    determined=Search(
        restarts=2,
        neighbours=(30, 15),
        steps=30,
        race=((0.14, 1),),
        tolerance=0.04,
        window=5,
        penalty=6e-4,
        release=Schedule(
            steps=100, race=((0.02, 1),), tolerance=0.05, far_tolerance=0.1, window=10
        ),
        rounds=6,
        reach=4e-2,
    ),
)

EFFORTS = {"reference": REFERENCE, "balanced": BALANCED, "fast": FAST}

# First-order steps stall at the kinks of an L1 norm, which Levenberg-Marquardt on reweighted least
# squares (see SemanticObjective.residual) does not mind: few of those, then many of these.
BALANCED_L1 = replace(
    BALANCED,
    restarts=12,
    neighbours=(),
    candidates=4,
    tolerance=0.05,
    steps=40,
    race=((0.5, 5), (0.75, 2)),
    window=40,
    polish_steps=60,
    polish_tolerance=0.01,
    determined=None,
)
FAST_L1 = replace(
    FAST,
    restarts=6,
    neighbours=(),
    candidates=4,
    tolerance=0.06,
    steps=20,
    race=((0.5, 3), (0.75, 1)),
    window=20,
    polish_steps=60,
    polish_tolerance=0.05,
    determined=None,
)

EFFORTS_L1 = {"reference": REFERENCE, "balanced": BALANCED_L1, "fast": FAST_L1}


def chosen_effort(
    effort: Effort | str, named: Mapping[str, Effort], restarts: int | None, steps: int | None
) -> Effort:
    """Effort that a solver is asked for: by name or as it is, with numbers in place of its own.

    Parameters
    ----------
    effort : Effort or str
        An effort, or one of the names.
    named : mapping
        Efforts by name, of the solver's kind of objective.
    restarts, steps : int, optional
        As for :meth:`~ganprior.solvers.engine.effort.Effort.replace`.

    Raises
    ------
    ValueError
        If there is no effort of the name, or a number is below 1.
    """
    if isinstance(effort, str):
        if effort not in named:
            raise ValueError(f"effort must be one of {', '.join(named)}, got {effort!r}")
        effort = named[effort]
    if not isinstance(effort, Effort):
        raise ValueError(f"effort must be an Effort or one of {', '.join(named)}, got {effort!r}")
    return effort.replace(restarts=restarts, steps=steps)
