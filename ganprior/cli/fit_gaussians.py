"""``ganprior fit-gaussians``: the Gaussian mixture that reconstruction is compared with."""

from __future__ import annotations

from pathlib import Path

import click

from ganprior.cli.options import OUT, POSITIVE, SEED, SIDE, at_least
from ganprior.cli.output import check_network
from ganprior.cli.train import data_name

COUNT = at_least(1)


@click.command("fit-gaussians")
@click.option("--data", required=True, help="Folder, file or torchvision name of the images.")
@click.option(
    "--components",
    default=30,
    show_default=True,
    type=COUNT,
    help="Number of Gaussians; 1 gives mean and covariance.",
)
@click.option("--out", required=True, type=OUT, help="File to write, .safetensors.")
@click.option(
    "--images", default=54_000, show_default=True, type=COUNT, help="Fit the first so many."
)
@click.option(
    "--held-out",
    default=1_000,
    show_default=True,
    type=COUNT,
    help="Fit none of the last so many, and give their log density.",
)
@click.option("--size", type=SIDE, help="Resize images to so many pixels.")
@click.option(
    "--mixture-rank",
    default=80,
    show_default=True,
    type=COUNT,
    help="Principal components whose covariance differs between the Gaussians.",
)
@click.option(
    "--rank",
    default=784,
    show_default=True,
    type=COUNT,
    help="Principal components in all; of what they leave each pixel has a variance of its own.",
)
@click.option("--reg-covar", default=1e-4, show_default=True, type=POSITIVE)
@click.option(
    "--floor",
    default=1 / (12 * 255**2),
    type=POSITIVE,
    help="Added to pixel variances.  [default: that of rounding to 256 grey levels]",
)
@click.option("--steps", default=25, show_default=True, type=COUNT, help="Most EM steps.")
@click.option("--seed", default=0, show_default=True, type=SEED, help="Seed of the start.")
@click.option("--name", help="Name of the data, for the card.  [default: the last part of --data]")
@click.option("--licence", default="unknown", help="Licence of the data, for the card.")
def fit_gaussians(
    data: str,
    components: int,
    out: Path,
    images: int,
    held_out: int,
    size: int | None,
    mixture_rank: int,
    rank: int,
    reg_covar: float,
    floor: float,
    steps: int,
    seed: int,
    name: str | None,
    licence: str,
) -> None:
    """Fit a mixture of Gaussians to images, for the solvers lmmse and gaussian-mixture.

    Use it as 'ganprior reconstruct --solver gaussian-mixture:law=OUT'. Those of MNIST and
    Fashion-MNIST are shipped; each took 90 seconds of one CPU core.
    """
    check_network("--out", out, "gaussian-mixture")
    if mixture_rank > rank:
        raise ValueError(f"--rank must be at least --mixture-rank, got {rank} and {mixture_rank}")

    from dataclasses import replace

    from ganprior.cli.inputs import load_images
    from ganprior.priors import save_gaussian_mixture
    from ganprior.training.gaussian_mixture import GaussianMixtureRecipe, fit_gaussian_mixture

    recipe = GaussianMixtureRecipe(
        components=components,
        images=images,
        held_out=held_out,
        mixture_rank=mixture_rank,
        rank=rank,
        reg_covar=reg_covar,
        floor=floor,
        steps=steps,
        seed=seed,
    )
    law = fit_gaussian_mixture(load_images(data, size=size), recipe)
    about = {"data": name or data_name(data), "licence": licence}
    save_gaussian_mixture(replace(law, card={**law.card, **about}), out)
    click.echo(f"Gaussian mixture: {out}")
    click.echo(f"mean log density of the held-out images: {law.card['held_out_log_density']}")
