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
| balanced | 0.0112 | 3.619 | 0.216 | 1.00 | 454 |
| without bank | 0.0213 | 7.373 | 0.288 | 1.34 | 341 |
| without regression | 0.0115 | 4.262 | 0.175 | 0.81 | 425 |
| without mean curvature | 0.0118 | 4.049 | 0.263 | 1.22 | 464 |
| without race | 0.0113 | 3.469 | 0.434 | 2.01 | 926 |
| Adam, not L-BFGS | 0.0126 | 5.791 | 0.185 | 0.86 | 484 |
| without polish | 0.0112 | 3.620 | 0.232 | 1.08 | 454 |
| without early stopping | 0.0111 | 3.422 | 0.301 | 1.40 | 707 |
| without folding | 0.0112 | 3.647 | 0.184 | 0.86 | 453 |
<!-- end -->
"""

from ganprior.solvers.engine.adam import Adam
from ganprior.solvers.engine.effort import Effort
from ganprior.solvers.engine.lbfgs import LBFGS
from ganprior.solvers.engine.minimise import minimise
from ganprior.solvers.engine.minimum import Minimum
from ganprior.solvers.engine.presets import (
    BALANCED,
    BALANCED_L1,
    EFFORTS,
    EFFORTS_L1,
    FAST,
    FAST_L1,
    REFERENCE,
)
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
