"""The one optimisation loop over latents, which knows no paper.

``bank``, ``measured`` and ``starts`` choose latents, ``race`` descends from them by ``lbfgs``,
scaled by ``curvature``, or by ``adam``, ``levenberg_marquardt`` ends with second-order steps;
``minimise`` puts them in order, and ``rounds`` repeats them for signals that may not have found
their minimum. A solver hands over a :class:`Problem`, that is a per-signal objective, and gets the
best latent of each signal back.

What each idea is worth, by ``python -m experiments.benchmarks.ablation``: the default effort with
one of them taken away at a time, on 16 tuning images of Fashion-MNIST from 100 measurements, whose
mean error moves by several percent by chance. Generator passes are FLOPs over those of one forward
pass. The polish is for signals that the generator can make exactly, of which there are none here.

<!-- table: ../../../experiments/benchmarks/results/ablation_summary.csv -->
| engine | error | objective | CPU seconds per image | times the seconds | generator passes |
| --- | --- | --- | --- | --- | --- |
| balanced | 0.0108 | 1.588 | 0.092 | 1.00 | 595 |
| without bank | 0.0176 | 2.593 | 0.092 | 0.99 | 585 |
| without mean curvature | 0.0108 | 2.947 | 0.141 | 1.52 | 824 |
| without race | 0.0118 | 1.194 | 0.640 | 6.93 | 3560 |
| Adam, not L-BFGS | 0.0130 | 5.105 | 0.077 | 0.83 | 605 |
| without polish | 0.0108 | 1.589 | 0.081 | 0.88 | 595 |
| without early stopping | 0.0109 | 1.454 | 0.114 | 1.24 | 825 |
| without folding | 0.0105 | 1.561 | 0.100 | 1.09 | 594 |
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
from ganprior.solvers.engine.minimise import minimise
from ganprior.solvers.engine.minimum import Minimum
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
