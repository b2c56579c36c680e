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

from ganprior.cli.options import OUT, at_least, device_option, resize_option
from ganprior.cli.output import check_folder
from ganprior.cli.verbosity import is_quiet, remark
from ganprior.files import expand_user

if TYPE_CHECKING:
    import torch

    from ganprior.datasets import Images
    from ganprior.training import Recipe, Trainer


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
    resize: str | None
    convert: bool
    licence: str
    skip_unreadable: bool
    stop_on_failure: bool
    tensorboard: bool


def _list_recipes(context: click.Context, parameter: click.Parameter, asked: bool) -> None:
    """Print every recipe of the package with what to expect, and leave."""
    if not asked:
        return
    from ganprior.training.recipes import load_recipe, recipe_names

    names = recipe_names()
    width = max(map(len, names))
    for name in names:
        click.echo(f"{name.ljust(width)}  {load_recipe(name).expected}")
    context.exit()


@click.command()
@click.argument("recipe")
@click.option("--data", required=True, help="Folder, file or torchvision name of the images.")
@click.option("--out", required=True, type=OUT, help="Run folder.")
@click.option("--steps", type=at_least(1), help="Generator steps.")
@device_option
@click.option("--resume", is_flag=True, help="Go on from the checkpoint in the run folder.")
@click.option(
    "--set", "settings", multiple=True, metavar="KEY=VALUE", help="Change a recipe value."
)
@resize_option("the recipe's")
@click.option("--convert", is_flag=True, help="Convert images to the recipe's channels.")
@click.option("--licence", default="unknown", help="Licence of the data, for the card.")
@click.option("--skip-unreadable", is_flag=True, help="Leave out files that cannot be read.")
@click.option("--stop-on-failure", is_flag=True, help="End with status 3 once the run goes wrong.")
@click.option("--tensorboard", is_flag=True, help="Write OUT/tensorboard too.")
@click.option(
    "--list",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_list_recipes,
    help="List the recipes, with time and quality to expect, and exit.",
)
def train(**options: Any) -> None:
    """Train a prior by RECIPE: a name of --list, or the path of a .toml file like theirs.

    OUT receives losses.csv, monitors.csv, sheets of samples, a checkpoint and at the end the
    prior. Ctrl-C finishes the step, writes a checkpoint and leaves; --resume goes on exactly from
    there, and so it does from the last checkpoint after a crash.

    Under torchrun the processes share every batch: torchrun --nproc-per-node 2 -m
    ganprior train ...
    """
    request = _Request(**options)
    check_folder("--out", request.out)

    from ganprior.training import RunFolder, Trainer
    from ganprior.training.distributed import join_world

    recipe = _recipe(request)
    device = _device(request.device)
    # Before the images, which may take long to read; the run looks again.
    RunFolder(request.out).check(recipe, resume=request.resume)
    with join_world(device) as world:
        images = _images(request, recipe)
        trainer = Trainer(recipe, images, device, world)
        finished = _run(request, trainer, images)
        if world.rank == 0 and finished:
            click.echo(f"prior: {request.out / 'prior.safetensors'}")
    if not finished:
        remark(f"stopped at step {trainer.step}; go on with --resume")
        raise click.exceptions.Exit(130)


def _run(request: _Request, trainer: Trainer, images: Images) -> bool:
    """Train; whether the last step was reached. A run that failed ends the command here."""
    from ganprior.evaluation.watching import quality_monitor
    from ganprior.training import TrainingFailed
    from ganprior.training import train as run

    if images.skipped:
        remark(f"{images.skipped} unreadable files of {request.data} are left out")
    for line in trainer.taken:
        remark(line)
    try:
        with _interrupts() as seen:
            return run(
                trainer,
                request.out,
                resume=request.resume,
                should_stop=seen,
                card={"data": data_name(request.data), "licence": request.licence},
                monitors=[quality_monitor(images, trainer.recipe.images)],
                stop_on_failure=request.stop_on_failure,
                tensorboard=request.tensorboard,
                progress=not is_quiet(),
            )
    except TrainingFailed as error:
        click.echo(f"Error: {error}", err=True)
        raise click.exceptions.Exit(3) from error


def _device(name: str) -> torch.device:
    """Device of ``--device``; of several processes each has the GPU of its number."""
    from ganprior.cli.devices import pick_device
    from ganprior.training.distributed import local_rank

    device = pick_device(name)
    return pick_device(f"cuda:{local_rank()}") if str(device) == "cuda" else device


def data_name(data: str) -> str:
    """Return the last part of a path, or the name of a torchvision data set."""
    path = expand_user(data)
    return path.resolve().name if path.exists() else data


def _recipe(request: _Request) -> Recipe:
    from ganprior.training import load_recipe

    recipe = load_recipe(request.recipe).override(**_settings(request.settings))
    return recipe if request.steps is None else recipe.override(steps=request.steps)


def _images(request: _Request, recipe: Recipe) -> Images:
    from ganprior.cli.inputs import load_images

    return load_images(
        request.data,
        split="train",
        size=recipe.size if request.resize else None,
        channels=recipe.channels if request.convert else None,
        fit=request.resize or "crop",
        skip_unreadable=request.skip_unreadable,
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
