"""Default weight of the Lasso, from the table that ``experiments/bora2017/tune_lasso.py`` writes.

The table was tuned on images that no reported figure uses: n = 784 on gray images of clothes,
n = 12,288 on faces in colour. Its axes are the number of pixels n, the fraction m / n of
measurements and the noise level sqrt(m) noise_std, which is the paper's noise: the standard
deviation where A has N(0, 1) entries.
"""

from __future__ import annotations

import csv
import functools
import math
from importlib import resources

import numpy as np
import torch
from torch import Tensor

Table = dict[float, tuple[np.ndarray, np.ndarray]]


def default_alpha(basis: str, m: Tensor, n: int, noise_std: Tensor) -> Tensor:
    """Tuned alpha for 1/2 ||y - A Psi w||^2 + alpha ||w||_1, A with N(0, 1/m) entries.

    Of the tabulated n the nearest one counts, on a logarithmic scale. log(alpha) is linear in
    log(m / n) between tabulated fractions and constant outside them; alpha is linear in the noise
    level between tabulated levels and proportional to it above.

    Parameters
    ----------
    basis : str
        ``dct``, ``wavelet`` or ``pixel``.
    m : Tensor
        Number of measurements of each signal, positive, (B,).
    n : int
        Number of pixels, channels counted.
    noise_std : Tensor
        Standard deviation of each entry of y, (B,) or (1,).

    Returns
    -------
    Tensor
        (B,), float64 on the CPU.
    """
    counts = m.cpu().double().numpy()
    noise = np.broadcast_to(noise_std.cpu().double().numpy(), counts.shape) * np.sqrt(counts)
    tables = _tables(basis)
    nearest = min(tables, key=lambda size: abs(math.log(size / n)))
    table = sorted(tables[nearest].items())
    levels = [level for level, _ in table]
    curves = np.array([np.interp(np.log(counts / n), *np.log(points)) for _, points in table])
    alphas = [np.interp(at, levels, c) for at, c in zip(noise, np.exp(curves.T), strict=True)]
    # Above the largest noise of the table, what matters is the noise alone.
    return torch.as_tensor(np.array(alphas) * np.maximum(noise / levels[-1], 1))


@functools.cache
def _tables(basis: str) -> dict[int, Table]:
    """By n: noise level -> (fractions m / n in rising order, alphas)."""
    text = resources.files(__package__).joinpath("alphas.csv").read_text(encoding="utf-8")
    points: dict[int, dict[float, list[tuple[float, float]]]] = {}
    for row in csv.DictReader(text.splitlines()):
        if row["basis"] == basis:
            n, level = int(row["n"]), float(row["noise_level"])
            point = (int(row["m"]) / n, float(row["alpha"]))
            points.setdefault(n, {}).setdefault(level, []).append(point)
    return {n: {at: _curve(own) for at, own in levels.items()} for n, levels in points.items()}


def _curve(points: list[tuple[float, float]]) -> tuple[np.ndarray, np.ndarray]:
    fractions, alphas = zip(*sorted(points), strict=True)
    return np.array(fractions), np.array(alphas)
