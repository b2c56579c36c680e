"""``ganprior fit-density``: make a prior a density."""

from __future__ import annotations

from pathlib import Path

import click

from ganprior.cli.options import OUT, POSITIVE, SEED, at_least, trust_options
from ganprior.cli.output import check_network

COUNT = at_least(1)


@click.command("fit-density")
@click.argument("prior")
@trust_options
@click.option("--data", required=True, help="Folder, file or torchvision name of the images.")
@click.option("--out", required=True, type=OUT, help="Prior to write, .safetensors.")
@click.option(
    "--images",
    default=5_000,
    show_default=True,
    type=at_least(50),
    help="Fit so many images, those behind --skip.",
)
@click.option(
    "--further",
    default=0,
    show_default=True,
    type=at_least(0),
    help="Take so many images in front of them too, for the law of the latents alone.",
)
@click.option(
    "--skip",
    type=at_least(0),
    help="Leave out the first so many images.  [default: those that the prior was trained on, by "
    "its card]",
)
@click.option(
    "--rank",
    default=300,
    show_default=True,
    type=COUNT,
    help="Directions in which deviations are correlated; every pixel has a variance beside them.",
)
@click.option(
    "--latent-weight",
    default=0.02,
    show_default=True,
    type=POSITIVE,
    help="Weight of ||z||^2 when images are projected onto the range.",
)
@click.option("--seed", default=0, show_default=True, type=SEED, help="Seed of the fits' starts.")
def fit_density(
    prior: str,
    data: str,
    out: Path,
    images: int,
    further: int,
    skip: int | None,
    rank: int,
    latent_weight: float,
    seed: int,
) -> None:
    """Fit the laws of a prior's latents and of what it cannot draw, for the solver map.

    PRIOR is a name or a file. The prior is written again with its density in it, to --out. The
    images should be such as the prior was not trained on; where fewer than 50 of them are left
    behind the trained ones, the last --images are taken, and the card says so.
    """
    from ganprior.cli.inputs import load_images
    from ganprior.evaluation.density import DensityRecipe, fit_density
    from ganprior.priors import Prior, trained_images

    recipe = DensityRecipe(rank=rank, latent_weight=latent_weight, seed=seed)
    loaded = Prior.load(prior)
    check_network("--out", out, loaded.card["architecture"]["name"])
    channels, size, _ = loaded.image_shape
    found = load_images(data, split="train", size=size, channels=channels)
    unseen = trained_images(loaded.card) if skip is None else skip
    first = unseen if len(found) - unseen >= 50 else max(0, len(found) - images)
    if skip is not None and first != skip:
        raise ValueError(f"--skip {skip} leaves fewer than 50 of {len(found)} images")
    chosen = found.select(first, min(len(found), first + images))
    more = found.select(max(0, first - further), first).floats() if further and first else None
    loaded.density, about = fit_density(loaded, chosen.floats(), recipe, more=more)
    about |= {"first_image": first, "unseen": first >= unseen, "data_sha256": found.sha256}
    loaded.card["density"] = about
    loaded.save(out)
    click.echo(f"prior with its density: {out}")
    for name in ("images", "components", "shrinkage", "representation_error"):
        click.echo(f"{name.replace('_', ' ')}: {about[name]}")
