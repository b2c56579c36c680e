"""``ganprior train``: make a prior from images, by a recipe."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

import click

from ganprior.cli.output import check_folder

if TYPE_CHECKING:
    from ganprior.datasets import Images
    from ganprior.training import Recipe


@dataclass(frozen=True)
class _Request:
    """Arguments and options of ``train``, as click hands them over."""

    recipe: str
    data: str
    out: Path
    steps: int | None
    device: str
    resume: bool
    settings: tuple[str, ...]
    resize: bool
    convert: bool
    licence: str


@click.command()
@click.argument("recipe")
@click.option("--data", required=True, help="Folder, file or torchvision name of the images.")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Run folder.")
@click.option("--steps", type=click.IntRange(min=1), help="Generator steps.")
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda or cuda:N.")
@click.option("--resume", is_flag=True, help="Go on from the checkpoint in the run folder.")
@click.option(
    "--set", "settings", multiple=True, metavar="KEY=VALUE", help="Change a recipe value."
)
@click.option("--resize", is_flag=True, help="Resize images to the recipe's size.")
@click.option("--convert", is_flag=True, help="Convert images to the recipe's channels.")
@click.option("--licence", default="unknown", help="Licence of the data, for the card.")
def train(**options: Any) -> None:
    """Train a prior by RECIPE: dcgan, wgan-gp, or the path of a .toml file like theirs.

    OUT receives losses.csv, sheets of samples, a checkpoint and at the end the prior. Ctrl-C
    finishes the step, writes a checkpoint and leaves; --resume goes on exactly from there, and so
    it does from the last checkpoint after a crash.
    """
    request = _Request(**options)
    check_folder("--out", request.out)

    from ganprior.cli.devices import pick_device
    from ganprior.training import RunFolder, Trainer
    from ganprior.training import train as run

    recipe = _recipe(request)
    device = pick_device(request.device)
    # Before the images, which may take long to read; the run looks again.
    RunFolder(request.out).check(recipe, resume=request.resume)
    trainer = Trainer(recipe, _images(request, recipe), device)
    card = {"data": data_name(request.data), "licence": request.licence}
    with _interrupts() as seen:
        finished = run(trainer, request.out, resume=request.resume, should_stop=seen, card=card)
    if not finished:
        click.echo(f"stopped at step {trainer.step}; go on with --resume", err=True)
        raise click.exceptions.Exit(130)
    click.echo(f"prior: {request.out / 'prior.safetensors'}")


def data_name(data: str) -> str:
    """Return the last part of a path, or the name of a torchvision data set."""
    path = Path(data).expanduser()
    return path.resolve().name if path.exists() else data


def _recipe(request: _Request) -> Recipe:
    from ganprior.training import load_recipe

    recipe = load_recipe(request.recipe).override(**_settings(request.settings))
    return recipe if request.steps is None else recipe.override(steps=request.steps)


def _images(request: _Request, recipe: Recipe) -> Images:
    from ganprior.datasets import load_images

    return load_images(
        request.data,
        split="train",
        size=recipe.size if request.resize else None,
        channels=recipe.channels if request.convert else None,
    )


@contextmanager
def _interrupts() -> Iterator[Callable[[], bool]]:
    """Turn Ctrl-C and SIGTERM into a flag for a while, so that no step is left half done."""
    seen = False

    def note(number: int, frame: FrameType | None) -> None:
        nonlocal seen
        seen = True

    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: seen
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _settings(settings: tuple[str, ...]) -> dict[str, str]:
    pairs = {}
    for text in settings:
        key, equals, value = text.partition("=")
        if not (key and equals):
            raise ValueError(f"--set wants KEY=VALUE, such as batch_size=32, got {text!r}")
        pairs[key.strip()] = value.strip()
    return pairs
