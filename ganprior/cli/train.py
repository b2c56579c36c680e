"""``ganprior train``: make a prior from images, by a recipe."""

from __future__ import annotations

import signal
from pathlib import Path
from types import FrameType

import click


@click.command()
@click.argument("recipe")
@click.option("--data", required=True, help="Folder, file or torchvision name of the images.")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Run folder.")
@click.option("--steps", type=click.IntRange(min=1), help="Generator steps.")
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda or cuda:N.")
@click.option("--resume", is_flag=True, help="Go on from the checkpoint in the run folder.")
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="Change a recipe value.")
@click.option("--resize", is_flag=True, help="Resize images to the recipe's size.")
@click.option("--convert", is_flag=True, help="Convert images to the recipe's channels.")
@click.option("--licence", default="unknown", help="Licence of the data, for the card.")
def train(
    recipe: str,
    data: str,
    out: Path,
    steps: int | None,
    device: str,
    resume: bool,
    settings: tuple[str, ...],
    resize: bool,
    convert: bool,
    licence: str,
) -> None:
    """Train a prior by RECIPE (dcgan, wgan-gp).

    The run folder receives losses.csv, sample sheets, a checkpoint and the prior itself. Ctrl-C
    finishes the step, writes a checkpoint and leaves; --resume goes on exactly from there.
    """
    from ganprior.cli.devices import pick_device
    from ganprior.datasets import load_images
    from ganprior.training import Trainer, load_recipe
    from ganprior.training import train as run

    chosen = load_recipe(recipe).override(**_settings(settings))
    if steps is not None:
        chosen = chosen.override(steps=steps)
    images = load_images(
        data,
        split="train",
        size=chosen.size if resize else None,
        channels=chosen.channels if convert else None,
    )
    trainer = Trainer(chosen, images, pick_device(device))
    interrupted = _Interrupt()
    card = {"data": data_name(data), "licence": licence}
    finished = run(trainer, out, resume=resume, should_stop=interrupted.seen, card=card)
    if not finished:
        click.echo(f"stopped at step {trainer.step}; go on with --resume", err=True)
        raise click.exceptions.Exit(130)
    click.echo(f"prior: {out / 'prior.safetensors'}")


def data_name(data: str) -> str:
    """Return the last part of a path, or the name of a torchvision data set."""
    return Path(data).name


class _Interrupt:
    """Turns Ctrl-C and SIGTERM into a flag, so that no step is left half done."""

    def __init__(self) -> None:
        self._seen = False
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._note)

    def _note(self, number: int, frame: FrameType | None) -> None:
        self._seen = True

    def seen(self) -> bool:
        return self._seen


def _settings(settings: tuple[str, ...]) -> dict[str, str]:
    pairs = {}
    for text in settings:
        key, equals, value = text.partition("=")
        if not equals:
            raise ValueError(f"--set wants KEY=VALUE, got {text!r}")
        pairs[key] = value
    return pairs
