"""``ganprior train-context-encoder``: the learned method that inpainting is compared with."""

from __future__ import annotations

from pathlib import Path

import click

from ganprior.cli.options import LARGEST_SIDE, OUT, SEED, at_least, device_option
from ganprior.cli.output import check_network
from ganprior.cli.progress import progress_bar
from ganprior.cli.train import data_name


@click.command("train-context-encoder")
@click.option("--data", required=True, help="Folder, file or torchvision name of the images.")
@click.option("--out", required=True, type=OUT, help="File to write, .safetensors.")
@click.option(
    "--images",
    default=59_000,
    show_default=True,
    type=at_least(2),
    help="Train on the first so many.",
)
@click.option("--size", type=at_least(4, LARGEST_SIDE), help="Resize images to so many pixels.")
@click.option("--filters", default=24, show_default=True, type=at_least(1))
@click.option("--bottleneck", default=256, show_default=True, type=at_least(1))
@click.option("--steps", default=2400, show_default=True, type=at_least(1))
@click.option("--batch-size", default=64, show_default=True, type=at_least(2))
@click.option("--seed", default=0, show_default=True, type=SEED, help="Seed of weights and masks.")
@device_option
@click.option("--name", help="Name of the data, for the card.  [default: the last part of --data]")
@click.option("--licence", default="unknown", help="Licence of the data, for the card.")
def train_context_encoder(
    data: str,
    out: Path,
    images: int,
    size: int | None,
    filters: int,
    bottleneck: int,
    steps: int,
    batch_size: int,
    seed: int,
    device: str,
    name: str | None,
    licence: str,
) -> None:
    """Train a context encoder: a network that fills the centre, blobs, halves and single pixels.

    Use it as 'ganprior inpaint --compare context-encoder:network=OUT'. That of Fashion-MNIST is
    shipped; it took 7 minutes of one CPU core.
    """
    check_network("--out", out, "context-encoder")

    from ganprior.cli.devices import pick_device
    from ganprior.cli.inputs import load_images
    from ganprior.training import context_encoder as training

    recipe = training.ContextEncoderRecipe(
        images=images,
        steps=steps,
        batch_size=batch_size,
        filters=filters,
        bottleneck=bottleneck,
        seed=seed,
    )
    chosen = pick_device(device)
    with progress_bar("context encoder") as bar:
        trained = training.train_context_encoder(
            load_images(data, size=size),
            recipe,
            device=chosen,
            progress=lambda step: bar.tell(step, steps),
        )
    trained.card |= {"data": name or data_name(data), "licence": licence}
    trained.save(out)
    click.echo(f"context encoder: {out}")
