"""Default weight of ||z||^2, from a table tuned on images that no reported figure uses.

``experiments/bora2017/tune_csgm.py`` writes the table. Its axes are the number of measurements
per pixel, m / n, and the noise level sqrt(m) noise_std: the paper's noise, where A has N(0, 1)
entries.
"""

from __future__ import annotations

import csv
import functools
import math
from importlib import resources
from typing import Any

import numpy as np
from torch import Tensor


def default_latent_weight(
    y: Tensor, physics: Any, pixels: int, noise_std: float | None = None
) -> float:
    """Tuned lambda for ||y - A G(z)||^2 + lambda ||z||^2.

    Parameters
    ----------
    y : Tensor
        Measurements, (B, ...); the entries of one signal are counted as m. Masked physics keep
        hidden pixels as zeros: they count as measurements here.
    physics : object
        Its ``noise_model.sigma`` is the noise, where there is one and ``noise_std`` is absent.
    pixels : int
        n.
    noise_std : float, optional
        Standard deviation of the noise on each entry of y.
    """
    if noise_std is None:
        sigma = getattr(getattr(physics, "noise_model", None), "sigma", 0.0)
        noise_std = float(sigma.max()) if isinstance(sigma, Tensor) else float(sigma)
    entries = y[0].numel() * (2 if y.is_complex() else 1)
    return interpolated(entries / pixels, noise_std * math.sqrt(entries))


def interpolated(fraction: float, level: float) -> float:
    """Table at m / n = ``fraction`` and a noise level, linear in log(m / n) and in the level."""
    rows = _table()
    levels = sorted({row[1] for row in rows})
    weights = []
    for known in levels:
        points = sorted((row[0], row[2]) for row in rows if row[1] == known)
        fractions, values = zip(*points, strict=True)
        weights.append(np.interp(math.log(fraction), np.log(fractions), values))
    # Above the table the noise alone matters, and the weight of a Gaussian prior against Gaussian
    # noise is proportional to its variance.
    excess = max(level / levels[-1], 1.0) ** 2
    return float(np.interp(level, levels, weights) * excess)


@functools.cache
def _table() -> list[tuple[float, float, float]]:
    """Rows (m / n, noise level, lambda)."""
    text = resources.files(__package__).joinpath("latent_weights.csv").read_text(encoding="utf-8")
    return [
        (int(row["m"]) / int(row["n"]), float(row["noise_level"]), float(row["latent_weight"]))
        for row in csv.DictReader(text.splitlines())
    ]
