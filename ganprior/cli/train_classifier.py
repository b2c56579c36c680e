"""``ganprior train-classifier``: the classifier whose features quality is measured in."""

from __future__ import annotations

from pathlib import Path

import click

from ganprior.cli.options import OUT, SEED, at_least
from ganprior.cli.output import check_network
from ganprior.cli.progress import progress_bar
from ganprior.cli.train import data_name


@click.command("train-classifier")
@click.option("--data", required=True, help="Folder, file or torchvision name of the images.")
@click.option("--out", required=True, type=OUT, help="File to write, .safetensors.")
@click.option("--images", type=at_least(2), help="Train on the first so many.")
@click.option("--filters", default=16, show_default=True, type=at_least(1))
@click.option("--steps", default=460, show_default=True, type=at_least(1))
@click.option("--seed", default=0, show_default=True, type=SEED, help="Seed of the weights.")
@click.option("--name", help="Name of the data, for the card.  [default: the last part of --data]")
@click.option("--licence", default="unknown", help="Licence of the data, for the card.")
def train_classifier(
    data: str,
    out: Path,
    images: int | None,
    filters: int,
    steps: int,
    seed: int,
    name: str | None,
    licence: str,
) -> None:
    """Train a small classifier on labelled images, and say how it reads the test images.

    It takes a minute or two on one CPU core. Those of MNIST and Fashion-MNIST are shipped.
    """
    check_network("--out", out, "classifier")

    from ganprior.cli.inputs import load_images
    from ganprior.evaluation import classifier as training

    training_images = load_images(data, limit=images)
    test = load_images(data, split="test")
    with progress_bar("classifier") as bar:
        trained = training.train_classifier(
            training_images,
            filters=filters,
            steps=steps,
            seed=seed,
            progress=lambda step: bar.tell(step, steps),
        )
    card = {**trained.card, "data": name or data_name(data), "licence": licence}
    if test.labels is not None and test.sha256 != training_images.sha256:
        card["test_accuracy"] = trained.accuracy(test)
        card["test_images"] = len(test)
        click.echo(f"reads {100 * card['test_accuracy']:.2f}% of {len(test)} test images right")
    training.save_classifier(training.TrainedClassifier(trained.network, card), out)
    click.echo(f"classifier: {out}")
