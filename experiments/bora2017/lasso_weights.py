"""Weight alpha of the Lassos for digits, tuned on digits that no reported figure uses.

The package's own table was tuned on clothes, and digits are mostly black: in figures on MNIST each
Lasso has the weight that is best for it there, for the figure's m and noise. The grid is that of
``tune_lasso.py``, the images are as many as ``tune_csgm.py`` tunes lambda on.

    python -m experiments.bora2017.lasso_weights --data FOLDER

reads FOLDER/mnist, writes ``results/tuning/lasso_mnist.csv``, a row for every weight tried, and
takes a few minutes on one CPU core.
"""

from __future__ import annotations

import argparse
import functools
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from experiments.bora2017 import tune_lasso
from experiments.rows import Row, git_revision, read_csv, write_csv

TRIED = Path(__file__).parent / "results" / "tuning" / "lasso_mnist.csv"
DATA = "MNIST"


@dataclass(frozen=True)
class Config:
    """What is tuned; the presets are below."""

    # Of the figures of error against m and against the noise: (measurements, noise levels).
    places: tuple[tuple[tuple[int, ...], tuple[float, ...]], ...] = (
        ((10, 25, 50, 200, 300, 400, 750), (0.1,)),
        ((100, 500), (0.01, 0.1, 1, 2, 5, 10, 20, 50)),
    )
    images: int = 24


PRESETS = {"paper": Config(), "smoke": Config((((100,), (0.1,)),), images=2)}


def run(config: Config, data: Path) -> Iterator[Row]:
    """Yield one row for every weight tried."""
    revision = git_revision()
    for measurements, levels in config.places:
        tuning = tune_lasso.Config(
            measurements=measurements, noise_levels=levels, images=config.images
        )
        for row in tune_lasso.run(tuning, str(data / "mnist")):
            yield {**row, "revision": revision}


def tuned_alpha(data: str, basis: str, m: int, noise_level: float) -> float | None:
    """Weight for a data set; None leaves it to the package's table.

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
    return _chosen().get((basis, m, round(noise_level, 6))) if data == DATA else None


def inputs_of_alphas(data: str) -> dict[str, str]:
    """Hash of the table, where the data set has one: rows of other weights do not mix.

    Raises
    ------
    ValueError
        If the table is not there: the weights would be others, and nothing would say so.
    """
    if data != DATA:
        return {}
    if not TRIED.is_file():
        raise ValueError(f"{TRIED} is missing, where the weights of {data} are; check it out")
    return {f"alphas of {data}": hashlib.sha256(TRIED.read_bytes()).hexdigest()[:12]}


@functools.cache
def _chosen() -> dict[tuple[str, int, float], float]:
    numbers = ("m", "n", "noise_level", "alpha", "mean_per_pixel_error", "converged")
    tried = [
        {**row, **{name: float(row[name]) for name in numbers}}
        for row in (read_csv(TRIED) if TRIED.is_file() else [])
    ]
    return {
        (row["basis"], int(row["m"]), row["noise_level"]): row["alpha"]
        for row in tune_lasso.choose(tried)
    }


def main() -> None:
    """Run a preset; the paper preset writes the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="holds mnist")
    parser.add_argument("--preset", choices=sorted(PRESETS), default="paper")
    arguments = parser.parse_args()
    rows = []
    for row in run(PRESETS[arguments.preset], arguments.data):
        rows.append(row)
        print(*list(row.values())[:6], flush=True)
    if arguments.preset == "paper":
        write_csv(TRIED, rows)


if __name__ == "__main__":
    main()
