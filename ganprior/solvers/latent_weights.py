"""Default weight of ||z||^2, from a table tuned on images that no reported figure uses.

``experiments/bora2017/tune_csgm.py`` writes the table, for shipped priors that it knows by the hash
of their weights; any other prior takes the part of the first one. The axes are the number of
measurements per pixel, m / n, and the noise level sqrt(m) noise_std: the paper's noise, where A
has N(0, 1) entries.
"""

from __future__ import annotations

import csv
import functools
import math
from collections.abc import Sequence
from importlib import resources
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ganprior.streams import uniform


def default_latent_weight(
    y: Tensor,
    physics: Any,
    image_shape: Sequence[int],
    noise_std: float | None = None,
    weights_sha256: str | None = None,
) -> float:
    """Tuned lambda for ||y - A G(z)||^2 + lambda ||z||^2.

    Parameters
    ----------
    y : Tensor
        Measurements, (B, ...).
    physics : object
        Its ``noise_model.sigma`` is the noise, where there is one and ``noise_std`` is absent.
    image_shape : sequence of int
        (C, H, W).
    noise_std : float, optional
        Standard deviation of the noise on each entry of y.
    weights_sha256 : str, optional
        Hash of the prior's weights, from its card.
    """
    if noise_std is None:
        sigma = getattr(getattr(physics, "noise_model", None), "sigma", 0.0)
        noise_std = float(sigma.max()) if isinstance(sigma, Tensor) else float(sigma)
    measurements = _responding_entries(y, physics, image_shape)
    level = noise_std * math.sqrt(measurements)
    return interpolated(measurements / math.prod(image_shape), level, weights_sha256)


def _responding_entries(y: Tensor, physics: Any, image_shape: Sequence[int]) -> float:
    """Entries of one signal's y that depend on the image: masks keep hidden pixels, as zeros."""
    rng = torch.Generator().manual_seed(0)
    image = uniform((len(y), *image_shape), rng).to(y.device, y.dtype.to_real())
    with torch.no_grad():
        response = physics.A(image)
    if response.is_complex():
        response = torch.view_as_real(response)
    return max(1.0, float((response != 0).sum()) / len(y))


def interpolated(fraction: float, level: float, weights_sha256: str | None = None) -> float:
    """Table at m / n = ``fraction`` and a noise level, linear in log(m / n) and in the level."""
    tables = _tables()
    rows = tables.get((weights_sha256 or "")[:12]) or next(iter(tables.values()))
    levels = sorted({row[1] for row in rows})
    weights = []
    for known in levels:
        points = sorted((row[0], row[2]) for row in rows if row[1] == known)
        fractions, values = zip(*points, strict=True)
        weights.append(np.interp(math.log(fraction), np.log(fractions), values))
    # Above the table the noise alone matters, and the weight of a Gaussian prior against Gaussian
    # noise is proportional to its variance.
    excess = max(level / levels[-1], 1.0) ** 2 if levels[-1] else 1.0
    return float(np.interp(level, levels, weights) * excess)


@functools.cache
def _tables() -> dict[str, list[tuple[float, float, float]]]:
    """Rows (m / n, noise level, lambda) by the first digits of the hash of a prior's weights."""
    text = resources.files(__package__).joinpath("latent_weights.csv").read_text(encoding="utf-8")
    tables: dict[str, list[tuple[float, float, float]]] = {}
    for row in csv.DictReader(text.splitlines()):
        numbers = float(row["noise_level"]), float(row["latent_weight"])
        fraction = int(row["m"]) / int(row["n"])
        tables.setdefault(row["prior_sha256"], []).append((fraction, *numbers))
    return tables
