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

from dataclasses import dataclass
from functools import partial

import numpy as np
import pywt
import torch
from torch import Tensor

from experiments.bora2017.setting import hashes_of, image_rows, problem, solver_of
from experiments.comparison import errors_of, means_of, saved
from experiments.images import held_out_block, load_prior
from experiments.intervals import grouped
from experiments.rows import Row
from experiments.sweep.figure import Tables, declare, means_by_place
from ganprior import identity
from ganprior.jobs import Cell, grid

AXIS = "k"
WAVELETS = {"wavelet db1": "db1", "wavelet db4": "db4"}
LEVELS = 2  # 28, 14, 7


@dataclass(frozen=True)
class Config:
    """What is run; the presets are below."""

    data: tuple[str, ...] = ("MNIST", "Fashion-MNIST")
    priors: tuple[str, ...] = ("mnist", "fashion-mnist-dcgan", "fashion-mnist-wgan-gp")
    coefficients: tuple[int, ...] = (5, 10, 20, 50, 64, 100, 200, 400)
    images: int = 100
    block: int = 50
    effort: str = "balanced"


def cells(config: Config) -> list[Cell]:
    """Per data set its priors, at their numbers of latents, and wavelets at every k."""
    found: list[Cell] = []
    everywhere = partial(grid, axis=AXIS, images=config.images, block=config.block)
    for data in config.data:
        sizes = {
            f"csgm {name}": load_prior(name).latent.size
            for name in config.priors
            if load_prior(name).card["data"] == data
        }
        for method, size in sizes.items():
            found += everywhere([method], values=[size], panels=[data])
        every_k = sorted({*config.coefficients, *sizes.values()})
        found += everywhere(tuple(WAVELETS), values=every_k, panels=[data])
    return found


def rows(config: Config, cell: Cell) -> list[Row]:
    """Errors of the nearest images."""
    hashes = hashes_of(cell.panel, cell.method)
    found = problem(held_out_block(cell.panel, cell), identity(), 0.0, cell)
    if cell.method in WAVELETS:
        x_hat = k_sparse(found.x, int(cell.number), WAVELETS[cell.method])
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


def tables(found: list[Row]) -> Tables:
    """Mean and interval per data set, k and method; and how many coefficients the prior equals."""
    return {"summary": means_by_place(found), "equal": _equal(found)}


def _equal(found: list[Row]) -> list[Row]:
    """Coefficients that the better wavelet needs for the error of each prior."""
    table = []
    for (panel,), own in grouped(found, ["panel"]).items():
        errors = errors_of(own, AXIS)
        wavelets = [name for name in errors if name in WAVELETS]
        for name in errors:
            if name in WAVELETS:
                continue
            [line] = saved(errors, name, wavelets)
            k = int(line.pop("m"))
            factor = line.pop("measurements saved")
            table.append({"data": panel, "prior": name, "k": k, "wavelet k / k": factor, **line})
    return table


def claims(found: list[Row]) -> dict[str, bool]:
    """With as many numbers the prior is nearer; with the most coefficients a wavelet is."""
    held: dict[str, bool] = {}
    for (panel,), own in grouped(found, ["panel"]).items():
        mean = means_of(errors_of(own, AXIS))
        best = {k: min(mean[name][k] for name in WAVELETS) for k in mean["wavelet db1"]}
        for name, places in mean.items():
            if name not in WAVELETS:
                [(k, error)] = places.items()
                held[f"{panel}: {name} is nearer than {k:g} wavelet coefficients"] = error < best[k]
                held[f"{panel}: {max(best):g} of them are nearer than {name}"] = (
                    best[max(best)] < error
                )
    return held


def headline(found: list[Row]) -> str:
    """Representation errors, and coefficients for the same."""
    return "; ".join(
        f"{line['prior'].removeprefix('csgm ')}: {line['error']} with k = {line['k']}, as good as "
        f"{line['wavelet k / k']} times as many coefficients"
        for line in _equal(found)
    )


SMOKE = Config(("MNIST",), ("mnist",), coefficients=(10, 400), images=6, effort="smoke")
declare(
    __name__,
    "bora2017/representation-error",
    "k latents draw an image better than k wavelet coefficients",
    paper=Config(),
    smoke=SMOKE,
    published="the generator is nearer than sparse wavelet approximation with as many numbers",
    differs="digits and clothes, not CelebA",
)
