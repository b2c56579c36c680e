"""What the figures of Yeh et al. (2017) share: images, holes, methods and scores.

R. A. Yeh, C. Chen, T. Y. Lim, A. G. Schwing, M. Hasegawa-Johnson, M. N. Do, "Semantic image
inpainting with deep generative models", 2017, arXiv 1607.07539, section 4. All methods see the
same held-out images with the same holes.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor

from experiments.images import for_training, hashes_of, held_out, load_prior
from experiments.intervals import tabulate
from experiments.rows import Row
from experiments.strips import GIVEN, ORIGINAL, with_pixels
from experiments.sweep.figure import Tables
from ganprior import Images, Prior, Reconstructor, Streams, inpainting, poisson_blend
from ganprior.baselines import Biharmonic, ContextEncoder, LowRank, NearestPatch, TotalVariation
from ganprior.jobs import Cell
from ganprior.metrics import psnr, ssim
from ganprior.physics import masks
from ganprior.solvers import EFFORTS, InpaintingSolution, SemanticInpainting
from ganprior.streams import derive_seed

# Not the default prior of MNIST: the discriminator of this one, which the prior loss asks, trained
# for 2,000 steps and not for 400.
PRIORS = {"Fashion-MNIST": "fashion-mnist-dcgan", "MNIST": "mnist-k20-vae-gan"}
OURS, RAW = "ours", "ours, raw"
FORMS = {"psnr": ".2f", "ssim": ".3f", "discriminator": ".2f"}

Shape = tuple[int, int, int]
# Fraction missing; those that are random are drawn anew for each image.
HOLES: dict[str, Callable[[Shape, torch.Generator], Tensor]] = {
    "center": lambda size, rng: masks.center(size, 0.25),
    "pattern": lambda size, rng: masks.pattern(size, 0.25, rng),
    "random 80%": lambda size, rng: masks.random(size, 0.8, rng),
    "left half": lambda size, rng: masks.half(size, "left"),
}


class Task(NamedTuple):
    """Images with holes: the images, masks (B, 1, H, W), what measures, what is measured."""

    images: Images
    x: Tensor
    mask: Tensor
    physics: Any
    y: Tensor
    prior: Prior


def draw_masks(holes: str, shape: Shape, count: int, seed: int) -> Tensor:
    """Masks of images, (count, 1, H, W); an image keeps its own in any batch."""
    return masks.per_image(count, lambda rng: HOLES[holes](shape, rng), Streams(seed))


def physics_of(mask: Tensor, shape: Shape) -> Any:
    """Physics of masks (count, 1, H, W); one mask where all are the same, as is faster to solve."""
    alike = bool((mask == mask[:1]).all())
    return inpainting(mask[0] if alike else mask, shape)


@functools.lru_cache(maxsize=2)
def task(data: str, holes: str, count: int, seed: int) -> Task:
    """The first test images of a data set with holes; samples of the prior for its name."""
    prior = load_prior(PRIORS.get(data, data))
    if data in PRIORS:
        images = held_out(data).head(count)
    else:
        rng = torch.Generator().manual_seed(derive_seed(seed, "samples"))
        images = Images(prior.sample(count, rng), tuple(map(str, range(count))), "samples")
    return with_holes(images, holes, seed, prior)


def with_holes(images: Images, holes: str, seed: int, prior: Prior) -> Task:
    """Holes of a kind in images."""
    x, mask = images.floats(), draw_masks(holes, images.shape, len(images), seed)
    physics = physics_of(mask, images.shape)
    return Task(images, x, mask, physics, physics.A(x), prior)


@functools.lru_cache(maxsize=2)
def semantic(
    data: str, holes: str, count: int, seed: int, effort: str = "", **settings: Any
) -> InpaintingSolution:
    """Semantic inpainting of a task: solved once for G(z) and for the blended image."""
    found = task(data, holes, count, seed)
    if effort:
        settings["effort"] = EFFORTS[effort]
    return SemanticInpainting(found.prior, **settings).solve(
        found.y, found.physics, rng=Streams(seed)
    )


@functools.cache
def rival(method: str, data: str) -> Reconstructor:
    """What the paper compares with, and biharmonic interpolation.

    Raises
    ------
    ValueError
        If no context encoder is shipped for the data, or its training images, of which the nearest
        patch is taken, are not on this machine.
    """
    if method == "context encoder":
        return ContextEncoder.shipped_for(load_prior(PRIORS[data]).card["data_sha256"])
    if method == "nearest patch":
        return NearestPatch(for_training(data).floats(), poisson_blend)
    plain = {"TV": TotalVariation, "low rank": LowRank, "biharmonic": Biharmonic}
    solver: Reconstructor = plain[method]()
    return solver


def score_rows(
    found: Task, x_hat: Tensor, *, shown: int = 0, method: str = "", **columns: Any
) -> list[Row]:
    """One row per image: PSNR and SSIM over the whole of it, and its pixels.

    The image itself and its measurements have no scores. A hole in a black background is often
    filled exactly, with an infinite PSNR (60 dB in rows of older runs).
    """
    psnrs = psnr(x_hat, found.x).tolist()
    ssims = ssim(x_hat, found.x).tolist()
    scored = method not in (ORIGINAL, GIVEN)
    rows = [
        {
            **columns,
            "image": name,
            "psnr": round(psnrs[i], 4) if scored else "",
            "ssim": round(ssims[i], 5) if scored else "",
            **hashes_of(found.images, found.prior),
        }
        for i, name in enumerate(found.images.names)
    ]
    return with_pixels(rows, x_hat, shown)


def not_filled(found: Task, method: str) -> Tensor:
    """The image itself, or what is given of it, hidden pixels in gray."""
    return found.x if method == ORIGINAL else torch.where(found.mask > 0, found.x, 0.5)


def metric_tables(found: list[Row], lines: list[str], *metrics: str) -> Tables:
    """Means with intervals, a table per metric; the first is the summary."""
    tables = {name: tabulate(found, name, lines, "method", FORMS[name]) for name in metrics}
    return {"summary": tables.pop(metrics[0]), **tables}


def place_of(cell: Cell) -> tuple[str, str, int, int]:
    """Arguments of :func:`task` for a cell."""
    return cell.panel, str(cell.value), cell.last, cell.seed
