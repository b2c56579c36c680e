"""Magnetic resonance images from a quarter of k-space: CSGM beside zero filling and Lassos.

Claim: with the prior ``brain-mri-64`` CSGM has a higher PSNR than zero filling, which leaves at
zero what was not measured, and than the Lasso in a wavelet basis (Lustig, Donoho, Pauly 2007,
"Sparse MRI"). M. Mardani et al., "Deep generative adversarial networks for compressed sensing
automates MRI", 2017, arXiv 1706.00051, train a network for one way of sampling instead; the prior
here knows nothing of the measurements.

    python -m experiments.mri.reconstruction --data FOLDER

reads FOLDER/train and FOLDER/test, axial slices of the brain. The weights lambda and alpha are
tuned on training slices that the prior was not trained on, the same number of weights for each
method; 100 test slices are then reconstructed. It writes to ``results/reconstruction/``
``tuning.csv`` (a row per weight tried), ``rows.csv`` (a row per slice and method), ``summary.csv``,
``figure.png`` and ``slices.png``, and takes about ten minutes on one CPU core.

Limits: the slices are magnitudes, so that k-space is simulated and free of phase, of one coil and
without noise. They come without subject ids: a subject may be in the training and in the test
slices. "+ back-projection" gives an image the measurements that it should have, x + A⁺(y - A x), as
Hussein, Tirer, Giryes 2020, "Image-adaptive GAN based reconstruction", do last: without noise that
is never further from the truth. The Lassos agree with the measurements already.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from experiments.mri.drawing import draw_methods, draw_slices
from experiments.rows import Row, git_revision, write_csv
from ganprior import (
    BALANCED,
    CSGM,
    FAST,
    Effort,
    Images,
    LassoDCT,
    LassoWavelet,
    Prior,
    Streams,
    load_images,
)
from ganprior.metrics import per_pixel_error, psnr, ssim
from ganprior.physics import SingleCoilMRI, cartesian_mask
from ganprior.streams import derive_seed

RESULTS = Path(__file__).parent / "results" / "reconstruction"
OURS = "csgm"
PROJECTED = "csgm + back-projection"
# Slices are outside of the generator's range, and the polish is for what lies in it.
EFFORT = replace(BALANCED, polish_steps=0)


@dataclass(frozen=True)
class Config:
    """What is run; the presets are below."""

    prior: str = "brain-mri-64"
    acceleration: float = 4
    images: int = 100
    first: int = 5600  # training slices from this one on are for tuning
    tuning: int = 16
    latent_weights: tuple[float, ...] = (0.0, 1e-4, 1e-3, 3e-3, 1e-2, 3e-2)
    alphas: tuple[float, ...] = (1e-4, 3e-4, 1e-3, 3e-3, 1e-2, 3e-2)
    effort: Effort = EFFORT
    seed: int = 0
    tuning_seed: int = 1_000_003  # of A, starts and choice of slices


PRESETS = {
    "paper": Config(),
    "smoke": Config(
        images=2,
        tuning=2,
        latent_weights=(0.0, 1e-3),
        alphas=(1e-2, 3e-2),
        effort=replace(FAST, bank=500),
    ),
}

Solve = Callable[[Tensor, SingleCoilMRI, Streams], Tensor]


def mri(config: Config, shape: tuple[int, int, int], seed: int) -> SingleCoilMRI:
    """A of a seed, the one that ``--measure mri:acceleration=4 --seed SEED`` has."""
    rng = torch.Generator().manual_seed(derive_seed(seed, "physics"))
    return SingleCoilMRI(cartesian_mask(shape, config.acceleration, rng), shape)


def candidates(config: Config, prior: Prior) -> dict[str, dict[float, Solve]]:
    """Each method that has a weight, with every weight that is tried."""

    def csgm(weight: float) -> Solve:
        solver = CSGM(prior, weight, effort=config.effort)
        return lambda y, physics, rng: solver.solve(y, physics, rng=rng).x

    def lasso(kind: Callable[[float], LassoDCT | LassoWavelet], alpha: float) -> Solve:
        solver = kind(alpha)
        return lambda y, physics, rng: solver.solve(y, physics).x

    lassos: dict[str, Callable[[float], LassoDCT | LassoWavelet]] = {
        "lasso-wavelet": lambda alpha: LassoWavelet(alpha=alpha),
        "lasso-wavelet db4": lambda alpha: LassoWavelet("db4", alpha=alpha),
        "lasso-dct": lambda alpha: LassoDCT(alpha=alpha),
    }
    found = {name: {a: lasso(kind, a) for a in config.alphas} for name, kind in lassos.items()}
    return {**found, OURS: {weight: csgm(weight) for weight in config.latent_weights}}


def tune(config: Config, prior: Prior, images: Images) -> Iterator[Row]:
    """Yield one row for every method and weight tried."""
    rng = torch.Generator().manual_seed(derive_seed(config.tuning_seed, "images"))
    chosen = torch.randperm(len(images), generator=rng)[: config.tuning].sort().values
    x, physics = images.floats()[chosen], mri(config, images.shape, config.tuning_seed)
    y, streams = physics.A(x), Streams(config.tuning_seed, chosen.tolist())
    for method, weights in candidates(config, prior).items():
        for weight, solve in weights.items():
            error = psnr(solve(y, physics, streams), x).mean()
            yield {
                "method": method,
                "weight": weight,
                "psnr": f"{error:.4f}",
                "images": len(x),
                **provenance(config.tuning_seed, prior, images),
            }


def chosen_weights(tried: list[Row]) -> dict[str, float]:
    """Weight of the highest PSNR of each method."""
    best: dict[str, Row] = {}
    for row in tried:
        other = best.get(row["method"])
        if other is None or float(row["psnr"]) > float(other["psnr"]):
            best[row["method"]] = row
    return {method: float(row["weight"]) for method, row in best.items()}


def reconstruct(
    config: Config, prior: Prior, x: Tensor, weights: dict[str, float]
) -> dict[str, Tensor]:
    """Images of every method from the same measurements."""
    physics = mri(config, prior.image_shape, config.seed)
    y, streams = physics.A(x), Streams(config.seed)
    found = {
        "zero filling": physics.A_adjoint(y),
        "pseudo-inverse": physics.A_dagger(y),
    }
    methods = candidates(config, prior)
    for method, weight in weights.items():
        found[method] = methods[method][weight](y, physics, streams)
    ours = found[OURS]
    found[PROJECTED] = ours + physics.A_dagger(y - physics.A(ours))
    return found


def rows_of(
    config: Config,
    prior: Prior,
    images: Images,
    found: dict[str, Tensor],
    weights: dict[str, float],
) -> list[Row]:
    """One row per method and slice."""
    x = images.floats()
    return [
        {
            "method": method,
            "signal": signal,
            "per_pixel_error": f"{error:.7g}",
            "psnr": f"{decibel:.4f}",
            "ssim": f"{similarity:.4f}",
            "weight": weights.get(method.partition(" + ")[0], ""),
            **provenance(config.seed, prior, images),
        }
        for method, x_hat in found.items()
        for signal, (error, decibel, similarity) in enumerate(
            zip(
                per_pixel_error(x_hat, x).tolist(),
                psnr(x_hat, x).tolist(),
                ssim(x_hat, x).tolist(),
                strict=True,
            )
        )
    ]


def provenance(seed: int, prior: Prior, images: Images) -> Row:
    """Columns that say where a row comes from."""
    return {
        "seed": seed,
        "data_sha256": images.sha256[:12],
        "prior_sha256": prior.card["weights_sha256"][:12],
        "revision": git_revision(),
    }


def summarise(rows: list[Row]) -> list[Row]:
    """One line per method: means, and on how many slices it is behind ours."""
    psnrs = {
        method: torch.tensor([float(row["psnr"]) for row in rows if row["method"] == method])
        for method in dict.fromkeys(row["method"] for row in rows)
    }
    table = []
    for method, values in psnrs.items():
        own = [row for row in rows if row["method"] == method]
        half = 1.96 * values.std() / len(values) ** 0.5
        behind = int((values < psnrs[OURS]).sum())
        table.append(
            {
                "method": method,
                "PSNR (dB)": f"{values.mean():.2f}",
                "±": f"{half:.2f}",
                "SSIM": f"{sum(float(row['ssim']) for row in own) / len(own):.3f}",
                "weight": own[0]["weight"],
                "csgm is better on": "" if method == OURS else f"{behind} of {len(values)}",
            }
        )
    return table


def main() -> None:
    """Run a preset; the paper preset writes results."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="holds train and test")
    parser.add_argument("--preset", choices=sorted(PRESETS), default="paper")
    arguments = parser.parse_args()
    config = PRESETS[arguments.preset]
    prior = Prior.load(config.prior)
    channels, size, _ = prior.image_shape
    training = load_images(arguments.data / "train", size=size, channels=channels)
    tried = []
    for row in tune(config, prior, training.select(config.first)):
        tried.append(row)
        print(*list(row.values())[:3], flush=True)
    weights = chosen_weights(tried)
    test = load_images(arguments.data / "test", size=size, channels=channels, limit=config.images)
    found = reconstruct(config, prior, test.floats(), weights)
    rows = rows_of(config, prior, test, found, weights)
    for line in summarise(rows):
        print(line)
    if arguments.preset == "smoke":
        return
    write_csv(RESULTS / "tuning.csv", tried)
    write_csv(RESULTS / "rows.csv", rows)
    write_csv(RESULTS / "summary.csv", summarise(rows))
    draw_methods(rows, RESULTS / "figure")
    draw_slices(test.floats(), found, RESULTS / "slices.png")


if __name__ == "__main__":
    main()
