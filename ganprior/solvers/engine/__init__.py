"""The one optimisation loop over latents, which knows no paper.

``bank`` and ``starts`` choose latents, ``race`` descends from them by ``lbfgs`` or ``adam``,
``levenberg_marquardt`` ends with second-order steps; ``minimise`` puts them in order. A solver
hands over a :class:`Problem`, that is a per-signal objective, and gets the best latent of each
signal back.
"""

from ganprior.solvers.engine.adam import Adam
from ganprior.solvers.engine.effort import (
    BALANCED,
    BALANCED_L1,
    EFFORTS,
    EFFORTS_L1,
    FAST,
    FAST_L1,
    REFERENCE,
    Effort,
)
from ganprior.solvers.engine.lbfgs import LBFGS
from ganprior.solvers.engine.minimise import Minimum, minimise
from ganprior.solvers.engine.problem import Objective, Problem

__all__ = [
    "BALANCED",
    "BALANCED_L1",
    "EFFORTS",
    "EFFORTS_L1",
    "FAST",
    "FAST_L1",
    "LBFGS",
    "REFERENCE",
    "Adam",
    "Effort",
    "Minimum",
    "Objective",
    "Problem",
    "minimise",
]
