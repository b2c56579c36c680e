"""Effect of Poisson blending (section 3.3 of Yeh et al. 2017): none, pasted, plain and screened.

Claim, in the paper's direction: G(z) has the right shapes in slightly wrong colours, and blending,
which takes over its gradients alone, beats pasting its pixels into the hole. Screened blending with
s lets the colours of the boundary reach about 1 / sqrt(s) pixels into a hole.

    python -m experiments.yeh2017.blending --preset paper

writes ``results/blending/``, the files of ``prior_weight.py``. All settings start from the same
G(z). It takes a minute on one CPU core.
"""

from __future__ import annotations

import torch

from experiments.yeh2017.variants import Filled, Task, run_preset
from ganprior.solvers import poisson_blend

SCREENINGS = (0.01, 0.1, 1.0)


def fill(task: Task) -> Filled:
    """Solve once and blend in every way."""
    raw = task.solve(blend=False).x
    filled = {
        ("none", "raw"): raw,
        ("pasted", "blended"): torch.where(task.mask > 0, task.y, raw),
        ("plain", "blended"): poisson_blend(raw, task.y, task.mask),
    }
    for s in SCREENINGS:
        blended = poisson_blend(raw, task.y, task.mask, screening=s)
        filled[f"screened {s:g}", "blended"] = blended
    return filled


if __name__ == "__main__":
    run_preset("blending", __doc__ or "", fill)
