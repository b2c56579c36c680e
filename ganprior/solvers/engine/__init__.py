"""The one optimisation loop over latents, which knows no paper.

``bank`` and ``starts`` choose latents, ``race`` descends from them by ``lbfgs``, scaled by
``curvature``, or by ``adam``, ``levenberg_marquardt`` ends with second-order steps; ``minimise``
puts them in order. A solver hands over a :class:`Problem`, that is a per-signal objective, and gets
the best latent of each signal back.

What each idea is worth, by ``python -m experiments.benchmarks.ablation``: the default effort with
one of them taken away at a time, on tuning images of Fashion-MNIST from 100 measurements. Generator
passes are FLOPs over those of one forward pass. The polish is for signals that the generator can
make exactly, of which there are none here.

<!-- table: ../../../experiments/benchmarks/results/ablation_summary.csv -->
<!-- end -->
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
