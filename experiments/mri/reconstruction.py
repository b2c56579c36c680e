"""Magnetic resonance images from a quarter of k-space: CSGM beside zero filling and Lassos.

Claim: with the prior ``brain-mri-64`` CSGM has a higher PSNR than zero filling, which leaves at
zero what was not measured, and than the Lasso in a wavelet basis (Lustig, Donoho, Pauly 2007,
"Sparse MRI"). M. Mardani et al., "Deep generative adversarial networks for compressed sensing
automates MRI", 2017, arXiv 1706.00051, train a network for one way of sampling instead; the prior
here knows nothing of the measurements.

    GANPRIOR_DATA=FOLDER ganprior figure mri/reconstruction --preset paper

reads ``brain_mri/train`` and ``brain_mri/test`` of FOLDER, axial slices of the brain. The weights
lambda and alpha are tuned on training slices that the prior was not trained on, the same number of
weights for each method; 100 test slices are then reconstructed. The smoke preset takes images of
the prior.

Limits: the slices are magnitudes, so that k-space is simulated and free of phase, of one coil and
without noise. They come without subject ids: a subject may be in the training and in the test
slices. "+ back-projection" gives an image the measurements that it should have, x + A⁺(y - A x), as
Hussein, Tirer, Giryes 2020, "Image-adaptive GAN based reconstruction", do last: without noise that
is never further from the truth. The Lassos agree with the measurements already.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from experiments import plots
from experiments.bora2017.setting import EFFORTS
from experiments.images import BRAIN, for_tuning, hashes_of, load_prior, pictures
from experiments.intervals import PSNR, grouped, mean_cell, mean_of, measured
from experiments.rows import Row
from experiments.strips import ORIGINAL, draw_strips, with_pixels
from experiments.sweep.figure import Tables, declare
from ganprior import (
    CSGM,
    Images,
    LassoDCT,
    LassoWavelet,
    Reconstructor,
    Streams,
)
from ganprior.jobs import Cell, grid
from ganprior.metrics import per_pixel_error, psnr, ssim
from ganprior.physics import SingleCoilMRI, cartesian_mask
from ganprior.streams import derive_seed

OURS, PROJECTED = "csgm", "csgm + back-projection"
LASSOS: dict[str, Callable[[float], LassoDCT | LassoWavelet]] = {
    "lasso-wavelet": lambda alpha: LassoWavelet(alpha=alpha),
    "lasso-wavelet db4": lambda alpha: LassoWavelet("db4", alpha=alpha),
    "lasso-dct": lambda alpha: LassoDCT(alpha=alpha),
}
LINEAR = ("zero filling", "pseudo-inverse")
TUNING, TEST = "tuning", "test"


@dataclass(frozen=True)
class Config:
    """What is run; the presets are below."""

    prior: str = "brain-mri-64"
    slices: str = BRAIN
    acceleration: float = 4
    images: int = 100
    shown: int = 6  # the first test slices, not chosen
    first: int = 5600  # training slices from this one on are for tuning
    tuning: int = 16
    latent_weights: tuple[float, ...] = (0.0, 1e-4, 1e-3, 3e-3, 1e-2, 3e-2)
    alphas: tuple[float, ...] = (1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2)
    effort: str = "balanced, no polish"  # slices are outside of the generator's range
    tuning_seed: int = 1_000_003  # of A, starts and choice of slices


class Measured(NamedTuple):
    """Slices, A, and the streams of noise and starts."""

    images: Images
    physics: SingleCoilMRI
    streams: Streams

    @property
    def y(self) -> Tensor:
        """What is measured."""
        y: Tensor = self.physics.A(self.images.floats())
        return y


def cells(config: Config) -> list[Cell]:
    """A cell per method, its tuning included."""
    return grid([ORIGINAL, *LINEAR, *LASSOS, OURS, PROJECTED], images=config.images, block=1000)


def mri(config: Config, shape: tuple[int, int, int], seed: int) -> SingleCoilMRI:
    """A of a seed, the one that ``--measure mri:acceleration=4 --seed SEED`` has."""
    rng = torch.Generator().manual_seed(derive_seed(seed, "physics"))
    return SingleCoilMRI(cartesian_mask(shape, config.acceleration, rng), shape)


@functools.cache
def measurements(config: Config, part: str, seed: int) -> Measured:
    """Slices for tuning, or those that are reported, and their measurements."""
    prior = load_prior(config.prior)
    _, size, _ = prior.image_shape
    if not config.slices:
        rng = torch.Generator().manual_seed(derive_seed(seed, "samples"))
        count = config.tuning if part == TUNING else config.images
        pixels = prior.sample(count, rng).clamp(0, 1)
        images, streams = Images(pixels, tuple(map(str, range(count))), "samples"), Streams(seed)
    elif part == TUNING:
        images, streams = for_tuning(config.slices, config.first, config.tuning, seed, size)
    else:
        images = pictures(config.slices, TEST, size).head(config.images)
        streams = Streams(seed)
    return Measured(images, mri(config, images.shape, seed), streams)


def solver_of(config: Config, method: str, weight: float) -> Reconstructor:
    """Method with a weight."""
    if method == OURS:
        return CSGM(load_prior(config.prior), weight, effort=EFFORTS[config.effort])
    return LASSOS[method](weight)


def tune(config: Config, method: str) -> list[Row]:
    """Mean PSNR of every weight on the tuning slices, none of which comes out exact."""
    found = measurements(config, TUNING, config.tuning_seed)
    weights = config.latent_weights if method == OURS else config.alphas
    rows = []
    for weight in weights:
        solver = solver_of(config, method, weight)
        x_hat = solver.solve(found.y, found.physics, rng=found.streams).x
        decibel = psnr(x_hat, found.images.floats()).mean().item()
        rows.append(
            {
                "slices": TUNING,
                "image": f"{len(x_hat)} slices",
                "weight": weight,
                "psnr": f"{decibel:.4f}",
                **hashes_of(found.images, load_prior(config.prior)),
            }
        )
    return rows


def best_weight(tried: list[Row]) -> float:
    """Weight of the highest PSNR."""
    return float(max(tried, key=lambda row: float(row["psnr"]))["weight"])


@functools.cache
def reconstruct(config: Config, method: str, seed: int) -> tuple[list[Row], Tensor]:
    """Rows of the tuning of a method, and the test slices by its best weight."""
    found = measurements(config, TEST, seed)
    if method == PROJECTED:
        tried, ours = reconstruct(config, OURS, seed)
        return tried, ours + found.physics.A_dagger(found.y - found.physics.A(ours))
    if method in (ORIGINAL, *LINEAR):
        linear = {"zero filling": found.physics.A_adjoint, "pseudo-inverse": found.physics.A_dagger}
        x_hat = linear[method](found.y) if method in linear else found.images.floats()
        return [], x_hat
    tried = tune(config, method)
    solver = solver_of(config, method, best_weight(tried))
    return tried, solver.solve(found.y, found.physics, rng=found.streams).x


def rows(config: Config, cell: Cell) -> list[Row]:
    """A row per weight tried, then one per test slice."""
    found = measurements(config, TEST, cell.seed)
    tried, x_hat = reconstruct(config, cell.method, cell.seed)
    x, weight = found.images.floats(), best_weight(tried) if tried else ""
    scores = [metric(x_hat, x).tolist() for metric in (per_pixel_error, psnr, ssim)]
    own = [
        {
            "slices": TEST,
            "image": str(signal),
            "weight": weight,
            "per_pixel_error": f"{error:.7g}",
            "psnr": f"{decibel:.4f}" if cell.method != ORIGINAL else "",
            "ssim": f"{similarity:.4f}",
            **hashes_of(found.images, load_prior(config.prior)),
        }
        for signal, (error, decibel, similarity) in enumerate(zip(*scores, strict=True))
    ]
    return [*(tried if cell.method != PROJECTED else []), *with_pixels(own, x_hat, config.shown)]


def inputs(config: Config) -> dict[str, str]:
    """Hashes of prior and slices."""
    parts = ((TUNING, config.tuning_seed), (TEST, 0))
    found = {
        f"{part}_sha256": measurements(config, part, s).images.sha256[:12] for part, s in parts
    }
    return {**found, "prior_sha256": load_prior(config.prior).card["weights_sha256"][:12]}


def reported(found: list[Row]) -> dict[str, list[Row]]:
    """Rows of test slices by method."""
    own = [row for row in found if row["slices"] == TEST and row["method"] != ORIGINAL]
    return {method: rows for (method,), rows in grouped(own, ["method"]).items()}


def tables(found: list[Row]) -> Tables:
    """PSNR of the mean error, mean SSIM, slices on which ours is better; and the tuning."""
    summary, ours = [], measured(reported(found)[OURS], PSNR)
    for method, own in reported(found).items():
        values = measured(own, PSNR)
        behind = f"{int((values < ours).sum())} of {len(values)}"
        summary.append(
            {
                "method": method,
                "PSNR (dB)": mean_cell(values, ".2f", PSNR),
                "SSIM": mean_cell(measured(own, "ssim"), ".3f"),
                "weight": own[0]["weight"],
                "csgm is better on": "" if method == OURS else behind,
            }
        )
    tried = [row for row in found if row["slices"] == TUNING]
    return {
        "summary": summary,
        "tuning": [
            {"method": row["method"], "weight": row["weight"], "mean PSNR (dB)": row["psnr"]}
            for row in tried
        ],
    }


def claims(found: list[Row]) -> dict[str, bool]:
    """CSGM is above zero filling and the wavelet Lasso on average."""
    mean = {name: mean_of(measured(own, PSNR), PSNR)[0] for name, own in reported(found).items()}
    rivals = ("zero filling", "lasso-wavelet")
    return {f"CSGM has a higher PSNR than {name}": mean[OURS] > mean[name] for name in rivals}


def plot(found: list[Row], path: Path) -> None:
    """PSNR of every method; and slices, a method per row."""
    own = [row for rows in reported(found).values() for row in rows]
    plots.draw_places(own, path, "psnr", ["method"], "method")
    draw_strips(
        [row for row in found if row["slices"] == TEST],
        path.with_name("slices" + path.suffix),
        under="psnr",
    )


declare(
    __name__,
    "mri/reconstruction",
    "of a quarter of k-space CSGM makes more than the wavelet Lasso",
    paper=Config(),
    smoke=Config(
        slices="",
        images=2,
        tuning=2,
        latent_weights=(0.0, 1e-3),
        alphas=(1e-2, 3e-2),
        effort="smoke",
    ),
    published="none: no paper inverts a GAN of these slices",
    differs="phase-free, one coil, no noise; simulated from magnitudes",
)
