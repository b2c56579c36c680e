"""The efforts that are offered by name, and their counterparts for L1 objectives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from ganprior.solvers.engine.adam import Adam
from ganprior.solvers.engine.by_measurements import ByMeasurements
from ganprior.solvers.engine.descend import Descend
from ganprior.solvers.engine.effort import Effort, Stage
from ganprior.solvers.engine.lbfgs import LBFGS
from ganprior.solvers.engine.levenberg_marquardt import Polish
from ganprior.solvers.engine.penalised import Penalised
from ganprior.solvers.engine.rounds import Rounds
from ganprior.solvers.engine.starts import FromBank, Random

# Bora et al. (2017) run ten restarts of a thousand Adam steps to their end.
REFERENCE = Effort(Random(10), Descend(Adam(0.1), steps=1000))


_POLISH = Polish(30, tolerance=0.03)

BALANCED = Effort(
    ByMeasurements(
        fewer=(
            FromBank(20_000, nearest=3, regress=(30, 15, 8), unaided=12),
            Descend(
                LBFGS(),
                steps=100,
                keep=((0.06, 4), (0.15, 3), (0.3, 2), (0.5, 1)),
                tolerance=0.02,
                window=10,
            ),
            _POLISH,
        ),
        determined=(
            FromBank(20_000, nearest=3, regress=(30, 15, 8), unaided=12),
            Rounds(
                6,
                (
                    Penalised(
                        4e-4,
                        (
                            Descend(
                                LBFGS(),
                                steps=150,
                                keep=((0.04, 4), (0.1, 3), (0.2, 2)),
                                tolerance=0.02,
                                window=10,
                            ),
                        ),
                    ),
                    Descend(
                        LBFGS(), steps=100, keep=((0.02, 2), (0.1, 1)), tolerance=0.03, window=10
                    ),
                    _POLISH,
                ),
                reach=4e-2,
                fresh=6,
            ),
        ),
    )
)

FAST = Effort(
    ByMeasurements(
        fewer=(
            FromBank(20_000, nearest=1, regress=(30, 15, 8), unaided=10),
            Descend(LBFGS(), steps=80, keep=((0.05, 2), (0.15, 1)), tolerance=0.03, window=5),
            _POLISH,
        ),
        determined=(
            FromBank(20_000, nearest=0, regress=(30, 15), unaided=10),
            Rounds(
                6,
                (
                    Penalised(
                        6e-4,
                        (Descend(LBFGS(), steps=30, keep=((0.14, 1),), tolerance=0.04, window=5),),
                    ),
                    Descend(LBFGS(), steps=100, keep=((0.02, 1),), tolerance=0.05, window=10),
                    _POLISH,
                ),
                reach=4e-2,
                fresh=2,
            ),
        ),
    )
)

EFFORTS = {"reference": REFERENCE, "balanced": BALANCED, "fast": FAST}

# First-order steps stall at the kinks of an L1 norm, which Levenberg-Marquardt on reweighted least
# squares (see SemanticObjective.residual) does not mind: few of those, then many of these.
BALANCED_L1 = Effort(
    FromBank(20_000, nearest=12, tried=4),
    Descend(LBFGS(), steps=40, keep=((0.5, 5), (0.75, 2)), tolerance=0.05, window=40),
    Polish(60, tolerance=0.01),
)
FAST_L1 = Effort(
    FromBank(20_000, nearest=6, tried=4),
    Descend(LBFGS(), steps=20, keep=((0.5, 3), (0.75, 1)), tolerance=0.06, window=20),
    Polish(60, tolerance=0.05),
)

EFFORTS_L1 = {"reference": REFERENCE, "balanced": BALANCED_L1, "fast": FAST_L1}


def chosen_effort(
    effort: Effort | tuple[Stage, ...] | str,
    named: Mapping[str, Effort],
    restarts: int | None,
    steps: int | None,
) -> Effort:
    """Effort that a solver is asked for: by name or as it is, with numbers in place of its own.

    Parameters
    ----------
    effort : Effort, tuple of Stage or str
        An effort, its stages, or one of the names.
    named : mapping
        Efforts by name, of the solver's kind of objective.
    restarts, steps : int, optional
        As for :class:`~ganprior.solvers.engine.effort.Effort`.

    Raises
    ------
    ValueError
        If there is no effort of the name, or a number is below 1.
    """
    names = ", ".join(named)
    if isinstance(effort, str):
        if effort not in named:
            raise ValueError(f"effort must be one of {names}, got {effort!r}")
        effort = named[effort]
    if not isinstance(effort, Sequence):
        raise ValueError(f"effort must be a tuple of stages or one of {names}, got {effort!r}")
    return Effort(*effort, restarts=restarts, steps=steps)


def without_setup(effort: Effort) -> Effort:
    """Return the effort with nothing computed once per prior: random starts, unscaled steps."""

    def change(stage: Stage) -> Stage:
        if isinstance(stage, FromBank):
            return Random(stage.starts)
        if isinstance(stage, Descend) and isinstance(stage.descent, LBFGS):
            return replace(stage, descent=replace(stage.descent, curvature=False))
        return stage

    return effort.map(change)
