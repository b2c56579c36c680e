"""The one optimisation loop over latents, which knows no paper.

An effort is a tuple of stages (``effort``): starts at random or out of a bank of the generator's
images (``starts``, ``bank``, ``measured``), a descent by ``lbfgs``, scaled by ``curvature``, or by
``adam`` (``descend``), second-order steps (``levenberg_marquardt``), and stages that hold stages:
``penalised``, ``rounds`` and ``by_measurements``. ``presets`` has those with a name. A solver hands
over a ``Problem``, that is a per-signal objective, and ``minimise`` runs the stages on it.

What each idea is worth, by ``ganprior figure benchmarks/ablation``: the default effort with
one of them taken away at a time, on 16 tuning images of Fashion-MNIST from 100 measurements, whose
mean error moves by several percent by chance. Generator passes are FLOPs over those of one forward
pass. The polish is for signals that the generator can make exactly, of which there are none here.
It was measured before efforts were tuples of stages.

<!-- table: ../../../experiments/benchmarks/results/ablation/summary.csv -->
| engine | error | objective | CPU seconds per image | times the seconds | generator passes |
| --- | --- | --- | --- | --- | --- |
| balanced | 0.0113 | 3.517 | 0.199 | 1.00 | 464 |
| without bank | 0.0204 | 6.899 | 0.254 | 1.28 | 359 |
| without regression | 0.0115 | 4.164 | 0.181 | 0.91 | 431 |
| without mean curvature | 0.0117 | 3.783 | 0.288 | 1.45 | 513 |
| without race | 0.0118 | 3.331 | 0.727 | 3.66 | 1707 |
| Adam, not L-BFGS | 0.0127 | 5.240 | 0.338 | 1.70 | 516 |
| without polish | 0.0113 | 3.527 | 0.267 | 1.35 | 464 |
| without early stopping | 0.0114 | 3.433 | 0.374 | 1.89 | 705 |
| without folding | 0.0115 | 3.584 | 0.234 | 1.18 | 463 |
<!-- end -->
"""

from ganprior.solvers.engine.adam import Adam
from ganprior.solvers.engine.by_measurements import ByMeasurements
from ganprior.solvers.engine.candidates import Candidates
from ganprior.solvers.engine.descend import Descend
from ganprior.solvers.engine.effort import Effort, Stage
from ganprior.solvers.engine.lbfgs import LBFGS
from ganprior.solvers.engine.levenberg_marquardt import Polish
from ganprior.solvers.engine.minimise import Minimum, minimise
from ganprior.solvers.engine.objective import Objective
from ganprior.solvers.engine.penalised import Penalised
from ganprior.solvers.engine.presets import (
    BALANCED,
    BALANCED_L1,
    EFFORTS,
    EFFORTS_L1,
    FAST,
    FAST_L1,
    REFERENCE,
    chosen_effort,
    without_setup,
)
from ganprior.solvers.engine.problem import Problem
from ganprior.solvers.engine.rounds import Rounds
from ganprior.solvers.engine.setup import Setup, check_setup
from ganprior.solvers.engine.starts import FromBank, Random

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
    "ByMeasurements",
    "Candidates",
    "Descend",
    "Effort",
    "FromBank",
    "Minimum",
    "Objective",
    "Penalised",
    "Polish",
    "Problem",
    "Random",
    "Rounds",
    "Setup",
    "Stage",
    "check_setup",
    "chosen_effort",
    "minimise",
    "without_setup",
]
