"""Effect of the weights of the context loss (section 3.1 of Yeh et al. 2017).

Claim, in the paper's direction: a loss that counts the known pixels by how near to a hole they are
(``weighted``) fills it better than one that counts all alike (``uniform``). ``inverted`` is what a
widely copied code computes in its place.

    python -m experiments.yeh2017.weighting --preset paper

writes ``results/weighting/``, the files of ``prior_weight.py``. It takes two minutes on one core.
"""

from __future__ import annotations

from experiments.yeh2017.variants import Filled, Task, run_preset

WEIGHTINGS = ("weighted", "uniform", "inverted")


def fill(task: Task) -> Filled:
    """Solve with every weighting."""
    filled = {}
    for weighting in WEIGHTINGS:
        solution = task.solve(weighting=weighting)
        filled[weighting, "raw"] = solution.raw
        filled[weighting, "blended"] = solution.x
    return filled


if __name__ == "__main__":
    run_preset("weighting", __doc__ or "", fill)
