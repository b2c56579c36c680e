"""What the shipped priors can represent, and whether CSGM finds what they can.

Figures per prior:

- representation error (projection in the paper: A = I, lambda = 0): the mean of
  min_z ||G(z) - x||^2 / n over held-out test images, the floor of every reconstruction error; the
  paper's DCGAN of CelebA has 22.1 dB in a published reproduction;
- of priors of 28 x 28 pixels, planted signals: the share of x = G(z*) that CSGM recovers from
  m = 200 Gaussian measurements to a per-pixel error under 1e-4, with default settings;
- reconstruction error at the paper's noise, standard deviation 0.1 where A has N(0, 1) entries,
  from m = 25, 100 and 750, with default settings.

Claim: nearly every planted signal comes back, and the more measurements there are, the nearer is
the error to that of representation.

    ganprior figure bora2017/prior-quality --preset paper
    GANPRIOR_DATA=FOLDER ganprior figure bora2017/prior-quality-64 --preset paper

The second reads the first 64 test images of ``utkface_64``, ``cars_64`` and ``brain_mri``, which
are not committed: photographs of people or of cars, for research only. It keeps their errors.

    python -m experiments.bora2017.prior_quality

writes what the committed rows say into the card of each prior.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from experiments.figures import load_figure
from experiments.images import (
    BRAIN,
    CARS,
    COMMITTED,
    FACES,
    UTKFACE,
    hashes_of,
    held_out,
    load_prior,
    pictures,
)
from experiments.intervals import Array, grouped, mean_cell, measured
from experiments.rows import Row
from experiments.sweep.figure import Tables, declare
from ganprior import CSGM, Images, Prior, Streams
from ganprior.jobs import Cell, grid
from ganprior.metrics import per_pixel_error
from ganprior.physics import Gaussian, add_noise, identity
from ganprior.priors import find_prior, read_card, write_card
from ganprior.streams import derive_seed

REPRESENTATION, PLANTED, NOISY = "representation", "planted", "m = "
RECOVERED = 1e-4
LARGE = {FACES: UTKFACE, "brain-mri-64": BRAIN, "cars-64": CARS}
HOW = "CSGM, A = I, lambda = 0, default effort: mean of ||G(z) - x||^2 / n"
QUALITY = ("bora2017/prior-quality", "bora2017/prior-quality-64")


@dataclass(frozen=True)
class Config:
    """What is measured; the presets are below."""

    priors: tuple[str, ...] = (
        "fashion-mnist-dcgan",
        "fashion-mnist-wgan-gp",
        "mnist-k20-vae",
        "mnist-k20-vae-gan",
        "mnist-k64-vae-gan",
    )
    experiments: tuple[str, ...] = (REPRESENTATION, PLANTED, "m = 25", "m = 100", "m = 750")
    images: int = 100
    block: int = 100  # images in memory at once, with their restarts
    measurements: int = 200  # of planted signals
    noise_level: float = 0.1  # sqrt(m) noise_std


def cells(config: Config) -> list[Cell]:
    """Every prior, experiment and block of images."""
    whole = partial(grid, panels=config.experiments, images=config.images, block=config.block)
    return [cell for prior in config.priors for cell in whole([prior])]


def images_of(prior: Prior, name: str, count: int) -> Images:
    """Test images of the kind that a prior draws: photographs where it was trained on some."""
    if name not in LARGE:
        return held_out(prior.card["data"]).head(count)
    channels, size, _ = prior.image_shape
    return pictures(LARGE[name], "test", size if channels == 1 else None).head(count)


def rows(config: Config, cell: Cell) -> list[Row]:
    """One row per signal."""
    prior = load_prior(cell.method).eval()
    images = images_of(prior, cell.method, config.images)
    x = images.floats()[cell.first : cell.last]
    if cell.panel == REPRESENTATION:
        errors = representation(prior, x, cell)
    elif cell.panel == PLANTED:
        errors = planted(prior, config.measurements, len(x), cell)
    else:
        errors = noisy(prior, x, int(cell.panel.removeprefix(NOISY)), config.noise_level, cell)
    hashes = hashes_of(images, prior)
    return [
        {"image": cell.first + i, "per_pixel_error": f"{error:.7g}", **hashes}
        for i, error in enumerate(errors.tolist())
    ]


def representation(prior: Prior, x: Tensor, cell: Cell) -> Tensor:
    """Per-pixel error of the nearest image that CSGM finds to each of x, (B,)."""
    streams = Streams(cell.seed, range(cell.first, cell.last))
    return per_pixel_error(CSGM(prior, 0.0).solve(x, identity(), rng=streams).x, x)


def planted(prior: Prior, m: int, count: int, cell: Cell) -> Tensor:
    """Per-pixel error of CSGM on the generator's own images, (B,)."""
    rng = torch.Generator().manual_seed(derive_seed(cell.seed, "planted"))
    x = prior.sample(count, rng)
    rng = torch.Generator().manual_seed(derive_seed(cell.seed, "physics", m))
    physics = Gaussian(m, prior.image_shape, rng)
    solution = CSGM(prior).solve(physics.A(x), physics, rng=Streams(cell.seed))
    return per_pixel_error(solution.x, x)


