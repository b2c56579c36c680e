"""One setting of semantic inpainting varied: lambda, context weights, blending (Yeh et al. 2017).

Claims, in the paper's direction:

- section 3.1: a loss that counts the known pixels by how near to a hole they are (``weighted``)
  fills it better than one that counts all alike (``uniform``); ``inverted`` is what a widely copied
  code computes in its place;
- section 3.2: the prior loss keeps G(z) looking real, at a small cost in how well it fits what is
  known. The paper's lambda is 0.003 beside a sum over pixels in [-1, 1], here 0.0015; the default
  is ten times that, chosen on tuning images and not here;
- section 3.3: G(z) has the right shapes in slightly wrong colours, and blending, which takes over
  its gradients alone, beats pasting its pixels into the hole. Screened blending with s lets the
  colours of the boundary reach about 1 / sqrt(s) pixels into a hole.

    ganprior figure yeh2017/weighting --preset paper
    ganprior figure yeh2017/prior-weight --preset paper
    ganprior figure yeh2017/blending --preset paper

``discriminator`` is the discriminator's raw output: the larger, the more real an image looks to it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from experiments.intervals import grouped, measured
from experiments.rows import Row
from experiments.strips import GIVEN, ORIGINAL, draw_strips
from experiments.sweep.figure import Tables, declare
from experiments.yeh2017.setting import (
    PRIORS,
    Task,
    metric_tables,
    not_filled,
    place_of,
    score_rows,
    semantic,
    task,
)
from ganprior import poisson_blend
from ganprior.jobs import Cell, grid

RESULT = ["holes", "result"]
RAW, BLENDED = "raw", "blended"
# Images from which on differences between weights are claimed.
MANY = 20
LAMBDAS = (0.0, 0.0015, 0.015, 0.15, 1.5)
WEIGHTINGS = ("weighted", "uniform", "inverted")
SCREENINGS = (0.01, 0.1, 1.0)


@dataclass(frozen=True)
class Config:
    """What is run; the presets are below."""

    methods: tuple[str, ...]
    data: str = "Fashion-MNIST"
    prior: str = PRIORS["Fashion-MNIST"]
    holes: tuple[str, ...] = ("center", "random 80%")
    images: int = 30
    shown: int = 6
    effort: str = "balanced"


def cells(config: Config) -> list[Cell]:
    """Every kind of holes and setting."""
    methods = (ORIGINAL, GIVEN, *config.methods)
    whole = {"images": config.images, "block": config.images}
    return grid(methods, "holes", config.holes, panels=[config.data], **whole)


def filled(config: Config, cell: Cell, found: Task) -> dict[str, Tensor]:
    """Images of a setting, G(z) as it is and blended."""
    kind, _, value = cell.method.rpartition(" ")
    settings: dict[str, Any] = {}
    if kind == "lambda":
        settings["prior_weight"] = float(value)
    elif cell.method in WEIGHTINGS:
        settings["weighting"] = cell.method
    solution = semantic(*place_of(cell), effort=config.effort, **settings)
    if settings:
        return {RAW: solution.raw, BLENDED: solution.x}
    if cell.method == "none":
        return {RAW: solution.raw}
    if cell.method == "pasted":
        return {BLENDED: torch.where(found.mask > 0, found.y, solution.raw)}
    screening = float(value) if kind == "screened" else 0.0
    return {BLENDED: poisson_blend(solution.raw, found.y, found.mask, screening=screening)}


def rows(config: Config, cell: Cell) -> list[Row]:
    """Scores of a setting, and what the discriminator says."""
    found = task(*place_of(cell))
    if cell.method in (ORIGINAL, GIVEN):
        images = {"": not_filled(found, cell.method)}
    else:
        images = filled(config, cell, found)
    rows = []
    for result, x_hat in images.items():
        own = score_rows(found, x_hat, shown=config.shown, method=cell.method, result=result)
        said = [round(logit, 4) if result else "" for logit in logits(found, x_hat)]
        rows += [{**row, "discriminator": logit} for row, logit in zip(own, said, strict=True)]
    return rows


@torch.no_grad()
def logits(found: Task, x: Tensor) -> list[float]:
    """Raw output of the discriminator, (B,)."""
    assert found.prior.discriminator is not None
    values: list[float] = found.prior.discriminator(found.prior.from_unit(x.clamp(0, 1))).tolist()
    return values


def tables(found: list[Row]) -> Tables:
    """SSIM, PSNR and the discriminator's output per kind of holes and result."""
    scored = [row for row in found if row["result"]]
    return metric_tables(scored, RESULT, "ssim", "psnr", "discriminator")


def means(found: list[Row], result: str, column: str) -> dict[str, dict[str, float]]:
    """Mean of a column by kind of holes and setting."""
    own = [row for row in found if row["result"] == result]
    return {
        holes: {
            name: float(measured(rows, column).mean())
            for (name,), rows in grouped(group, ["method"]).items()
        }
        for (holes,), group in grouped(own, ["holes"]).items()
    }


def claims(found: list[Row]) -> dict[str, bool]:
    """What the module says of the setting that is varied, on means over images."""
    held, drawn = {}, means(found, RAW, "ssim")
    images = len({row["image"] for row in found})
    for holes, ssim in means(found, BLENDED, "ssim").items():
        if "weighted" in ssim:
            said = f"{holes}: blended is above what is drawn in SSIM, by every weight"
            held[said] = all(ssim[name] > own for name, own in drawn[holes].items())
            # Between weights the differences of a few images are chance.
            for other in WEIGHTINGS[1:] if images >= MANY else ():
                said = f"{holes}: weighted is above {other} in SSIM"
                held[said] = ssim["weighted"] > ssim[other]
        elif "pasted" in ssim:
            held[f"{holes}: blended is above pasted in SSIM"] = ssim["plain"] > ssim["pasted"]
        else:
            real = means(found, RAW, "discriminator")[holes]
            first, *_, last = LAMBDAS
            said = f"{holes}: G(z) looks more real with lambda {last:g} than with {first:g}"
            held[said] = real[f"lambda {last:g}"] > real[f"lambda {first:g}"]
    return held


def plot(found: list[Row], path: Path) -> None:
    """An image per row, a setting per column, G(z) and the blended image one above the other."""
    named = [{**r, "method": f"{r['method']} {r.get('result', '')}".strip()} for r in found]
    draw_strips(named, path, ("holes",), "method", "ssim")


def _declare(name: str, claim: str, *methods: str) -> None:
    declare(
        __name__,
        f"yeh2017/{name}",
        claim,
        paper=(paper := Config(methods)),
        smoke=replace(paper, holes=("center",), images=4, effort="fast"),
        published="images to look at",
        differs="clothes; numbers beside the images",
    )


_declare("weighting", "known pixels near a hole should count more than others", *WEIGHTINGS)
_declare(
    "prior-weight",
    "the prior loss keeps G(z) looking real to the discriminator",
    *(f"lambda {weight:g}" for weight in LAMBDAS),
)
_declare(
    "blending",
    "blending the gradients of G(z) beats pasting its pixels",
    *("none", "pasted", "plain", *(f"screened {s:g}" for s in SCREENINGS)),
)
