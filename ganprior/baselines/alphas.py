"""Default weights of the Lassos and of total variation.

The table is written by ``experiments/tuning/chosen.py``. It was tuned on images that no reported
figure uses: n = 784 on gray images of clothes, n = 12,288 on faces in colour. How it is read, and
its other axes, are those of :mod:`ganprior.physics.default_weights`.
"""

from __future__ import annotations

import csv
import functools
import math
from importlib import resources

from torch import Tensor

from ganprior.physics.default_weights import Table, default_weight


def default_alpha(basis: str, n: int, m: Tensor, scale: Tensor, noise_std: Tensor) -> Tensor:
    """Tuned alpha of each signal for 1/2 ||y - A x||^2 + alpha penalty(x), float64 (B,).

    Parameters
    ----------
    basis : str
        Of the l1 norm of coefficients, ``dct``, ``wavelet`` or ``pixel``, with ``-frequency``
        where it is weighted by frequency and ``-box`` where x is kept in [0, 1]; ``tv``.
    n, m, scale, noise_std
        As for :func:`~ganprior.physics.default_weights.default_weight`.
    """
    return default_weight(table_of(basis, n), n, m, scale, noise_std)


def table_of(basis: str, n: int) -> Table:
    """Table of a basis for n pixels: that of the nearest tabulated n, on a logarithmic scale."""
    tables = _tables(basis)
    return tables[min(tables, key=lambda size: abs(math.log(size / n)))]


@functools.cache
def _tables(basis: str) -> dict[int, Table]:
    """By the number of pixels."""
    text = resources.files(__package__).joinpath("alphas.csv").read_text(encoding="utf-8")
    rows: dict[int, list[tuple[float, float, float]]] = {}
    for row in csv.DictReader(text.splitlines()):
        if row["basis"] == basis:
            n, numbers = int(row["n"]), (float(row["noise_level"]), float(row["alpha"]))
            rows.setdefault(n, []).append((int(row["m"]) / n, *numbers))
    return {n: Table.of(own, logarithmic=True, power=1) for n, own in rows.items()}
