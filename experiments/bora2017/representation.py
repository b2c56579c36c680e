"""Representation error against k-sparse wavelet approximation (Bora et al. 2017, section 6).

Claim: with its k numbers the generator is nearer to a test image than the best k coefficients of a
wavelet basis are, and even than several times as many; with far more coefficients wavelets win,
since nothing bounds their error from below.

    ganprior figure bora2017/representation-error --preset paper

Projection: A = I, lambda = 0, no noise. The wavelet approximation keeps the k largest coefficients
of an orthonormal transform (Haar, as in the paper's baseline, and Daubechies 4, of PyWavelets),
which is the best one with k of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pywt
import torch
from torch import Tensor

from experiments.bora2017 import comparison, plots
from experiments.bora2017.held_out import held_out_block, load_prior
from experiments.bora2017.panels import panels_of, summarise_panels
from experiments.bora2017.setting import (
    PAPER,
    cost_per_image,
    hashes_of,
    image_rows,
    inputs_of,
    problem,
    solver_of,
)
from experiments.rows import Row
from experiments.sweep.cell import Cell, blocks
from experiments.sweep.figure import Figure, Tables
from ganprior import identity

NAME = f"{PAPER}/representation-error"
AXIS = "k"
WAVELETS = {"wavelet db1": "db1", "wavelet db4": "db4"}
LEVELS = 2  # 28, 14, 7


@dataclass(frozen=True)
class Config:
    """What is run; the presets are below."""

    priors: tuple[tuple[str, str], ...] = (
        ("MNIST", "mnist"),
        ("Fashion-MNIST", "fashion-mnist-dcgan"),
        ("Fashion-MNIST", "fashion-mnist-wgan-gp"),
    )
    coefficients: tuple[int, ...] = (5, 10, 20, 50, 64, 100, 200, 400)
    images: int = 100
    block: int = 50
    effort: str = "balanced"


def cells(config: Config) -> list[Cell]:
    """Per data set its priors, at their numbers of latents, and wavelets at every k."""
    return list(_cells(config))


def _cells(config: Config) -> Iterator[Cell]:
    for data in dict.fromkeys(data for data, _ in config.priors):
        priors = [name for own, name in config.priors if own == data]
        sizes = [load_prior(name).latent.size for name in priors]
        places = [(size, f"csgm {name}") for size, name in zip(sizes, priors, strict=True)]
        every_k = sorted({*config.coefficients, *sizes})
        places += [(k, wavelet) for wavelet in WAVELETS for k in every_k]
        for k, method in places:
            for first, last in blocks(config.images, config.block):
                yield Cell(NAME, method, AXIS, k, data, 0, first, last)


def rows(config: Config, cell: Cell) -> list[Row]:
    """Errors of the nearest images."""
    hashes = hashes_of(cell.panel, cell.method)
    found = problem(held_out_block(cell.panel, cell), identity(), 0.0, cell)
    if cell.method in WAVELETS:
        x_hat = k_sparse(found.x, int(cell.value), WAVELETS[cell.method])
        return image_rows(found, x_hat, ["" for _ in found.names], **hashes)
    solver = solver_of(f"{cell.method} lambda=0", 0.0, config.effort)
    solution = solver.solve(found.y, found.physics, rng=found.streams)
    return image_rows(found, solution.x, solution.status, **hashes)


def k_sparse(x: Tensor, k: int, wavelet: str) -> Tensor:
    """Best approximation of each image (B, 1, H, W) by k coefficients of an orthonormal basis."""
    images = []
    for image in x[:, 0].double().cpu().numpy():
        levels = pywt.wavedec2(image, wavelet, mode="periodization", level=LEVELS)
        array, slices = pywt.coeffs_to_array(levels)
        kept = np.zeros(array.size)
        largest = np.argsort(-np.abs(array), axis=None, kind="stable")[:k]
        kept[largest] = array.ravel()[largest]
        sparse = pywt.array_to_coeffs(kept.reshape(array.shape), slices, output_format="wavedec2")
        images.append(pywt.waverec2(sparse, wavelet, mode="periodization"))
    return torch.from_numpy(np.array(images))[:, None].to(x)


def inputs(config: Config) -> dict[str, str]:
    """Hashes of images and priors."""
    found: dict[str, str] = {}
    for data, prior in config.priors:
        own = inputs_of(data, [prior])
        found |= {f"{data}: {key}": value for key, value in own.items()}
    return found


def tables(found: list[Row]) -> Tables:
    """Mean and interval per data set, k and method; and how many coefficients the prior equals."""
    return {"summary": summarise_panels(found, AXIS), "equal": _equal(found)}


def _equal(found: list[Row]) -> list[Row]:
    """Coefficients that the better wavelet needs for the error of each prior."""
    table = []
    for panel, own in panels_of(found).items():
        errors = comparison.errors_of(own, AXIS)
        wavelets = [name for name in errors if name in WAVELETS]
        for name in errors:
            if name in WAVELETS:
                continue
            [line] = comparison.saved(errors, name, wavelets)
            k = int(line.pop("m"))
            factor = line.pop("measurements saved")
            table.append({"data": panel, "prior": name, "k": k, "wavelet k / k": factor, **line})
    return table


def claims(found: list[Row]) -> dict[str, bool]:
    """With as many numbers the prior is nearer; with the most coefficients a wavelet is."""
    held: dict[str, bool] = {}
    for panel, own in panels_of(found).items():
        mean = {
            name: {k: values.mean() for k, values in places.items()}
            for name, places in comparison.errors_of(own, AXIS).items()
        }
        best = {k: min(mean[name][k] for name in WAVELETS) for k in mean["wavelet db1"]}
        for name, places in mean.items():
            if name not in WAVELETS:
                [(k, error)] = places.items()
                held[f"{panel}: {name} is nearer than {k:g} wavelet coefficients"] = error < best[k]
                held[f"{panel}: {max(best):g} of them are nearer than {name}"] = (
                    best[max(best)] < error
                )
    return held


def cost(config: Config, cell: Cell) -> float:
    """Seconds of a cell."""
    return (cell.last - cell.first) * cost_per_image(cell.method, config.effort)


def headline(found: list[Row]) -> str:
    """Representation errors, and coefficients for the same."""
    return "; ".join(
        f"{line['prior'].removeprefix('csgm ')}: {line['error']} with k = {line['k']}, as good as "
        f"{line['wavelet k / k']} times as many coefficients"
        for line in _equal(found)
    )


def plot(found: list[Row], path: Path) -> None:
    """A panel per data set."""
    parts = panels_of(found)
    figure, axes = plots.new_figure(len(parts), width=4.8)
    for place, (panel, own) in zip(axes, parts.items(), strict=True):
        errors = comparison.errors_of(own, AXIS)
        plots.draw_curves(place, errors, dashed="wavelet")
        plots.finish(place, comparison.places_of(errors), "numbers k per image")
        place.set_title(panel, fontsize=9)
    plots.save(figure, path)


FIGURES = {
    NAME: Figure(
        name=NAME,
        presets={
            "paper": Config(),
            "smoke": Config(
                priors=(("MNIST", "mnist"),), coefficients=(10, 400), images=6, effort="smoke"
            ),
        },
        cells=cells,
        rows=rows,
        inputs=inputs,
        tables=tables,
        plot=plot,
        claims=claims,
        cost=cost,
        headline=headline,
        published="the generator is nearer than sparse wavelet approximation with as many numbers",
        differs="digits and clothes, not CelebA",
    )
}
