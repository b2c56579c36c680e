"""Options that several commands have, their types and texts."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from itertools import zip_longest
from pathlib import Path
from typing import Any

import click

from ganprior.cli.results import RULE
from ganprior.names import nearest
from ganprior.registry import LARGEST, MOST


class _OutPath(click.Path):
    """A path to write to. Empty text is none: pathlib would read it as the current folder."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if not os.fspath(value) or "\0" in os.fspath(value):
            self.fail("it is no name of a file or folder; give one", param, ctx)
        return super().convert(value, param, ctx)


class _AtLeast(click.IntRange):
    """A number of things: at least so many, and at most far more than anybody needs."""

    def _describe_range(self) -> str:
        # Of the other end nobody who reads the help needs to know.
        return f"x>={self.min}"


class _NumberRange(click.FloatRange):
    """A number of a range. NaN is in none, though every comparison with it says it is."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        number = super().convert(value, param, ctx)
        if math.isnan(number):
            self.fail(f"{value!r} is no number", param, ctx)
        return number


def at_least(least: int, most: int = MOST) -> click.IntRange:
    """Make the type of a number of things, at least so many.

    Without ``most`` as many as libraries can count. It is given where the number alone decides
    what memory or time is taken.
    """
    return _AtLeast(least, most)


# What fits into the 64 bits of a measurement file.
SEED = click.IntRange(0, 2**63 - 1)
NOISE_STD = _NumberRange(0, LARGEST)
POSITIVE = _NumberRange(1 / LARGEST, LARGEST)
SHARE = _NumberRange(0, 1, min_open=True)
OUT = _OutPath(path_type=Path)
LIMIT = at_least(1)
LARGEST_SIDE = 4096  # of square images, in pixels
SIDE = at_least(1, LARGEST_SIDE)
WORKERS = at_least(1, 1024)
DRAWS = at_least(1, 10_000)

device_option = click.option(
    "--device", default="auto", show_default=True, help="auto, cpu, cuda or cuda:N."
)
# As :mod:`ganprior.priors.code` reads it, which needs torch.
TRUST, TRUST_PICKLE = "GANPRIOR_TRUST_CODE", "GANPRIOR_TRUST_PICKLE"
FITS = ("crop", "pad", "stretch")


def resize_option(whose: str) -> Callable[[Any], Any]:
    """Make the option ``--resize``, with a value or without.

    Parameters
    ----------
    whose : str
        To whose size, for the help.
    """
    return click.option(
        "--resize",
        type=click.Choice(FITS),
        is_flag=False,
        flag_value=FITS[0],
        help=f"Resize images to {whose} size: their largest centred square (crop, also where no "
        "word follows), with their borders repeated to a square (pad), or each side by itself "
        "(stretch).",
    )


def with_fits(args: list[str]) -> list[str]:
    """Arguments in which a fit follows each ``--resize``.

    click would take the INPUT behind a ``--resize`` without a value for its value.
    """
    spelt = []
    for word, following in zip_longest(args, args[1:]):
        spelt.append(word)
        if word == "--":
            return spelt + args[len(spelt) :]
        if word == "--resize" and following is not None and not _is_meant_for_fit(following):
            spelt[-1] = f"--resize={FITS[0]}"
    return spelt


def _is_meant_for_fit(word: str) -> bool:
    """Whether a word behind ``--resize`` is its value, perhaps with a typing error in it."""
    return word in FITS or (nearest(word, FITS) is not None and not os.path.exists(word))


def _trust(variable: str, context: click.Context, trusted: bool) -> None:
    """Trust code or pickles until the command ends, also in processes that it starts."""
    if trusted and variable not in os.environ:
        os.environ[variable] = "1"
        context.call_on_close(lambda: os.environ.pop(variable, None))


def _trusting(name: str, variable: str, words: str) -> Callable[[Any], Any]:
    return click.option(
        name,
        is_flag=True,
        expose_value=False,
        is_eager=True,
        callback=lambda context, _, trusted: _trust(variable, context, trusted),
        help=words,
    )


trust_pickle_option = _trusting(
    "--trust-pickle",
    TRUST_PICKLE,
    "Read a pickle of weights, in a process of its own that runs nothing of it.",
)


def trust_options(command: Any) -> Any:
    """Options of every command that takes ``--prior``."""
    code = _trusting(
        "--trust-code",
        TRUST,
        "Let --prior run code: package.module:factory, .pt2 and TorchScript files.",
    )
    return code(trust_pickle_option(command))


results_option = click.option("--out", required=True, type=OUT, help=RULE)
limit_option = click.option("--limit", type=LIMIT, help="Take so many images and no more.")
convert_option = click.option(
    "--convert", is_flag=True, help="Convert images to the prior's channels."
)
figure_format_option = click.option(
    "--figure-format",
    "figure_formats",
    multiple=True,
    type=click.Choice(["pdf", "svg"]),
    help="Write the figure in this format as well; give both for both.",
)
error_maps_option = click.option(
    "--error-maps",
    is_flag=True,
    help="Draw |x - reconstruction| of every pixel in the figure, too.",
)
json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print summary.json and nothing else."
)


def block_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of long work to a command: blocks, and who computes them."""
    for option in (
        click.option(
            "--scheduler",
            metavar="ADDRESS",
            help="Address of a Dask scheduler that spreads the blocks.",
        ),
        click.option(
            "--workers",
            type=WORKERS,
            help="Processes that the blocks are spread over.  [default: 1]",
        ),
        click.option(
            "--resume", is_flag=True, help="Go on where an earlier run into OUT was stopped."
        ),
        click.option(
            "--block",
            type=at_least(1),
            default=100,
            show_default=True,
            help="Images computed at a time, and lost at most when a run is stopped.",
        ),
    ):
        command = option(command)
    return command
