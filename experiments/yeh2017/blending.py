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
from torch import Tensor

from experiments.yeh2017.variants import run_preset
from ganprior import Prior, Streams
from ganprior.solvers import SemanticInpainting, poisson_blend

SCREENINGS = (0.01, 0.1, 1.0)


def fill(
    prior: Prior, y: Tensor, mask: Tensor, physics: object, seed: int
) -> dict[tuple[str, str], Tensor]:
    """Solve once and blend in every way."""
    raw = SemanticInpainting(prior, blend=False).solve(y, physics, rng=Streams(seed)).x
    filled = {
        ("none", "raw"): raw,
        ("pasted", "blended"): torch.where(mask > 0, y, raw),
        ("plain", "blended"): poisson_blend(raw, y, mask),
    }
    for s in SCREENINGS:
        filled[f"screened {s:g}", "blended"] = poisson_blend(raw, y, mask, screening=s)
    return filled


if __name__ == "__main__":
    run_preset("blending", __doc__ or "", fill)
