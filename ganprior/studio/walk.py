"""A walk between two latents, as ``ganprior interpolate`` draws it."""

from __future__ import annotations

import shlex

import torch
from PIL import Image
from torch import Tensor

from ganprior.cli.interpolate import PATHS
from ganprior.cli.sample import draw_latents
from ganprior.priors import Prior, linear_path, spherical_path
from ganprior.sheets import contact_sheet

FRAMES = 9
# Places on the way that the slider stops at.
_STEPS = 100
_ZOOM = 3


def walk(prior: Prior, seed: int, t: float) -> tuple[Tensor, Image.Image]:
    """Image at ``t`` in [0, 1] on the spherical path, uint8 (C, H, W), and a sheet of both paths.

    Parameters
    ----------
    prior : Prior
        The prior.
    seed : int
        Seed of the two latents.
    t : float
        Where between them.
    """
    start, end = draw_latents(prior, 2, seed)
    place = spherical_path(start, end, _STEPS + 1)[round(t * _STEPS)][None]
    paths = torch.cat([linear_path(start, end, FRAMES), spherical_path(start, end, FRAMES)])
    labels = prior.round_robin(1)
    images = prior.render(
        torch.cat([place, paths]), None if labels is None else labels.expand(1 + len(paths))
    )
    pixels = (images[0].clamp(0, 1) * 255).round().byte().cpu()
    return pixels, contact_sheet(images[1:], FRAMES, zoom=_ZOOM, rows=PATHS)


def walk_command(prior: str, seed: int) -> str:
    """Command line that draws the sheet."""
    words = ["--prior", prior, "--seed", str(seed), "--pairs", "1", "--frames", str(FRAMES)]
    return shlex.join(["ganprior", "interpolate", *words, "--out", "walk.png"])
