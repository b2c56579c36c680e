"""Options that several commands have, their types and texts."""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable
from itertools import zip_longest
from pathlib import Path
from typing import Any

import click

from ganprior.cli.results import RULE
from ganprior.cli.specs import LARGEST, MOST


class _OutPath(click.Path):
    """A path to write to. Empty text is none: pathlib would read it as the current folder."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if not os.fspath(value) or "\0" in os.fspath(value):
            self.fail("it is no name of a file or folder; give one", param, ctx)
        return super().convert(value, param, ctx)


class _AtLeast(click.IntRange):
    """A number of things: at least so many, and as many as libraries can count."""

    def _describe_range(self) -> str:
        # Of the other end nobody who reads the help needs to know.
        return f"x>={self.min}"


def at_least(least: int) -> click.IntRange:
    """Make the type of a number of things, at least so many."""
    return _AtLeast(least, MOST)


# What fits into the 64 bits of a measurement file.
SEED = click.IntRange(0, 2**63 - 1)
NOISE_STD = click.FloatRange(0, LARGEST)
OUT = _OutPath(path_type=Path)
LIMIT = at_least(1)

device_option = click.option(
    "--device", default="auto", show_default=True, help="auto, cpu, cuda or cuda:N."
)
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
    near = difflib.get_close_matches(word, FITS, n=1)
    return word in FITS or (bool(near) and not os.path.exists(word))


results_option = click.option("--out", required=True, type=OUT, help=RULE)
limit_option = click.option("--limit", type=LIMIT, help="Take so many images and no more.")
convert_option = click.option(
    "--convert", is_flag=True, help="Convert images to the prior's channels."
)
json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print summary.json and nothing else."
)

MASK_SPECS = """\b
SPEC of --mask:
  center=0.25  random=0.8  pattern=0.25  (the fraction that is missing)
  half=left  grid=4 (spacing of the known pixels)  holes=3 (their number)  text=WORDS"""

MEASURE_SPECS = """\b
SPEC of --measure:
  gaussian:m=100  structured:m=100  identity  gray (luma of Rec. 601)
  mask:center=0.25  mask:random=0.8  mask:pattern=0.25  (the fraction that is missing)
  mask:half=left  mask:grid=4  mask:holes=3  mask:text=WORDS
  downsample:factor=4  blur:sigma=2  mri:acceleration=4"""

SOLVER_SPECS = """\b
SPEC of --solver, with every option that it may have:
  csgm:restarts=10,steps=200,lambda=0.02,effort=balanced,discriminator=0.01
    (effort also reference, fast; discriminator: weight of its term, none by default)
  semantic:restarts=10,steps=200,lambda=0.015,effort=balanced,weights=weighted,
    loss=saturating,screening=0  (for masks; weights also uniform, inverted; loss also
    non-saturating, critic)  semantic-raw: the same, not blended
  lasso-dct:alpha=0.01,box=true,weights=frequency  lasso-wavelet:wavelet=db4,alpha=0.01,box=true
  lasso-pixel:alpha=0.01,box=true  (box: images kept in [0, 1], false by default)
  tv:weight=0.01  (without weight: known pixels of a mask stay, else the tuned weight)
  lmmse:law=FILE  gaussian-mixture:law=FILE  (without law: the one shipped for the prior's data)
  for masks: low-rank:tau=100  nearest-patch:images=FOLDER  biharmonic
    context-encoder:network=FILE  (without network: the one shipped for the prior's data)"""
