"""What a prior cannot draw, beside what principal components with as many numbers cannot.

The error of the nearest image that CSGM finds to each held-out one (A = I, lambda = 0) bounds what
any method does that takes the range of the generator for the truth. The projection to the first k
principal components of 54,000 training images, those of the mixture that ships, is the best linear
code of k numbers. Claim: every prior is nearer to its held-out images than as many components.

    ganprior figure density/representation --preset paper
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from experiments.bora2017.prior_quality import representation
from experiments.images import hashes_of, held_out, held_out_block, load_mixture, load_prior
from experiments.intervals import grouped, mean_cell, measured
from experiments.rows import Row
from experiments.sweep.figure import Tables, declare
from ganprior import GaussianMixtureLaw
from ganprior.jobs import Cell, grid
from ganprior.metrics import per_pixel_error

COMPONENTS = "components of "
COLUMN = "per_pixel_error"


@dataclass(frozen=True)
class Config:
    """What is measured; the presets are below."""

    priors: tuple[str, ...]
    images: int = 100
    block: int = 50


def cells(config: Config) -> list[Cell]:
    """Every prior, and the components beside it."""
    methods = [name for prior in config.priors for name in (prior, COMPONENTS + prior)]
    return grid(methods, images=config.images, block=config.block)


def rows(config: Config, cell: Cell) -> list[Row]:
    """A row per image."""
    name = cell.method.removeprefix(COMPONENTS)
    prior = load_prior(name)
    names, x = held_out_block(prior.card["data"], cell)
    if cell.method.startswith(COMPONENTS):
        x_hat = projected(x, prior.latent.size, load_mixture(name))
        errors = per_pixel_error(x_hat, x)
    else:
        errors = representation(prior, x, cell)
    hashes = hashes_of(held_out(prior.card["data"]), prior)
    return [
        {
            "data": prior.card["data"],
            "numbers": prior.latent.size,
            "image": name,
            COLUMN: f"{error:.7g}",
            **hashes,
        }
        for name, error in zip(names, errors.tolist(), strict=True)
    ]


def projected(x: Tensor, count: int, law: GaussianMixtureLaw) -> Tensor:
    """Images (B, C, H, W) projected to the first principal components of a law's data."""
    basis, centre = law.basis[:count].to(x.device), law.centre.to(x.device)
    # Weights are stored in half precision, so that the rows are orthonormal to 5e-4 only.
    basis = torch.linalg.qr(basis.T).Q.T
    coordinates = (x.flatten(1).double() - centre) @ basis.T
    return (centre + coordinates @ basis).reshape(x.shape).to(x)


def claims(found: list[Row]) -> dict[str, bool]:
    """Every prior is ahead of as many components."""
    ratios = _ratios(found).values()
    return {"every prior is nearer than as many components": all(ratio < 1 for ratio in ratios)}


def _ratios(found: list[Row]) -> dict[str, float]:
    mean = {
        name: float(measured(own, COLUMN).mean())
        for (name,), own in grouped(found, ["method"]).items()
    }
    return {
        name: own / mean[COMPONENTS + name] for name, own in mean.items() if COMPONENTS not in name
    }


def tables(found: list[Row]) -> Tables:
    """Mean errors with 95% intervals, a line per prior."""
    groups, ratios = grouped(found, ["method"]), _ratios(found)
    return {
        "summary": [
            {
                "images of": own[0]["data"],
                "prior": name,
                "numbers": own[0]["numbers"],
                "prior cannot draw": mean_cell(measured(own, COLUMN), ".5f"),
                "components cannot": mean_cell(
                    measured(groups[(COMPONENTS + name,)], COLUMN), ".5f"
                ),
                "ratio": f"{ratios[name]:.2f}",
            }
            for (name,), own in groups.items()
            if COMPONENTS not in name
        ]
    }


def headline(found: list[Row]) -> str:
    """Error over that of as many components."""
    return "; ".join(f"{name} {ratio:.2f} times" for name, ratio in _ratios(found).items())


declare(
    __name__,
    "density/representation",
    "a generator draws held-out images better than as many principal components",
    paper=Config(
        (
            "mnist-k20-vae",
            "mnist-k20-vae-gan",
            "mnist-k64-vae-gan",
            "mnist-k64-vae",
            "fashion-mnist-dcgan",
            "fashion-mnist-wgan-gp",
            "fashion-mnist-k128-vae",
        )
    ),
    smoke=Config(("mnist-k64-vae",), images=6),
    published="none: GlowIP's invertible prior (Asim et al. 2020) has no such error",
    differs="the 100 committed test images of each set",
)
