"""The prior as a density beside CSGM and estimators that need no generator.

Error against the number of measurements, at the noise of Bora et al. (2017), on the images, A and
noise of their figure. ``map`` and ``auto`` take the generator for a density. LMMSE and the mixture
of 30 Gaussians were fitted to 54,000 of the images that the priors were trained on; total variation
and the Lassos know nothing but a weight, tuned on other images. Claims: the mixture is ahead of
LMMSE and of every Lasso wherever there are few measurements; total variation, the mixture or LMMSE
is ahead of CSGM where there are many; and ``auto`` is ahead of CSGM everywhere, nowhere more than
1.05 times the best of the others, and below .75 times it at half of the m.

    ganprior figure density/error-vs-m-mnist --preset paper
    ganprior figure density/error-vs-m-fashion-mnist --preset paper
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from experiments import plots
from experiments.bora2017.setting import compressed, image_rows, inputs_of, solved_rows
from experiments.comparison import Errors, errors_of, means_of, paired_tests, places_of, saved
from experiments.images import hashes_of as hashes_of_images
from experiments.images import held_out, held_out_block, load_mixture, load_prior
from experiments.rows import Row
from experiments.sweep.figure import Figure, Tables, declare
from ganprior import (
    LMMSE,
    MAP,
    Auto,
    GaussianMixture,
    Reconstructor,
    TotalVariation,
)
from ganprior.jobs import Cell, grid

MIXTURE, LINEAR, TV = "gaussian-mixture", "lmmse", "tv"
MAP_NAME, AUTO = "map", "auto"
LASSOS = ("lasso-dct", "lasso-wavelet", "lasso-pixel")
# Up to so many measurements the mixture is claimed to be ahead of LMMSE and the Lassos, and from so
# many on one of the rivals ahead of CSGM.
FEW, MANY = 200, 400
# Claims of auto beside the best of those that do not take the generator for a density.
NEVER_WORSE, FAR_AHEAD = 1.05, 0.75


@dataclass(frozen=True)
class Config:
    """What is run; the presets are below."""

    data: str
    prior: str
    second_prior: str  # with a density
    measurements: tuple[int, ...] = (10, 25, 50, 100, 200, 300, 400, 500)
    noise_level: float = 0.1  # sqrt(m) noise_std
    images: int = 100
    draws: int = 3  # of A and of the noise
    block: int = 50
    effort: str = "balanced"


def cells(config: Config) -> list[Cell]:
    """Every m, method, draw and block."""
    methods = [f"csgm {config.prior}", MAP_NAME, AUTO, MIXTURE, LINEAR, TV, *LASSOS]
    return grid(
        methods,
        "m",
        config.measurements,
        draws=config.draws,
        images=config.images,
        block=config.block,
    )


def rows(config: Config, cell: Cell) -> list[Row]:
    """Errors of a method on a block of images."""
    signals = held_out_block(config.data, cell)
    found = compressed(signals, int(cell.number), config.noise_level, cell)
    law = {"law_sha256": ""}
    if cell.method.startswith("csgm") or cell.method in LASSOS:
        solved = solved_rows(found, cell.method, config.effort, config.data)
        return [row | law for row in solved]
    solution = solvers(config)[cell.method](found.noise_std).solve(found.y, found.physics)
    if cell.method in (MIXTURE, LINEAR):
        law["law_sha256"] = load_mixture(config.prior).card["weights_sha256"][:12]
    hashes = hashes_of_images(held_out(config.data)) | law
    return image_rows(found, solution.x, solution.status, **hashes)


def solvers(config: Config) -> dict[str, Callable[[float], Reconstructor]]:
    """Methods by name, to be given the noise."""
    law, dense = load_mixture(config.prior), load_prior(config.second_prior)
    return {
        MAP_NAME: lambda noise_std: MAP(dense, noise_std),
        AUTO: lambda noise_std: Auto(dense, noise_std),
        MIXTURE: lambda noise_std: GaussianMixture(law, noise_std),
        LINEAR: lambda noise_std: LMMSE(law, noise_std),
        TV: lambda noise_std: TotalVariation(noise_std=noise_std),
    }


def inputs(config: Config) -> dict[str, str]:
    """Hashes of images, prior, weights and the mixture."""
    law = load_mixture(config.prior).card["weights_sha256"][:12]
    return inputs_of(config) | {f"mixture of {config.data}": law}


def claims(found: list[Row]) -> dict[str, bool]:
    """Few measurements: the mixture before LMMSE and Lassos. Many: any rival before CSGM. Auto."""
    mean = means_of(errors_of(found))
    places = places_of(errors_of(found))
    csgm = next(own for name, own in mean.items() if name.startswith("csgm"))
    others = [mean[name] for name in (MIXTURE, LINEAR, TV, *LASSOS)]
    few, many = [m for m in places if m <= FEW], [m for m in places if m >= MANY]
    ratios = _ratios(errors_of(found)).values()
    held = {
        f"the mixture is below LMMSE and the Lassos up to m = {FEW}": all(
            mean[MIXTURE][m] < min(mean[name][m] for name in (LINEAR, *LASSOS)) for m in few
        ),
        "auto is below CSGM at every m": all(mean[AUTO][m] < csgm[m] for m in places),
        f"auto is at most {NEVER_WORSE} times the best other at every m": max(ratios)
        <= NEVER_WORSE,
        f"auto is below {FAR_AHEAD} times the best other at half of the m": 2
        * sum(ratio < FAR_AHEAD for ratio in ratios)
        >= len(ratios),
    }
    if many:
        held[f"a method without a generator is below CSGM from m = {MANY} on"] = all(
            min(own[m] for own in others) < csgm[m] for m in many
        )
    return held


def tables(found: list[Row]) -> Tables:
    """Means and 95% intervals; tests of auto against every other; measurements that it saves."""
    errors = errors_of(found)
    table = Figure("", {}, form=".5f").tables(found)["summary"]
    for line, ratio in zip(table, _ratios(errors).values(), strict=True):
        line["auto / best other"] = f"{ratio:.2f}"
    return {
        "summary": table,
        "tests": paired_tests(errors, AUTO),
        "saved": _saved(errors),
    }


def headline(found: list[Row]) -> str:
    """Error of auto, and over that of the best other, at every m."""
    errors = errors_of(found)
    mean = means_of(errors)[AUTO]
    return "; ".join(
        f"m = {m:g}: auto {mean[m]:.5f}, {ratio:.2f} times the best other"
        for m, ratio in _ratios(errors).items()
    )


def _saved(errors: Errors) -> list[Row]:
    """Measurements saved against the best Lasso, as the paper has it, and against any other."""
    table, mean = [], means_of(errors)[AUTO]
    for lasso, other in zip(
        saved(errors, AUTO, LASSOS), saved(errors, AUTO, _others(errors)), strict=True
    ):
        line: Row = {"m": lasso["m"], "error": f"{mean[float(lasso['m'])]:.5f}"}
        for name, own in (("best Lasso", lasso), ("best other", other)):
            line[name] = f"{own['measurements saved']} ({own['95% interval']})"
        table.append(line)
    return table


def _others(errors: Errors) -> list[str]:
    """All but those that take the generator for a density."""
    return [name for name in errors if name not in (MAP_NAME, AUTO)]


def _ratios(errors: Errors) -> dict[float, float]:
    """Mean error of auto over that of the best of the others, by m."""
    mean = means_of(errors)
    return {
        m: mean[AUTO][m] / min(mean[name][m] for name in _others(errors)) for m in places_of(errors)
    }


def plot(found: list[Row], path: Path) -> None:
    """Error against m with 95% intervals, both axes logarithmic."""
    figure, [axes] = plots.new_figure(width=8)
    plots.draw_curves(axes, errors_of(found))
    plots.finish(axes, places_of(errors_of(found)), "measurements m (n = 784)")
    plots.save(figure, path)


def _presets(data: str, prior: str, dense: str) -> dict[str, Config]:
    return {
        "paper": Config(data, prior, dense),
        "smoke": Config(data, prior, dense, (50, 400), images=6, draws=1, effort="smoke"),
    }


declare(
    __name__,
    "density/error-vs-m-mnist",
    "a generator that is a density is ahead of CSGM at every m",
    **_presets("MNIST", "mnist", "mnist-k64-vae"),
)
declare(
    __name__,
    "density/error-vs-m-fashion-mnist",
    "the same on images of clothes",
    **_presets("Fashion-MNIST", "fashion-mnist-dcgan", "fashion-mnist-k128-vae"),
)
