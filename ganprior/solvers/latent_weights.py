"""Default weight of ||z||^2, from a table tuned on images that no reported figure uses.

``experiments/tuning/chosen.py`` writes the table, for shipped priors that it knows by the hash
of their weights; any other prior takes the part of the first one. How it is read, and its axes, are
those of :mod:`ganprior.physics.default_weights`.
"""

from __future__ import annotations

import csv
import functools
from importlib import resources

from torch import Tensor

from ganprior.physics import Facts
from ganprior.physics.default_weights import Table, default_weight


def default_latent_weight(
    known: Facts, noise_std: float | None = None, weights_sha256: str | None = None
) -> Tensor:
    """Tuned lambda of each signal for ||y - A G(z)||^2 + lambda ||z||^2, float64 (B,).

    Parameters
    ----------
    known : Facts
        Facts of the physics: m, the size of A's columns, and the noise it states.
    noise_std : float, optional
        Standard deviation of the noise on each entry of y, in place of what the physics states.
    weights_sha256 : str, optional
        Hash of the prior's weights, from its card.
    """
    table, levels = table_of(weights_sha256), known.noise_std(noise_std)
    return default_weight(table, known.n, known.m, known.scale, levels)


def table_of(weights_sha256: str | None = None) -> Table:
    """Table of a prior by the hash of its weights, the first one for any other prior."""
    tables = _tables()
    return tables.get((weights_sha256 or "")[:12]) or next(iter(tables.values()))


@functools.cache
def _tables() -> dict[str, Table]:
    """By the first digits of the hash of a prior's weights."""
    text = resources.files(__package__).joinpath("latent_weights.csv").read_text(encoding="utf-8")
    rows: dict[str, list[tuple[float, float, float]]] = {}
    for row in csv.DictReader(text.splitlines()):
        numbers = float(row["noise_level"]), float(row["latent_weight"])
        fraction = int(row["m"]) / int(row["n"])
        rows.setdefault(row["prior_sha256"], []).append((fraction, *numbers))
    # The weight of a Gaussian prior against Gaussian noise is proportional to its variance.
    return {prior: Table.of(own, logarithmic=False, power=2) for prior, own in rows.items()}
