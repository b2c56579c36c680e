"""``ganprior interpolate``: the images between images."""

from __future__ import annotations

from pathlib import Path

import click

from ganprior.cli.options import SEED
from ganprior.cli.sample import check_png, draw_latents, zoom_of


@click.command()
@click.option("--prior", required=True, help="Name of a shipped prior, or a .safetensors file.")
@click.option("--seed", default=0, show_default=True, type=SEED, help="Seed of the latents.")
@click.option("--pairs", default=4, show_default=True, type=click.IntRange(min=1))
@click.option(
    "--frames",
    default=9,
    show_default=True,
    type=click.IntRange(min=2),
    help="Images per path, both ends included.",
)
@click.option("--out", required=True, type=click.Path(path_type=Path), help="PNG file to write.")
def interpolate(prior: str, seed: int, pairs: int, frames: int, out: Path) -> None:
    """Draw the images on paths between pairs of latents.

    Two rows per pair: the straight path, then the spherical one (White 2016, arXiv 1609.04468).
    """
    check_png(out)

    import torch

    from ganprior.priors import Prior, linear_path, spherical_path
    from ganprior.sheets import save_sheet

    loaded = Prior.load(prior)
    ends = draw_latents(loaded, 2 * pairs, seed)
    z = torch.cat(
        [
            path(start, end, frames)
            for start, end in zip(ends[::2], ends[1::2], strict=True)
            for path in (linear_path, spherical_path)
        ]
    )
    save_sheet(out, loaded.render(z), frames, zoom=zoom_of(loaded))
    click.echo(f"{pairs} pairs, {frames} images per path: {out}")
