"""The figures by name, without importing any of them: ``ganprior figure`` reads this table."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from experiments.sweep.figure import Figure


@dataclass(frozen=True)
class Entry:
    """Where a figure is declared, what it claims, and how long its paper preset takes.

    Attributes
    ----------
    module : str
        Module whose ``FIGURES`` has it.
    claim : str
        One line.
    minutes : int
        Of the paper preset on one CPU core, roughly.
    """

    module: str
    claim: str
    minutes: int


_M = "bora2017.error_vs_m"
FIGURES = {
    "bora2017/error-vs-m-mnist": Entry(
        _M, "with few measurements CSGM's error is far below every Lasso's; later Lasso wins", 40
    ),
    "bora2017/error-vs-m-fashion-mnist": Entry(
        _M, "the same on images of clothes, with two priors", 55
    ),
}


def load_figure(name: str) -> Figure:
    """Declaration of a figure.

    Raises
    ------
    KeyError
        If there is none of that name.
    """
    module = importlib.import_module(f"experiments.{FIGURES[name].module}")
    figures: dict[str, Figure] = module.FIGURES
    return figures[name]


def describe(name: str) -> str:
    """One line: name, claim, and the time that the paper preset takes."""
    entry = FIGURES[name]
    return f"{name}: {entry.claim} (about {entry.minutes} min)"
