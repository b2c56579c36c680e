"""Effect of lambda, the weight of the prior loss (section 3.2 of Yeh et al. 2017).

Claim, in the paper's direction: the prior loss keeps G(z) looking real, at a small cost in how
well it fits what is known. The paper's lambda is 0.003 beside a sum over pixels in [-1, 1], here
0.0015; the default is ten times that, chosen on tuning images and not here. ``discriminator`` is
the discriminator's raw output: the larger, the more real an image looks to it.

    python -m experiments.yeh2017.prior_weight --preset paper

writes ``results/prior_weight/``: ``rows.csv`` (a row per kind of holes, lambda and image, for G(z)
and the blended image), ``psnr.csv``, ``ssim.csv``, ``discriminator.csv`` (means with 95% bootstrap
intervals), ``config.json`` and ``figure.png``. It takes four minutes on one CPU core.
"""

from __future__ import annotations

from experiments.yeh2017.variants import Filled, Task, run_preset

LAMBDAS = (0.0, 0.0015, 0.015, 0.15, 1.5)


def fill(task: Task) -> Filled:
    """Solve with every lambda."""
    filled = {}
    for weight in LAMBDAS:
        solution = task.solve(prior_weight=weight)
        filled[f"lambda {weight:g}", "raw"] = solution.raw
        filled[f"lambda {weight:g}", "blended"] = solution.x
    return filled


if __name__ == "__main__":
    run_preset("prior_weight", __doc__ or "", fill)
