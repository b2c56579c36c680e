"""Reconstruction error against the number of measurements (Bora et al. 2017, figure 1).

Claim: with few Gaussian measurements the prior's reconstruction error is far below that of Lasso;
past some m the error of the prior stays at its representation error and Lasso overtakes it.

All methods see the same images (held-out test images), A and noise. The weights of every method
were tuned on other images with the same A and noise levels (``tune_lasso.py``,
``lasso_weights.py``, ``tune_csgm.py``, ``discriminator_weights.py``). Reference lines: the error of
the blank image, of the best constant image for each image, and of the best image in the generator's
range.

    ganprior figure bora2017/error-vs-m-mnist --preset paper
    ganprior figure bora2017/error-vs-m-fashion-mnist --preset paper
    GANPRIOR_DATA=FOLDER ganprior figure bora2017/error-vs-m-faces --preset paper

Faces are photographs of UTKFace, 64 x 64 in colour, which are not in the checkout: FOLDER holds
``utkface_64/test``. Units: the paper's CelebA images are in [-1, 1]. On [0, 1] its noise of 0.01 is
0.005, and its lambda of 0.001 is 0.00025. Its Lassos there are DCT and wavelet alone.

The short preset has one draw of A and CSGM with the tuned lambda alone, on fewer faces.

Tables: ``summary`` (mean and 95% interval, 1.96 s / sqrt(N)), ``tests`` (paired Wilcoxon tests with
Holm's correction per m), ``saved`` (measurements that the best Lasso needs for the error that CSGM
reaches with m, divided by m), ``reference`` (the lines).
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from experiments import plots
from experiments.bora2017.error_vs_m_presets import (
    COLOUR,
    GRAY,
    Config,
    Scale,
    face_presets,
    gray_presets,
)
from experiments.bora2017.setting import (
    LASSOS,
    Problem,
    compressed,
    hashes_of,
    image_rows,
    inputs_with_discriminator,
    solved_rows,
    solver_of,
)
from experiments.comparison import Errors, errors_of, means_of, paired_tests, places_of, saved
from experiments.images import held_out_block
from experiments.rows import Row
from experiments.sweep.figure import Tables, declare, means_by_place
from ganprior import Streams, identity
from ganprior.jobs import Cell, grid

# Errors that no measurement enters: cells at m = 0.
CONSTANTS = ("blank", "constant")
PIXEL = "lasso-pixel"


def cells(config: Config) -> list[Cell]:
    """Lines at m = 0, then every m, method, draw and block."""
    priors = [name for name in (config.prior, config.second_prior) if name]
    everywhere = partial(grid, axis="m", images=config.images, block=config.block)
    found = everywhere([*CONSTANTS, *(f"representation {name}" for name in priors)])
    for m in config.measurements:
        methods = [f"csgm {config.prior}{variant}" for variant in config.variants]
        if config.second_prior and m in config.second_measurements:
            methods.append(f"csgm {config.second_prior}")
        methods += [n for n in LASSOS if n != PIXEL or m in _pixel_measurements(config)]
        found += everywhere(methods, values=[m], draws=config.draws)
    return found


def _pixel_measurements(config: Config) -> tuple[int, ...]:
    return config.pixel_measurements or config.measurements


def rows(config: Config, cell: Cell) -> list[Row]:
    """Errors of a method on a block of images."""
    signals = held_out_block(config.data, cell)
    if cell.value:
        found = compressed(signals, int(cell.number), config.noise_level, cell)
        return solved_rows(found, cell.method, config.effort, config.data)
    names, x = signals
    hashes = hashes_of(config.data, cell.method)
    streams = Streams(cell.seed, range(cell.first, cell.last))
    found = Problem(names, x, identity(), x, 0.0, streams)
    if cell.method in CONSTANTS:
        gray = x.mean((1, 2, 3), keepdim=True) if cell.method == "constant" else 0 * x
        return image_rows(found, gray.expand_as(x), ["" for _ in names], **hashes)
    prior = cell.method.removeprefix("representation ")
    solution = solver_of(f"csgm {prior} lambda=0", 0.0, config.effort).solve(
        x, found.physics, rng=streams
    )
    return image_rows(found, solution.x, solution.status, **hashes)


def summarise(found: list[Row]) -> list[Row]:
    """Mean and 95% interval per m and method, a row per m; and what the best two have in common."""
    table = means_by_place(_measured(found))
    for line in table:
        csgm, lasso = (
            min(float(line[n].split()[0]) for n in line if n.startswith(kind) and line[n])
            for kind in ("csgm", "lasso")
        )
        line["best csgm / best lasso"] = f"{csgm / lasso:.3f}" if lasso else ""
    return table


def tables(found: list[Row]) -> Tables:
    """Summary, tests, measurements saved and reference lines."""
    errors = errors_of(_measured(found))
    ours, lassos = _ours(errors), [name for name in errors if name in LASSOS]
    return {
        "summary": summarise(found),
        "tests": paired_tests(errors, ours),
        "saved": saved(errors, ours, lassos),
        "reference": [
            {"reference": name, "error": f"{value:.4f}"} for name, value in _lines(found).items()
        ],
    }


def plot(scale: Scale, found: list[Row], path: Path) -> None:
    """Error against m with 95% intervals, both axes logarithmic."""
    errors = errors_of(_measured(found))
    figure, [axes] = plots.new_figure(width=8)
    plots.draw_curves(axes, errors)
    plots.draw_lines(axes, _lines(found))
    plots.finish(axes, places_of(errors), f"measurements m (n = {scale.n:,})")
    plots.save(figure, path)


def claims(scale: Scale, found: list[Row]) -> dict[str, bool]:
    """Few measurements: the prior. Nearly all: the Lasso."""
    errors = errors_of(_measured(found))
    mean = means_of(errors)
    places, ours = places_of(errors), mean[_ours(errors)]
    best = {m: min(mean[name][m] for name in LASSOS if m in mean.get(name, {})) for m in places}
    few, last = [m for m in places if m <= scale.few], places[-1]
    held = {f"CSGM is below every Lasso up to m = {few[-1]:g}": all(ours[m] < best[m] for m in few)}
    if last > scale.n / 4:
        held[f"the best Lasso is below CSGM at m = {last:g}"] = best[last] < ours[last]
    return held


def headline(scale: Scale, found: list[Row]) -> str:
    """Errors and measurements saved at the two m that are told."""
    lines = {line["m"]: line for line in tables(found)["saved"]}
    return "; ".join(
        f"m = {m}: error {lines[m]['error']}, {lines[m]['measurements saved']} times fewer "
        f"measurements than the best Lasso ({lines[m]['95% interval']})"
        for m in map(str, scale.told)
        if m in lines
    )


def _measured(found: list[Row]) -> list[Row]:
    return [row for row in found if float(row["m"])]


def _ours(errors: Errors) -> str:
    """CSGM with the tuned lambda and the first prior."""
    return next(name for name in errors if name.startswith("csgm") and len(name.split()) == 2)


def _lines(found: list[Row]) -> dict[str, float]:
    errors = errors_of(row for row in found if not float(row["m"]))
    return {name: float(own[0.0].mean()) for name, own in errors.items()}


def _declare(name: str, claim: str, scale: Scale, **own: Any) -> None:
    own |= {f.__name__: partial(f, scale) for f in (plot, claims, headline)}
    name = f"bora2017/error-vs-m-{name}"
    declare(__name__, name, claim, inputs=inputs_with_discriminator, on_gpu=True, **own)


ONE_DRAW = "one draw of A, and CSGM with the tuned lambda alone"
_declare(
    "mnist",
    "with few measurements CSGM's error is far below every Lasso's; with many Lasso wins",
    GRAY,
    **gray_presets("MNIST", "mnist"),
    published="5 to 10 times fewer measurements than Lasso; a reproduction has .0276 at "
    "m = 25 and .0083 at m = 100 (VAE), .0986 and .0628 (Lasso, DCT)",
    differs="a convolutional VAE with as many latents; lambda and alpha are tuned per m: "
    "the best Lasso is better than CSGM from m = 400 on, so that at m = 100 the factor is "
    "below 4",
    reduced=ONE_DRAW,
)
_declare(
    "fashion-mnist",
    "the same on images of clothes, with two priors",
    GRAY,
    **gray_presets("Fashion-MNIST", "fashion-mnist-dcgan", "fashion-mnist-wgan-gp"),
    published="none: the paper has no Fashion-MNIST",
    differs="another data set than the paper's; the best Lasso is better than CSGM from "
    "m = 500 on, so that at m = 100 the factor is below 5",
    reduced=ONE_DRAW,
)
_declare(
    "faces",
    "the same on photographs of faces, 64 x 64 in colour",
    COLOUR,
    **face_presets(),
    published="5 to 10 times fewer measurements than Lasso on CelebA; another paper's "
    "DCGAN has 16.6 dB at m = 100 and 20.8 dB at m = 500, its Lasso (DCT) 13.1 and 15.7",
    differs="UTKFace, standing in for CelebA; errors of images in [0, 1] are a quarter of "
    "those in [-1, 1]; alpha was tuned for m = 50 to 2,500 (beyond, that of the end) and "
    "in pixels on clothes alone",
    reduced="32 photographs instead of 100, one draw of A, effort fast, m up to 5,000, the "
    "Lasso in pixels at two m, no untuned lambda of the paper's",
)
