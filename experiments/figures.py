"""The figures by name, without importing any of them: ``ganprior figure`` reads this table."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from experiments.sweep.figure import Figure


@dataclass(frozen=True)
class Entry:
    """Where a figure is declared, what it claims, and how long its paper preset takes.

    Attributes
    ----------
    module : str
        Module whose ``FIGURES`` has it.
    claim : str
        One line.
    minutes : int
        Of the paper preset on one CPU core, roughly.
    """

    module: str
    claim: str
    minutes: int


FIGURES = {
    "bora2017/error-vs-m-mnist": Entry(
        "bora2017.error_vs_m",
        "with few measurements CSGM's error is far below every Lasso's; with many Lasso wins",
        7,
    ),
    "bora2017/error-vs-m-fashion-mnist": Entry(
        "bora2017.error_vs_m", "the same on images of clothes, with two priors", 17
    ),
    "bora2017/error-vs-m-faces": Entry(
        "bora2017.error_vs_m", "the same on photographs of faces, 64 x 64 in colour", 598
    ),
    "bora2017/image-grid-mnist": Entry(
        "bora2017.image_grid", "100 measurements show CSGM the digit, and no Lasso", 1
    ),
    "bora2017/image-grid-fashion-mnist": Entry(
        "bora2017.image_grid", "the same for clothes, with two priors", 1
    ),
    "bora2017/image-grid-faces": Entry(
        "bora2017.image_grid", "500 measurements show CSGM the face, and no Lasso", 1
    ),
    "bora2017/range-images": Entry(
        "bora2017.range_images",
        "on images of the generator the error falls on; on test images it levels off",
        2,
    ),
    "bora2017/range-images-faces": Entry(
        "bora2017.range_images", "the same for faces, 64 x 64 in colour", 140
    ),
    "bora2017/noise-tolerance": Entry(
        "bora2017.noise_tolerance", "CSGM stays below Lasso at ten times the usual noise", 5
    ),
    "bora2017/representation-error": Entry(
        "bora2017.representation", "k latents draw an image better than k wavelet coefficients", 1
    ),
    "bora2017/super-resolution": Entry(
        "bora2017.super_resolution", "from a sixteenth of the pixels CSGM is nearest", 1
    ),
    "bora2017/super-resolution-faces": Entry(
        "bora2017.super_resolution", "the same for faces, 64 x 64 in colour", 1
    ),
    "bora2017/inpainting": Entry(
        "bora2017.inpainting", "CSGM fills a centre block, the Lassos do not", 1
    ),
    "bora2017/inpainting-faces": Entry(
        "bora2017.inpainting", "the same for faces, 64 x 64 in colour", 1
    ),
    "bora2017/effect-of-lambda": Entry(
        "bora2017.effects", "a small lambda helps where measurements are few", 2
    ),
    "bora2017/effect-of-restarts": Entry("bora2017.effects", "more restarts lower the error", 3),
    "bora2017/effect-of-steps": Entry("bora2017.effects", "more steps lower the error", 3),
    "bora2017/theorem-1-1": Entry(
        "bora2017.theorem", "the bound of Theorem 1.1 holds, and S-REC improves with m", 2
    ),
    "objectives/one-dimension": Entry(
        "objectives.one_dimension",
        "a converged D is p / (p + q), worth -log 4 where p = q; the game gets there",
        3,
    ),
    "objectives/parallel-lines": Entry(
        "objectives.parallel_lines",
        "of disjoint lines W1 alone is |theta|, and brings theta to 0",
        1,
    ),
    "objectives/gaussian-fits": Entry(
        "objectives.gaussian_fits",
        "KL spreads a Gaussian over a mixture, Jensen-Shannon keeps to the heavier part",
        1,
    ),
    "objectives/f-gan-fits": Entry(
        "objectives.f_gan_fits",
        "trained by an f-divergence, a Gaussian is the one that is best by it",
        2,
    ),
    "objectives/mode-collapse": Entry(
        "objectives.mode_collapse",
        "WGAN-GP covers the modes that minimax and non-saturating drop or forget",
        5,
    ),
    "objectives/stacked-mnist": Entry(
        "objectives.stacked_mnist",
        "of 1,000 classes, the same",
        8,
    ),
    "objectives/dead-units": Entry(
        "objectives.dead_units",
        "units of ReLU die where batch norm does not keep them, those of LeakyReLU do not",
        2,
    ),
    "objectives/saturation": Entry(
        "objectives.saturation",
        "soft labels, flips and input noise keep a discriminator from being too sure",
        2,
    ),
    "objectives/robustness": Entry(
        "objectives.robustness", "WGAN-GP alone trains seven architectures; no WGAN collapses", 10
    ),
    "objectives/critic-loss": Entry(
        "objectives.critic_loss", "the Wasserstein estimate falls with the Fréchet distance", 2
    ),
    "objectives/inversion": Entry(
        "objectives.inversion", "a prior that draws better samples inverts better", 9
    ),
}


def load_figure(name: str) -> Figure:
    """Declaration of a figure.

    Raises
    ------
    KeyError
        If there is none of that name.
    """
    module = importlib.import_module(f"experiments.{FIGURES[name].module}")
    figures: dict[str, Figure] = module.FIGURES
    return figures[name]


def describe(name: str) -> str:
    """One line: name, claim, and the time that the paper preset takes."""
    entry = FIGURES[name]
    return f"{name}: {entry.claim} (about {entry.minutes} min)"
