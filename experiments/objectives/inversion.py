"""Which prior inverts best: errors of compressed sensing against the quality of samples.

GAN papers compare objectives by samples. Users of a prior ask how near its range comes to an image
(the representation error min_z ||G(z) - x||^2 / n) and what CSGM (A. Bora, A. Jalal, E. Price,
A. G. Dimakis, 2017, arXiv 1703.03208, section 3) makes of m measurements. No paper claims that
better samples mean better priors; the hypotheses that are checked:

1. a lower Fréchet distance goes with a lower representation error (Spearman's coefficient
   positive, with its whole interval);
2. it goes with a lower error of CSGM from m = 25, 100 and 300 measurements;

each over all priors of the figure, and over those that were trained here and draw varied images:
runs that failed have large distances and large errors, and agree by that alone.

    ganprior figure objectives/inversion --preset paper

A prior per objective and divergence of the package, and per latent size k for two of them, all with
the same architecture, generator steps and images per step (:class:`Config`); beside them the
shipped priors, trained for an hour and more. All see the same held-out images, A and noise (the
paper's), and each has its lambda chosen per m from the same grid on images that neither trained it
nor are reported.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from tempfile import TemporaryDirectory
from typing import Any

from torch import Tensor

from experiments.bora2017.setting import Problem, compressed, problem
from experiments.objectives.fashion import (
    COMMITTED,
    SHIPPED,
    SMOKE,
    Budget,
    Run,
    images_of,
    inputs_of,
    quality,
    recipe_of,
    run_recipe,
    sample_rng,
)
from experiments.objectives.inversion_answer import (
    REPRESENTATION,
    claims,
    headline,
    plot,
    tables,
)
from experiments.rows import Row
from experiments.sweep.figure import declare
from ganprior import CSGM, FAST, Prior, identity
from ganprior.jobs import Cell
from ganprior.metrics import per_pixel_error
from ganprior.solvers import FromBank

SHIPPED_K = 64
ALONE = (
    "minimax", "f-gan kl", "f-gan reverse-kl", "f-gan jeffreys", "f-gan pearson",
    "f-gan squared-hellinger", "f-gan bhattacharyya", "f-gan total-variation",
    "f-gan jensen-shannon", "f-gan gan", "wgan", "wgan-gp", "least-squares", "hinge", "vae",
)  # fmt: skip
BY_LATENT_SIZE = ("non-saturating", "vae-gan")
# Of the package's recipes of these objectives.
VALUES: dict[str, dict[str, Any]] = {
    "vae": {"kl_weight": 0.033, "betas": (0.9, 0.999)},
    "vae-gan": {"reconstruction_weight": 2.0, "kl_weight": 0.066},
    "hinge": {"spectral_norm": True},
}
# Of the A and noise that lambda is tuned with; those that are reported have seed 0.
TUNING_SEED = 1_000_003


@dataclass(frozen=True)
class Config:
    """What is run; the presets are below.

    Attributes
    ----------
    tuning, held_out : tuple of int
        First and last image that lambda is chosen on, of ``budget.data``, and that errors are
        reported of, of ``held_out_data``.
    """

    budget: Budget
    alone: tuple[str, ...] = ALONE
    by_latent_size: tuple[str, ...] = BY_LATENT_SIZE
    k: int = 20
    other_k: tuple[int, ...] = (8, 64, 128)
    shipped: tuple[str, ...] = SHIPPED
    measurements: tuple[int, ...] = (25, 100, 300)
    noise_level: float = 0.1  # sqrt(m) noise_std
    lambdas: tuple[float, ...] = (0.0, 0.03, 0.1, 0.3)
    tuning: tuple[int, int] = (59_000, 59_012)
    held_out_data: str = COMMITTED
    held_out: tuple[int, int] = (0, 50)
    bank: int = 4000


def cells(config: Config) -> list[Cell]:
    """A cell per prior."""
    trained = [(name, config.k) for name in (*config.alone, *config.by_latent_size)]
    trained += [(name, k) for name in config.by_latent_size for k in config.other_k]
    trained += [(f"shipped {name}", SHIPPED_K) for name in config.shipped]
    first, last = config.held_out
    return [Cell(name, "k", k, first=first, last=last) for name, k in trained]


def rows(config: Config, cell: Cell) -> list[Row]:
    """Train or load a prior, and reconstruct with it: a row per held-out image."""
    run = trained(config, cell)
    common: Row = {
        "frechet_distance": round(run.looks[-1].frechet, 3) if run.prior else "",
        "diversity": round(run.looks[-1].diversity, 5) if run.prior else "",
        "data_sha256": images_of(config.held_out_data).sha256[:12],
        "prior_sha256": run.prior.card["weights_sha256"][:12] if run.prior else "",
    }
    columns = [REPRESENTATION, *(place(m) for m in config.measurements)]
    if run.prior is None:
        blank = dict.fromkeys([*columns, *(f"lambda at {c}" for c in columns[1:])], "")
        return [{"image": "", **blank, **common}]
    names, x = block_of(config.held_out_data, cell.first, cell.last)
    with own_cache():
        lambdas = {m: tuned(config, run.prior, m) for m in config.measurements}
        found = {REPRESENTATION: solve(config, run.prior, problem((names, x), identity(), 0, cell))}
        for m in config.measurements:
            measured = compressed((names, x), m, config.noise_level, cell)
            found[place(m)] = solve(config, run.prior, measured, lambdas[m])
    chosen = {f"lambda at {place(m)}": lambdas[m] for m in config.measurements}
    return [
        {"image": name, **{c: round(float(found[c][i]), 6) for c in columns}, **chosen, **common}
        for i, name in enumerate(names)
    ]


def place(m: int) -> str:
    """Column of a number of measurements."""
    return f"m = {m}"


def trained(config: Config, cell: Cell) -> Run:
    """Run of a cell; a shipped prior has been trained and is measured alone."""
    data = config.budget.data
    name = cell.method.removeprefix("shipped ")
    if name == cell.method:
        values = {**VALUES.get(name, {}), "latent_size": int(cell.number)}
        return run_recipe(recipe_of(name, config.budget, **values), data)
    prior = Prior.load(name)
    real = images_of(data).select(config.budget.training).floats()
    return Run(prior, [quality(prior, real, sample_rng())])


def tuned(config: Config, prior: Prior, m: int) -> float:
    """The lambda of the grid with the lowest error on the tuning images."""
    first, last = config.tuning
    names, x = block_of(config.budget.data, first, last)
    cell = Cell("", "m", m, seed=TUNING_SEED, first=first, last=last)
    measured = compressed((names, x), m, config.noise_level, cell)
    errors = {
        value: float(solve(config, prior, measured, value).mean()) for value in config.lambdas
    }
    return min(errors, key=lambda value: errors[value])


def solve(config: Config, prior: Prior, measured: Problem, latent_weight: float = 0.0) -> Tensor:
    """Per-pixel error of CSGM on each signal, (B,)."""
    effort = FAST.change(FromBank, entries=config.bank)
    solver = CSGM(prior, latent_weight, noise_std=measured.noise_std, effort=effort)
    solution = solver.solve(measured.y, measured.physics, rng=measured.streams)
    return per_pixel_error(solution.x, measured.x)


def block_of(data: str, first: int, last: int) -> tuple[tuple[str, ...], Tensor]:
    """Names and pixels of images ``first`` to ``last``."""
    block = images_of(data).select(first, last)
    return block.names, block.floats()


@contextmanager
def own_cache() -> Iterator[None]:
    """Keep the banks of starts of priors that nobody will see again out of the user's cache."""
    before = os.environ.get("GANPRIOR_CACHE")
    with TemporaryDirectory() as folder:
        os.environ["GANPRIOR_CACHE"] = folder
        try:
            yield
        finally:
            os.environ.pop("GANPRIOR_CACHE")
            if before is not None:
                os.environ["GANPRIOR_CACHE"] = before


def inputs(config: Config) -> dict[str, str]:
    """Hashes of the images and of the shipped priors."""
    found = {**inputs_of(config)}
    found["held_out_sha256"] = images_of(config.held_out_data).sha256[:12]
    for name in config.shipped:
        found[f"prior_sha256 of {name}"] = Prior.load(name).card["weights_sha256"][:12]
    return found


declare(
    __name__,
    "objectives/inversion",
    "a prior that draws better samples inverts better",
    paper=Config(Budget(steps=300, looks=1)),
    smoke=Config(
        SMOKE,
        alone=("vae",),
        by_latent_size=("non-saturating",),
        k=8,
        other_k=(4,),
        shipped=(),
        measurements=(25, 300),
        lambdas=(0.0, 0.1),
        tuning=(60, 64),
        held_out=(80, 90),
        bank=500,
    ),
    tables=tables,
    plot=plot,
    claims=claims,
    headline=headline,
    published="none: no GAN paper reports it",
    differs="narrow networks and short runs, one seed; the shipped priors are wider",
    trains=True,
)
