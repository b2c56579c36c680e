"""Default weight of the Lasso, from the table that ``experiments/bora2017/tune_lasso.py`` writes.

The table was tuned on images that no reported figure uses. Its axes are the fraction m / n of
measurements and the noise level sqrt(m) noise_std, which is the paper's noise: the standard
deviation where A has N(0, 1) entries.
"""

from __future__ import annotations

import csv
import functools
from importlib import resources

import numpy as np
import torch
from torch import Tensor

Table = dict[float, tuple[np.ndarray, np.ndarray]]


def default_alpha(basis: str, m: int, n: int, noise_std: Tensor) -> Tensor:
    """Tuned alpha for 1/2 ||y - A Psi w||^2 + alpha ||w||_1, A with N(0, 1/m) entries.

    log(alpha) is linear in log(m / n) between tabulated fractions and constant outside them;
    alpha is linear in the noise level between tabulated levels and proportional to it above.

    Parameters
    ----------
    basis : str
        ``dct``, ``wavelet`` or ``pixel``.
    m, n : int
        Measurements and pixels of one signal.
    noise_std : Tensor
        Standard deviation of each entry of y, (B,) or one for all, ().

    Returns
    -------
    Tensor
        Of the shape of ``noise_std``, float64 on the CPU.
    """
    levels, alphas = [], []
    for level, (fractions, tuned) in sorted(_table(basis).items()):
        at = np.interp(np.log(m / n), np.log(fractions), np.log(tuned))
        levels.append(level)
        alphas.append(float(np.exp(at)))
    level = noise_std.detach().cpu().double().numpy() * m**0.5
    # Far above the largest noise of the table, what matters is the noise alone.
    excess = np.maximum(level / levels[-1], 1)
    return torch.as_tensor(np.interp(level, levels, alphas) * excess)


@functools.cache
def _table(basis: str) -> Table:
    """Noise level -> (fractions m / n in rising order, alphas)."""
    text = resources.files(__package__).joinpath("alphas.csv").read_text(encoding="utf-8")
    points: dict[float, list[tuple[float, float]]] = {}
    for row in csv.DictReader(text.splitlines()):
        if row["basis"] == basis:
            point = (int(row["m"]) / int(row["n"]), float(row["alpha"]))
            points.setdefault(float(row["noise_level"]), []).append(point)
    return {
        level: (np.array([f for f, _ in sorted(pairs)]), np.array([a for _, a in sorted(pairs)]))
        for level, pairs in points.items()
    }
