"""The weights that were chosen of those tried: for figures, and for the package.

    python -m experiments.tuning.chosen

writes the tables that the package ships anew from the committed rows of the tuning figures.
"""

from __future__ import annotations

import functools
import hashlib
import math
from collections.abc import Iterator, Sequence
from pathlib import Path

from experiments.figures import results_of
from experiments.intervals import grouped
from experiments.rows import ROWS, Row, read_csv, write_csv

PACKAGE = Path(__file__).parents[2] / "ganprior"
LAMBDAS = PACKAGE / "solvers" / "latent_weights.csv"
ALPHAS = PACKAGE / "baselines" / "alphas.csv"
# Below this share of converged signals the result is that of the step limit, not of the weight.
CONVERGED = 0.95
# How close to the best error a weight is as good as the best.
TIE_LAMBDA, TIE_ALPHA = 1.03, 1.002
# gamma of a prior that was not tuned.
UNTUNED = 0.01
DIGITS = "MNIST"
PLACE = ["method", "m", "n", "panel", "prior_sha256"]


def tried(figure: str) -> list[Row]:
    """Committed rows of a tuning figure.

    Raises
    ------
    ValueError
        If they are not there: the weights would be others, and nothing would say so.
    """
    path = results_of(f"tuning/{figure}") / ROWS
    if not path.is_file():
        raise ValueError(f"{path} is missing, where the tuned weights are; check it out")
    return list(read_csv(path))


def best_of(rows: Sequence[Row]) -> Row:
    """Row with the weight that is chosen at one place."""
    if rows[0]["converged"] == "":
        least = min(float(row["per_pixel_error"]) for row in rows)
        good = [row for row in rows if float(row["per_pixel_error"]) <= TIE_LAMBDA * least]
        return min(good, key=lambda row: float(row["weight"]))
    # A short run may have none: the claim of the grid is then the one that fails.
    rows = [row for row in rows if float(row["converged"]) >= CONVERGED] or list(rows)
    least = min(float(row["per_pixel_error"]) for row in rows)
    good = [row for row in rows if float(row["per_pixel_error"]) <= TIE_ALPHA * least]
    return max(good, key=lambda row: float(row["weight"]))


def chosen(*figures: str) -> Iterator[tuple[Row, float]]:
    """Row of every chosen weight, and its noise level."""
    for figure in figures:
        for own in grouped(tried(figure), PLACE).values():
            level = float(own[0]["panel"].rpartition(" ")[2])
            if any(row["converged"] == "" or float(row["converged"]) >= CONVERGED for row in own):
                yield best_of(own), level


@functools.cache
def discriminator_weight(prior: str) -> float:
    """Tuned gamma of a prior, the best of those above 0 (0 is CSGM); 0.01 where none was tuned."""
    found: dict[float, float] = {}
    for row in tried("discriminator") + tried("discriminator-faces"):
        weight = float(row["weight"])
        if row["method"] == f"csgm {prior} + D" and weight > 0:
            found[weight] = found.get(weight, 0.0) + math.log(float(row["per_pixel_error"]))
    return min(found, key=lambda weight: found[weight]) if found else UNTUNED


def tuned_alpha(data: str, basis: str, m: int, noise_level: float) -> float | None:
    """Weight of a Lasso for a data set; None leaves it to the package's table.

    Parameters
    ----------
    data : str
        Name of the data set.
    basis : str
        ``dct``, ``wavelet`` or ``pixel``.
    m : int
        Number of Gaussian measurements.
    noise_level : float
        sqrt(m) noise_std.
    """
    return _alphas().get((basis, m, round(noise_level, 6))) if data == DIGITS else None


def inputs_of_alphas(data: str) -> dict[str, str]:
    """Hash of the rows, where the data set has any: rows of other weights do not mix."""
    if data != DIGITS:
        return {}
    text = repr([list(row.values()) for row in tried("lasso-mnist")])
    return {f"alphas of {data}": hashlib.sha256(text.encode()).hexdigest()[:12]}


@functools.cache
def _alphas() -> dict[tuple[str, int, float], float]:
    return {
        (row["method"].removeprefix("lasso-"), int(row["m"]), level): float(row["weight"])
        for row, level in chosen("lasso-mnist")
    }


def shipped_lambdas() -> list[Row]:
    """Table of the package: lambda by prior, m and noise level."""
    return [
        {
            "prior": row["method"].split()[1],
            "prior_sha256": row["prior_sha256"],
            "m": row["m"],
            "n": row["n"],
            "noise_level": level,
            "latent_weight": float(row["weight"]),
        }
        for row, level in chosen("csgm", "csgm-faces")
    ]


def shipped_alphas() -> list[Row]:
    """Table of the package: alpha by basis, m and noise level."""
    table = [
        {
            "basis": row["method"].removeprefix("lasso-"),
            "m": int(row["m"]),
            "n": int(row["n"]),
            "noise_level": level,
            "alpha": float(row["weight"]),
        }
        for row, level in chosen("lasso", "lasso-faces", "total-variation", "lasso-box")
    ]
    return sorted(table, key=lambda row: (row["n"], row["basis"], row["m"], row["noise_level"]))


def main() -> None:
    """Write both tables."""
    write_csv(LAMBDAS, shipped_lambdas())
    write_csv(ALPHAS, shipped_alphas())


if __name__ == "__main__":
    main()
