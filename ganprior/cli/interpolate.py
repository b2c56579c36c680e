"""``ganprior interpolate``: the images between images."""

from __future__ import annotations

from pathlib import Path

import click

from ganprior.cli.options import OUT, SEED, at_least, trust_options
from ganprior.cli.output import check_file
from ganprior.cli.sample import check_amount, draw_latents, zoom_of

# Names of the rows.
PATHS = ("straight", "sphere")


@click.command()
@click.option("--prior", required=True, help="Name of a prior, or a .safetensors file.")
@trust_options
@click.option("--seed", default=0, show_default=True, type=SEED, help="Seed of the latents.")
@click.option("--pairs", default=4, show_default=True, type=at_least(1))
@click.option(
    "--frames",
    default=9,
    show_default=True,
    type=at_least(2),
    help="Images per path, both ends included.",
)
@click.option("--grid", is_flag=True, help="Walk between four latents, on a grid of FRAMES a side.")
@click.option("--out", required=True, type=OUT, help="PNG file to write.")
def interpolate(prior: str, seed: int, pairs: int, frames: int, grid: bool, out: Path) -> None:
    """Draw the images on paths between pairs of latents.

    Two rows per pair: the straight path, then the spherical one (White 2016, arXiv 1609.04468).
    With --grid the corners are the first four latents, and rows and columns are spherical. Every
    path, or the grid, of a conditional prior has one label, and the labels take turns.
    """
    check_file("--out", out, ".png")

    import torch

    from ganprior.priors import Prior, linear_path, spherical_path
    from ganprior.priors.paths import grid_walk
    from ganprior.sheets import save_sheet

    loaded = Prior.load(prior)
    if grid:
        check_amount("--frames", frames**2, loaded)
    else:
        check_amount("--pairs and --frames", 2 * pairs * frames, loaded)
    ends = draw_latents(loaded, 4 if grid else 2 * pairs, seed)
    if grid:
        walks = [grid_walk(ends, frames)]
    else:
        walks = [
            torch.cat([linear_path(start, end, frames), spherical_path(start, end, frames)])
            for start, end in zip(ends[::2], ends[1::2], strict=True)
        ]
    labels = loaded.round_robin(len(walks))
    if labels is not None:
        labels = labels.repeat_interleave(len(walks[0]))
    save_sheet(
        out,
        loaded.render(torch.cat(walks), labels),
        frames,
        zoom=zoom_of(loaded.image_shape[1:]),
        rows=() if grid else PATHS * pairs,
    )
    what = f"{frames} x {frames} images" if grid else f"{pairs} pairs, {frames} images per path"
    click.echo(f"{what}: {out}")
