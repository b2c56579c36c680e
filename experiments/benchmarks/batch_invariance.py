"""The same images solved alone and in batches: they come out the same.

Claim (CPU, one number of threads): whatever the batch, the objectives of at least 99% of the images
are within 1% of each other, and images whose objectives are within 1% are equal. Rounding that
depends on the shape of a batch, and that hundreds of steps amplify, would break both; see
``ganprior/solvers/engine/blocks.py`` and ``sizes.py`` for what keeps it from doing so.

Each batch is compared with batches of 64: 100 held-out images each of digits and of clothes, by the
prior of their kind, measured by a mask with a hole of a quarter of the image and by Gaussian A, at
the default lambda and effort. ``benchmarks/batch-invariance-fast`` is the same at the effort
``fast``, of which the first 25 images of each prior and kind of measurements are solved alone and
in pairs too: 200 images over all.

    ganprior figure benchmarks/batch-invariance --preset paper
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import torch
from torch import Tensor

from experiments.bora2017.setting import gaussian
from experiments.images import held_out, load_prior
from experiments.intervals import grouped
from experiments.rows import Row
from experiments.sweep.clock import clocked
from experiments.sweep.figure import Tables, declare
from ganprior import CSGM, Prior, Streams
from ganprior.jobs import Cell
from ganprior.physics import inpainting, masks

MASK, HOLE = "mask:center=0.25", 0.25
DATA = {"mnist": "MNIST", "fashion-mnist-dcgan": "Fashion-MNIST"}
CLOSE = 0.01  # relative difference of objectives
EQUAL = 1e-3  # difference of pixels
ENOUGH = 0.99
SMALL = 8
SHARE, SAME, APART = "objectives within 1%", "objectives equal", "largest difference"
APART_CLOSE = "largest difference of those within 1%"


@dataclass(frozen=True)
class Config:
    """What is measured; the presets are below.

    Attributes
    ----------
    images : int
        Of each prior.
    few : int
        Those of them that are solved alone and in batches below ``SMALL``, which take the longest.
    """

    priors: tuple[str, ...] = ("fashion-mnist-dcgan", "mnist")
    images: int = 100
    few: int = 100
    measured_by: tuple[str, ...] = (MASK, "25", "100", "300")
    batches: tuple[int, ...] = (1, 2, 8)
    compared_with: int = 64
    effort: str = "balanced"


def cells(config: Config) -> list[Cell]:
    """Every prior and kind of measurements."""
    return [
        Cell("csgm", "measured by", kind, prior, last=config.images)
        for prior in config.priors
        for kind in config.measured_by
    ]


def rows(config: Config, cell: Cell) -> list[Row]:
    """A row per size of the batch."""
    prior = load_prior(cell.panel)
    x = held_out(DATA[cell.panel]).floats()[cell.first : cell.last]
    kind = str(cell.value)
    physics = gaussian(int(kind), prior.image_shape, cell.seed) if kind != MASK else _mask(prior)
    # Of all at once: another number of rows is measured with other rounding.
    y = physics.A(x)
    reference = solved(prior, y, physics, config, config.compared_with)
    found = []
    for batch in config.batches:
        part = y[: config.few] if batch < SMALL else y
        seconds, own = clocked(lambda n=batch, y=part: solved(prior, y, physics, config, n))  # type: ignore[misc]
        place = {"batch": batch, "compared with": config.compared_with, "images": len(part)}
        per_image = {"seconds_per_image": round(seconds / len(part), 4)}
        sha = {"prior_sha256": prior.card["weights_sha256"][:12]}
        same = tuple(values[: len(part)] for values in reference)
        found.append({**place, **compared(own, same), **per_image, **sha})
    return found


def _mask(prior: Prior) -> Any:
    return inpainting(masks.center(prior.image_shape, HOLE), prior.image_shape)


def solved(
    prior: Prior, y: Tensor, physics: Any, config: Config, batch: int
) -> tuple[Tensor, Tensor]:
    """Images (N, C, H, W) and objectives (N,), so many solved at a time."""
    solver, streams = CSGM(prior, effort=config.effort), Streams(0)
    parts = [
        solver.solve(y[signals], physics, rng=streams.select(signals.tolist()))
        for signals in torch.arange(len(y)).split(batch)
    ]
    return torch.cat([part.x for part in parts]), torch.cat([part.objective for part in parts])


def compared(own: tuple[Tensor, ...], reference: tuple[Tensor, ...]) -> dict[str, float]:
    """How far two solutions of the same images are apart: images (N, ...), objectives (N,)."""
    (images, objectives), (images_0, objectives_0) = own, reference
    close = (objectives - objectives_0).abs() <= CLOSE * objectives_0.abs()
    apart = (images - images_0).abs().flatten(1).amax(1)
    return {
        SHARE: round(close.double().mean().item(), 4),
        SAME: round((objectives == objectives_0).double().mean().item(), 4),
        APART: apart.max().item(),
        APART_CLOSE: torch.where(close, apart, 0).max().item(),
    }


def tables(found: list[Row]) -> Tables:
    """Per prior, measurements and batch."""
    table = []
    for (prior, kind, batch), own in grouped(found, ["panel", "measured by", "batch"]).items():
        shares = {name: f"{min(float(r[name]) for r in own):.1%}" for name in (SHARE, SAME)}
        largest = {APART: f"{max(float(row[APART]) for row in own):.2g}"}
        place = {"prior": prior, "measured by": kind, "batch": batch}
        table.append({**place, "images": own[0]["images"], **shares, **largest})
    return {"summary": table}


def headline(found: list[Row]) -> str:
    """Of all images and batches together."""
    images = sum(int(row["images"]) for row in found)
    shares = [
        f"{name} {sum(int(row['images']) * float(row[name]) for row in found) / images:.2%}"
        for name in (SHARE, SAME)
    ]
    apart = max(float(row[APART]) for row in found)
    batches = ", ".join(dict.fromkeys(str(row["batch"]) for row in found))
    against = f"batches of {batches} against {found[0]['compared with']}, {images} solutions"
    return f"{against}: {', '.join(shares)}; largest difference of a pixel {apart:.2g}"


def claims(found: list[Row]) -> dict[str, bool]:
    """Of all images and batches together, and of each image."""
    images = sum(int(row["images"]) for row in found)
    close = sum(int(row["images"]) * float(row[SHARE]) for row in found)
    return {
        f"objectives of at least {ENOUGH:.0%} are within {CLOSE:.0%}": close >= ENOUGH * images,
        f"where they are, no pixel differs by more than {EQUAL:g}": all(
            float(row[APART_CLOSE]) <= EQUAL for row in found
        ),
    }


SHORT = Config(images=32, few=8, compared_with=32)
SMOKE = Config(("mnist",), images=3, measured_by=(MASK,), batches=(1, 2), compared_with=3)
_declare = partial(declare, __name__, column=SHARE, across="batch")
_declare(
    "benchmarks/batch-invariance",
    "an image comes out the same alone and in any batch",
    paper=Config(),
    short=SHORT,
    smoke=SMOKE,
    reduced="32 images of each prior, all in one batch; 8 of them alone and in pairs",
)
_declare(
    "benchmarks/batch-invariance-fast",
    "the same at the effort fast",
    paper=Config(few=25, effort="fast"),
    smoke=replace(SMOKE, effort="fast"),
)
