"""The figures by name, without importing any of them: ``ganprior figure`` reads this table."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from experiments.sweep.figure import Figure


class Entry(NamedTuple):
    """Module whose ``FIGURES`` has a figure, and what it claims, in one line."""

    module: str
    claim: str


FIGURES = {
    "bora2017/error-vs-m-mnist": Entry(
        "bora2017.error_vs_m",
        "with few measurements CSGM's error is far below every Lasso's; with many Lasso wins",
    ),
    "bora2017/error-vs-m-fashion-mnist": Entry(
        "bora2017.error_vs_m", "the same on images of clothes, with two priors"
    ),
    "bora2017/error-vs-m-faces": Entry(
        "bora2017.error_vs_m", "the same on photographs of faces, 64 x 64 in colour"
    ),
    "bora2017/image-grid-mnist": Entry(
        "bora2017.image_grid", "100 measurements show CSGM the digit, and no Lasso"
    ),
    "bora2017/image-grid-fashion-mnist": Entry(
        "bora2017.image_grid", "the same for clothes, with two priors"
    ),
    "bora2017/image-grid-faces": Entry(
        "bora2017.image_grid", "500 measurements show CSGM the face, and no Lasso"
    ),
    "bora2017/range-images": Entry(
        "bora2017.range_images",
        "on images of the generator the error falls on; on test images it levels off",
    ),
    "bora2017/range-images-faces": Entry(
        "bora2017.range_images", "the same for faces, 64 x 64 in colour"
    ),
    "bora2017/noise-tolerance": Entry(
        "bora2017.noise_tolerance", "CSGM stays below Lasso at ten times the usual noise"
    ),
    "bora2017/representation-error": Entry(
        "bora2017.representation", "k latents draw an image better than k wavelet coefficients"
    ),
    "bora2017/super-resolution": Entry(
        "bora2017.damaged", "from a sixteenth of the pixels CSGM is nearest"
    ),
    "bora2017/super-resolution-faces": Entry(
        "bora2017.damaged", "the same for faces, 64 x 64 in colour"
    ),
    "bora2017/inpainting": Entry(
        "bora2017.damaged", "CSGM fills a centre block, the Lassos do not"
    ),
    "bora2017/inpainting-faces": Entry("bora2017.damaged", "the same for faces, 64 x 64 in colour"),
    "bora2017/effect-of-lambda": Entry(
        "bora2017.effects", "a small lambda helps where measurements are few"
    ),
    "bora2017/effect-of-restarts": Entry("bora2017.effects", "more restarts lower the error"),
    "bora2017/effect-of-steps": Entry("bora2017.effects", "more steps lower the error"),
    "bora2017/theorem-1-1": Entry(
        "bora2017.theorem", "the bound of Theorem 1.1 holds, and S-REC improves with m"
    ),
    "yeh2017/methods": Entry(
        "yeh2017.methods", "semantic inpainting beats total variation and low rank in large holes"
    ),
    "yeh2017/filled-region": Entry(
        "yeh2017.filled_region", "and what it fills them with is nearer to real images"
    ),
    "yeh2017/weighting": Entry(
        "yeh2017.ablations", "known pixels near a hole should count more than others"
    ),
    "yeh2017/prior-weight": Entry(
        "yeh2017.ablations", "the prior loss keeps G(z) looking real to the discriminator"
    ),
    "yeh2017/blending": Entry(
        "yeh2017.ablations", "blending the gradients of G(z) beats pasting its pixels"
    ),
    "yeh2017/speed": Entry(
        "yeh2017.speed", "a batch takes a twentieth of the paper's time, at a lower objective"
    ),
    "bora2017/prior-quality": Entry(
        "bora2017.prior_quality", "what the priors represent, and that CSGM finds what they can"
    ),
    "bora2017/prior-quality-64": Entry(
        "bora2017.prior_quality", "what the priors of 64 x 64 pixels represent"
    ),
    "mri/reconstruction": Entry(
        "mri.reconstruction", "of a quarter of k-space CSGM makes more than the wavelet Lasso"
    ),
    "objectives/one-dimension": Entry(
        "objectives.one_dimension",
        "a converged D is p / (p + q), worth -log 4 where p = q; the game gets there",
    ),
    "objectives/parallel-lines": Entry(
        "objectives.parallel_lines",
        "of disjoint lines W1 alone is |theta|, and brings theta to 0",
    ),
    "objectives/gaussian-fits": Entry(
        "objectives.gaussian_fits",
        "KL spreads a Gaussian over a mixture, Jensen-Shannon keeps to the heavier part",
    ),
    "objectives/f-gan-fits": Entry(
        "objectives.f_gan_fits",
        "trained by an f-divergence, a Gaussian is the one that is best by it",
    ),
    "objectives/mode-collapse": Entry(
        "objectives.mode_collapse",
        "WGAN-GP covers the modes that minimax and non-saturating drop or forget",
    ),
    "objectives/stacked-mnist": Entry("objectives.stacked_mnist", "of 1,000 classes, the same"),
    "objectives/dead-units": Entry(
        "objectives.dead_units",
        "units of ReLU die where batch norm does not keep them, those of LeakyReLU do not",
    ),
    "objectives/saturation": Entry(
        "objectives.saturation",
        "soft labels, flips and input noise keep a discriminator from being too sure",
    ),
    "objectives/robustness": Entry(
        "objectives.robustness", "WGAN-GP alone trains seven architectures; no WGAN collapses"
    ),
    "objectives/critic-loss": Entry(
        "objectives.critic_loss", "the Wasserstein estimate falls with the Fréchet distance"
    ),
    "objectives/inversion": Entry(
        "objectives.inversion", "a prior that draws better samples inverts better"
    ),
    "density/error-vs-m-mnist": Entry(
        "density.error_vs_m",
        "a generator that is a density is ahead of CSGM at every m",
    ),
    "density/error-vs-m-fashion-mnist": Entry(
        "density.error_vs_m", "the same on images of clothes"
    ),
    "density/trust": Entry(
        "density.trust", "inverted images and a wrong A are told, and hardly any of the prior's own"
    ),
    "tuning/csgm": Entry("tuning.weights", "lambda of CSGM per m and noise level"),
    "tuning/csgm-faces": Entry("tuning.weights", "the same for faces"),
    "tuning/lasso": Entry("tuning.weights", "alpha of the Lassos per m and noise level"),
    "tuning/total-variation": Entry(
        "tuning.weights", "weights of total variation and of the Lasso weighted by frequency"
    ),
    "tuning/lasso-box": Entry("tuning.weights", "alphas of the Lassos with the box"),
    "tuning/lasso-mnist": Entry("tuning.weights", "the same for digits"),
    "tuning/lasso-faces": Entry("tuning.weights", "the same for faces"),
    "tuning/residuals": Entry(
        "tuning.residuals", "what the prior of digits leaves unexplained of digits, by m"
    ),
    "tuning/residuals-others": Entry("tuning.residuals", "the same for other priors of 28 x 28"),
    "tuning/residuals-64": Entry("tuning.residuals", "the same for faces of 64 x 64 pixels"),
    "tuning/residuals-64-others": Entry("tuning.residuals", "the same for cars and brains"),
    "tuning/misfits": Entry(
        "tuning.misfits", "solutions are flagged of other images, and hardly any of the prior's own"
    ),
    "tuning/discriminator": Entry("tuning.weights", "gamma of the discriminator term"),
    "tuning/discriminator-faces": Entry("tuning.weights", "the same for faces"),
    "benchmarks/latent-engine": Entry(
        "benchmarks.latent_engine",
        "the default effort is as good as the paper's protocol in a twentieth of the time",
    ),
    "benchmarks/latent-engine-gpu": Entry("benchmarks.latent_engine", "the same on a GPU"),
    "benchmarks/ablation": Entry(
        "benchmarks.ablation", "every idea of the engine buys error or seconds"
    ),
    "benchmarks/planted": Entry(
        "benchmarks.planted", "98% of the generator's own images come back from 3 k measurements"
    ),
    "benchmarks/batch-invariance": Entry(
        "benchmarks.batch_invariance", "an image comes out the same alone and in any batch"
    ),
    "benchmarks/growth": Entry(
        "benchmarks.growth", "seconds grow no worse than linearly in the number of images"
    ),
    "benchmarks/utilisation": Entry(
        "benchmarks.utilisation", "the engine's inner steps reach 40% of a matrix product's speed"
    ),
    "benchmarks/memory": Entry(
        "benchmarks.memory", "with 10,000 measurements of 12,288 values CSGM stays under 2.5 GB"
    ),
    "benchmarks/gpu": Entry(
        "benchmarks.gpu", "reconstructions per second on a GPU, 64 x 64 in colour"
    ),
    "benchmarks/lasso": Entry(
        "benchmarks.lasso", "the batched Lasso is five times as fast as scikit-learn's"
    ),
    "benchmarks/training": Entry(
        "benchmarks.training", "a step trains twice as fast as the common loop's"
    ),
    "benchmarks/training-gpu": Entry("benchmarks.training", "the same on a GPU"),
    "benchmarks/recipes": Entry(
        "benchmarks.recipes", "what the recipes give, and how long they take"
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


def results_of(name: str) -> Path:
    """Folder of the committed results of a figure: ``experiments/PAPER/results/FIGURE``."""
    paper, _, figure = name.partition("/")
    return Path(__file__).parent / paper / "results" / figure.replace("-", "_")


def describe(name: str) -> str:
    """One line: name, claim, and the time that the committed run took."""
    path = results_of(name) / "config.json"
    facts = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    seconds, device = facts.get("seconds"), facts.get("device", "cpu")
    took = f"took {seconds / 60:.0f} min" if seconds else "not timed" if facts else "not run yet"
    return f"{name}: {FIGURES[name].claim} ({took}{'' if device == 'cpu' else f' on {device}'})"
