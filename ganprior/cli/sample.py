"""``ganprior sample``: images that a prior draws, on one sheet."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ganprior.cli.options import SEED
from ganprior.cli.output import check_folder

if TYPE_CHECKING:
    from torch import Tensor

    from ganprior.priors import Prior

# Small images are enlarged to about this many pixels on a sheet.
SHOWN_SIZE = 64


@click.command()
@click.option("--prior", required=True, help="Name of a prior, or a .safetensors file.")
@click.option("--count", default=64, show_default=True, type=click.IntRange(min=1))
@click.option("--seed", default=0, show_default=True, type=SEED, help="Seed of the latents.")
@click.option("--columns", type=click.IntRange(min=1), help="Images per row.  [default: a square]")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="PNG file to write.")
def sample(prior: str, count: int, seed: int, columns: int | None, out: Path) -> None:
    """Draw images from a prior.

    Image i of a seed is the same whatever the count. The labels of a conditional prior take turns.
    """
    check_png(out)

    from ganprior.priors import Prior
    from ganprior.sheets import save_sheet

    loaded = Prior.load(prior)
    images = loaded.render(draw_latents(loaded, count, seed), loaded.round_robin(count))
    save_sheet(out, images, columns or math.ceil(math.sqrt(count)), zoom=zoom_of(loaded))
    click.echo(f"{count} images: {out}")


def draw_latents(prior: Prior, count: int, seed: int) -> Tensor:
    """Latents of a prior's law, each from a random stream of its own."""
    import torch

    from ganprior.streams import Streams

    streams = Streams(seed)
    return torch.cat(
        [prior.latent.sample(1, streams.generator("samples", i)) for i in range(count)]
    )


def zoom_of(prior: Prior) -> int:
    """Whole factor that brings a prior's images near to :data:`SHOWN_SIZE`."""
    return max(1, SHOWN_SIZE // max(prior.image_shape[1:]))


def check_png(out: Path) -> None:
    """Refuse an ``--out`` that is no PNG file or cannot be written, before any work.

    Raises
    ------
    ValueError
        If it does not end in .png, is a folder, or lies where nothing can be written.
    """
    if out.suffix.lower() != ".png" or out.is_dir():
        raise ValueError(f"--out {out} is not the name of a PNG file; give one such as samples.png")
    check_folder("--out", out.parent)
