"""What a figure declares, and what one cell of it gives."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from experiments.rows import Row
from experiments.sweep.cell import Cell

Tables = dict[str, list[Row]]
ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Figure:
    """A figure as a sweep: cells, rows of a cell, tables of rows, a plot of rows.

    Every function takes text for numbers, as a CSV file gives them, so that committed rows are
    tabulated and plotted anew without any computing. The functions stand at the top of their
    modules: workers in other processes find them by name.

    Attributes
    ----------
    name : str
        ``PAPER/figure``, as ``ganprior figure`` takes it.
    presets : mapping
        Frozen configuration by the name of a preset: ``smoke`` and ``paper``.
    cells : callable
        Cells of a configuration, in the order of the CSV file.
    rows : callable
        Configuration and cell to what was measured, one row per image or per run. The runner puts
        the columns of the cell before them, and seconds, device, revision and versions behind.
    inputs : callable
        Configuration to the hashes of what it reads (images, priors), by name.
    tables : callable
        Rows to tables by name, each a CSV file; "summary" is among them.
    plot : callable
        Rows and a path without suffix; writes it with ``.png`` and ``.svg``.
    claims : callable
        Rows to the orderings that the figure claims, in words, and whether each holds.
    cost : callable
        Configuration and cell to seconds, roughly, on one CPU core.
    headline : callable
        Rows to one line for the overview: the result.
    published : str
        What the paper, or a reproduction of it, has in its place.
    differs : str
        Where ours differs and why.
    trains : bool
        Whether its rows come of networks that it trains itself. They then name no shipped prior,
        and the code of ``ganprior.training`` is part of what must agree between them.
    on_gpu : bool
        Whether its cells run on the device of the sweep; the CPU alone otherwise.
    """

    name: str
    presets: Mapping[str, Any]
    cells: Callable[[Any], Sequence[Cell]]
    rows: Callable[[Any, Cell], list[Row]]
    inputs: Callable[[Any], dict[str, str]]
    tables: Callable[[list[Row]], Tables]
    plot: Callable[[list[Row], Path], None]
    claims: Callable[[list[Row]], dict[str, bool]]
    cost: Callable[[Any, Cell], float]
    headline: Callable[[list[Row]], str]
    published: str = ""
    differs: str = ""
    short: str = ""
    trains: bool = False
    on_gpu: bool = False

    @property
    def results(self) -> Path:
        """Folder of the committed results: ``experiments/PAPER/results/FIGURE``."""
        return results_of(self.name)


def results_of(name: str) -> Path:
    """Folder of the committed results of the figure of that name."""
    paper, _, figure = name.partition("/")
    return ROOT / "experiments" / paper / "results" / figure.replace("-", "_")


@dataclass(frozen=True)
class Result:
    """Rows of a cell that is done, the seconds that it took, and the protocol it was done by."""

    cell: Cell
    rows: list[Row]
    seconds: float
    protocol: dict[str, str]