def noisy(prior: Prior, x: Tensor, m: int, noise_level: float, cell: Cell) -> Tensor:
    """Per-pixel error of CSGM from m noisy measurements, (B,)."""
    rng = torch.Generator().manual_seed(derive_seed(cell.seed, "physics", m))
    physics, streams = Gaussian(m, prior.image_shape, rng), Streams(cell.seed)
    noise_std = noise_level / math.sqrt(m)
    y = add_noise(physics.A(x), noise_std, streams)
    solution = CSGM(prior, noise_std=noise_std).solve(y, physics, rng=streams)
    return per_pixel_error(solution.x, x)


def inputs(config: Config) -> dict[str, str]:
    """Hashes of priors and images."""
    found: dict[str, str] = {}
    for name in config.priors:
        prior = load_prior(name)
        own = hashes_of(images_of(prior, name, config.images), prior)
        found |= {f"{key} of {name}": sha for key, sha in own.items()}
    return found


def errors_of(found: list[Row]) -> dict[str, dict[str, Array]]:
    """Errors by prior and experiment, (images, 1)."""
    return {
        prior: {
            experiment: measured(rows, "per_pixel_error")
            for (experiment,), rows in grouped(own, ["panel"]).items()
        }
        for (prior,), own in grouped(found, ["method"]).items()
    }


def tables(found: list[Row]) -> Tables:
    """One line per prior."""
    table = []
    for prior, errors in errors_of(found).items():
        projected, own = errors[REPRESENTATION], errors.get(PLANTED)
        form = ".5f" if own is None else ".4f"
        line: Row = {"prior": prior, "representation error": mean_cell(projected, form)}
        if own is None:
            line["PSNR of the mean error (dB)"] = f"{psnr(projected.mean()):.2f}"
        for name, values in errors.items():
            if name.startswith(NOISY):
                line[name] = mean_cell(values, ".4f")
        line["images"] = len(projected)
        if own is not None:
            line["planted signals recovered"] = f"{(own < RECOVERED).sum()} of {len(own)}"
        table.append(line)
    return {"summary": table}


def psnr(error: Any) -> Any:
    """-10 log10 of the per-pixel error of images in [0, 1], in dB."""
    return -10 * np.log10(error)


def claims(found: list[Row]) -> dict[str, bool]:
    """What the module says of priors that were asked for all; that the others see their images."""
    held = {}
    for prior, errors in errors_of(found).items():
        floor = errors[REPRESENTATION].mean()
        held[f"{prior}: images are within 0.03 of the range"] = floor < 0.03
        if PLANTED in errors:
            share = (errors[PLANTED] < RECOVERED).mean()
            held[f"{prior}: at least 95% of planted signals come back"] = share >= 0.95
        noisy = [values.mean() for name, values in errors.items() if name.startswith(NOISY)]
        if noisy:
            held[f"{prior}: more measurements, less error, down to the range's"] = (
                sorted(noisy, reverse=True) == noisy and noisy[-1] > 0.9 * floor
            )
    return held


def quality(line: Row, card: Row) -> Row:
    """Figures of a summary's line as the card of a prior has them."""
    own = {"representation_error": float(line["representation error"].split()[0]), "how": HOW}
    if "PSNR of the mean error (dB)" in line:
        return own | {
            "representation_psnr_of_mean_error": float(line["PSNR of the mean error (dB)"]),
            "images": f"{line['images']} test images, the first ones",
        }
    noisy = {k: float(v.split()[0]) for k, v in line.items() if k.startswith(NOISY)}
    return own | {
        "images": f"{line['images']} test images ({COMMITTED[card['data']]})",
        "error_at_noise_0.1": noisy,
    }


def main() -> None:
    """Write the cards."""
    for name in QUALITY:
        for line in tables(load_figure(name).committed())["summary"]:
            path = find_prior(line["prior"])
            card = read_card(path)
            write_card(path, {**card, "quality": {**card["quality"], **quality(line, card)}})


declare(
    __name__,
    QUALITY[0],
    "what the priors represent, and that CSGM finds what they can",
    paper=Config(),
    smoke=Config(("mnist-k20-vae",), (REPRESENTATION, PLANTED, "m = 100"), images=4),
    published="on MNIST .0276, .0083 and .0070 (VAE, a reproduction)",
    differs="trained on two CPU cores",
)
declare(
    __name__,
    QUALITY[1],
    "what the priors of 64 x 64 pixels represent",
    paper=Config(tuple(LARGE), (REPRESENTATION,), images=64, block=16),
    smoke=Config(("mnist-k20-vae",), (REPRESENTATION,), images=4, block=2),
    published="22.1 dB (the paper's DCGAN of CelebA, a reproduction)",
    differs="UTKFace, standing in for CelebA, cars, and slices of the brain",
)
if __name__ == "__main__":
    main()
