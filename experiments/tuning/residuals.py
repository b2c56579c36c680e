"""What priors leave unexplained of their own data, by which misfits are told.

Of images that a prior was not trained on, CSGM on Gaussian measurements and semantic inpainting of
holes, at their default weights and without noise, leave shares of y
(:mod:`ganprior.priors.residual_law`). The limit of a place is ``MARGIN`` times their 99% quantile.
After a run of the figures

    python -m experiments.tuning.residuals

writes means and limits from the committed rows to the cards of the priors. Holes may have any
shape: semantic inpainting has the row of the one with the highest limit, half of an image. The
known pixels far from a hole weigh nothing there, so that the test of it is a weak one.

    GANPRIOR_DATA=FOLDER ganprior figure tuning/residuals --preset paper

(and ``tuning/residuals-others``, ``-vae``, ``-conditional``, ``-64`` and ``-64-others``, of CSGM
alone). A figure for each group of priors, so that a prior which comes later leaves the rows of the
others as they are; every row says of which revision it is.

Of a conditional prior every image is solved with the prior of its own label; the law is of all of
them together.

Claim: the more measurements there are per latent entry, the more of them is left.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor

from experiments.images import (
    BRAIN,
    CARS,
    FACES,
    SAMPLE,
    UTKFACE,
    for_tuning,
    hashes_of,
    load_prior,
)
from experiments.intervals import grouped
from experiments.rows import Row
from experiments.sweep.figure import Tables, declare
from experiments.yeh2017.setting import HOLES, draw_masks, physics_of
from ganprior import CSGM, Gaussian, Images, Prior, SemanticInpainting
from ganprior.jobs import Cell
from ganprior.physics import facts
from ganprior.priors import ResidualLaw, find_prior, read_card, write_card
from ganprior.solvers import residual_squares
from ganprior.streams import derive_seed

SEED = 1_000_004  # of A, holes and choice of images; reported runs have small seeds
MARGIN = 1.75  # a quantile of so few images is a rough one
LARGEST = "99% quantile"
QUANTILES = {"median": 0.5, "90% quantile": 0.9, LARGEST: 0.99}
COLUMNS = ("measurements_per_latent_entry", "mean", LARGEST)
LEFT_OUT = ("seed", "seconds", "device", "processor", "threads", "revision", "versions")
SOLVERS = {solver.kind: solver for solver in (CSGM, SemanticInpainting)}
DIGITS = {"mnist-k20-vae": "MNIST"}
OTHERS = {
    "fashion-mnist-dcgan": "Fashion-MNIST",
    "mnist-k20-vae-gan": "MNIST",
    "mnist-k64-vae-gan": "MNIST",
    "fashion-mnist-wgan-gp": "Fashion-MNIST",
}
AUTOENCODERS = {"mnist-k64-vae": "MNIST", "fashion-mnist-k128-vae": "Fashion-MNIST"}
CONDITIONAL = {"cdcgan-mnist": "MNIST"}
LARGE = {FACES: UTKFACE}
LARGE_OTHERS = {"brain-mri-64": BRAIN, "cars-64": CARS}


@dataclass(frozen=True)
class Config:
    """What is measured; the presets are below.

    Attributes
    ----------
    pairs : tuple of str
        Data set and prior, ``MNIST: mnist-k20-vae``.
    places : tuple of float
        Gaussian measurements per latent entry, as far as there are pixels.
    """

    pairs: tuple[str, ...]
    places: tuple[float, ...] = (0.5, 1, 2, 5, 15)
    holes: tuple[str, ...] = tuple(HOLES)
    images: int = 200
    effort: str = "fast"


def cells(config: Config) -> list[Cell]:
    """Every prior and way to measure; holes where semantic inpainting has a discriminator."""
    found = []
    for panel in config.pairs:
        prior = _prior(panel)
        k, n = prior.latent.size, math.prod(prior.image_shape)
        numbers = sorted({min(n, round(place * k)) for place in config.places})
        found += [Cell(CSGM.kind, "measured", m, panel, SEED) for m in numbers]
        if prior.discriminator is not None:
            kind = SemanticInpainting.kind
            found += [Cell(kind, "measured", hole, panel, SEED) for hole in config.holes]
    return found


def _prior(panel: str) -> Prior:
    return load_prior(panel.partition(": ")[2])


def rows(config: Config, cell: Cell) -> list[Row]:
    """Mean and quantiles of the shares."""
    prior, data = _prior(cell.panel), cell.panel.partition(": ")[0]
    first, shape = int(tomllib.loads(prior.card["recipe"])["images"]), prior.image_shape
    size = shape[1] if data == BRAIN else None
    images, streams = for_tuning(data, first, config.images, SEED, size)
    x, physics = images.floats(), measured_by(cell, shape)
    y = physics.A(x)
    raw = torch.empty_like(x)
    for own, signals in of_one_law(prior, images):
        solver = SOLVERS[cell.method](own, effort=config.effort)
        solution = solver.solve(y[signals], physics, rng=streams.select(signals.tolist()))
        raw[signals] = getattr(solution, "raw", solution.x)
    known = facts(physics, shape, count=len(y), like=y)
    left, whole = residual_squares(raw, y, physics, known)
    shares = left / whole
    found = {name: shares.quantile(q).item() for name, q in QUANTILES.items()}
    found = {"mean": shares.mean().item(), **found}
    return [
        {
            "measurements_per_latent_entry": f"{float(known.m[0]) / prior.latent.size:.4g}",
            "images": len(x),
            **{name: f"{share:.4g}" for name, share in found.items()},
            **hashes_of(images, prior),
        }
    ]


def of_one_law(prior: Prior, images: Images) -> list[tuple[Prior, Tensor]]:
    """Priors and indices of the images that are theirs: of a conditional prior one per label."""
    if images.labels is None or not prior.classes:
        return [(prior, torch.arange(len(images)))]
    return [
        (prior.given(label), (images.labels == label).nonzero()[:, 0])
        for label in images.labels.unique().tolist()
    ]


def measured_by(cell: Cell, shape: tuple[int, int, int]) -> Any:
    """Gaussian A of a number of rows, or a hole by name, the same for all images."""
    if cell.method == CSGM.kind:
        m = int(cell.number)
        return Gaussian(m, shape, derive_seed(SEED, "physics", m))
    return physics_of(draw_masks(str(cell.value), shape, 1, SEED), shape)


def tables(found: list[Row]) -> Tables:
    """Every row."""
    kept = [name for name in found[0] if name not in LEFT_OUT and "sha256" not in name]
    return {"summary": [{name: row[name] for name in kept} for row in found]}


def claims(found: list[Row]) -> dict[str, bool]:
    """A search fits the less away, the fewer freedoms it has."""
    held = {}
    for (panel, kind), own in grouped(found, ["panel", "method"]).items():
        if kind == CSGM.kind:
            means = [float(row["mean"]) for row in own]
            held[f"{panel}: more measurements, more of them left"] = means == sorted(means)
    return held


def headline(found: list[Row]) -> str:
    """Range of the largest shares of each prior."""
    parts = []
    for (panel,), own in grouped(found, ["panel"]).items():
        shares = [float(row[LARGEST]) for row in own]
        parts.append(f"{panel.partition(': ')[2]} {min(shares):.2g} to {max(shares):.2g}")
    return f"99% quantiles: {', '.join(parts)}"


def laws_of(found: Sequence[Row]) -> dict[str, ResidualLaw]:
    """Laws of one prior by kind of objective."""
    laws = {}
    for (kind,), own in grouped(found, ["method"]).items():
        if kind == SemanticInpainting.kind:
            own = [max(own, key=lambda row: float(row[LARGEST]))]
        places, means, largest = ([float(row[name]) for row in own] for name in COLUMNS)
        limits = tuple(float(f"{MARGIN * share:.4g}") for share in largest)
        laws[kind] = ResidualLaw(tuple(places), tuple(means), limits)
    return laws


def main() -> None:
    """Write the laws of the committed rows to the cards."""
    for figure in FIGURES:
        for (panel,), own in grouped(figure.committed(), ["panel"]).items():
            path = find_prior(panel.partition(": ")[2])
            stated = {kind: law.describe() for kind, law in laws_of(own).items()}
            images = f"{own[0]['images']} training images that the prior was not trained on"
            write_card(path, {**read_card(path), ResidualLaw.KEY: {**stated, "images": images}})


def _named(priors: dict[str, str]) -> tuple[str, ...]:
    return tuple(f"{data}: {name}" for name, data in priors.items())


SMOKE = Config((f"MNIST{SAMPLE}: mnist",), (1, 5), (), images=20)
_declare = partial(declare, __name__, smoke=SMOKE, column=LARGEST)
FIGURES = (
    _declare(
        "tuning/residuals",
        "what the prior of digits leaves unexplained of digits, by m",
        paper=Config(_named(DIGITS)),
    ),
    _declare(
        "tuning/residuals-others",
        "the same for other priors of 28 x 28",
        paper=Config(_named(OTHERS), holes=()),
    ),
    _declare(
        "tuning/residuals-vae",
        "the same for the variational autoencoders of 28 x 28",
        paper=Config(_named(AUTOENCODERS), holes=()),
    ),
    _declare(
        "tuning/residuals-conditional",
        "the same for the conditional prior of digits",
        paper=Config(_named(CONDITIONAL), (0.5, 2, 15), (), images=100),
    ),
    _declare(
        "tuning/residuals-64",
        "the same for faces of 64 x 64 pixels",
        paper=Config(_named(LARGE), (1, 5, 20), (), images=48),
    ),
    _declare(
        "tuning/residuals-64-others",
        "the same for cars and brains",
        paper=Config(_named(LARGE_OTHERS), (1, 5, 20), (), images=48),
    ),
)

if __name__ == "__main__":
    main()
