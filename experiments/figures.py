"""The figures by name, without importing any of them: ``ganprior figure`` reads their tables.

A module declares its figures; ``python -m experiments.overview`` writes a row for each of them to
the table of its folder, ``experiments/PAPER/figures.csv``.
"""

from __future__ import annotations

import importlib
import json
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ganprior.jobs import read_csv

if TYPE_CHECKING:
    from experiments.sweep.figure import Figure

HERE = Path(__file__).parent
# Folders of figures, each with a table of its own.
PAPERS = tuple(sorted({path.parent.name for path in HERE.glob("*/*.py")} - {"sweep"}))


class Entry(NamedTuple):
    """Module that declares a figure, and what it claims, in one line."""

    module: str
    claim: str


def table_of(paper: str) -> Path:
    """Where the table of a folder is."""
    return HERE / paper / "figures.csv"


FIGURES = {
    line["figure"]: Entry(line["module"], line["claim"])
    for paper in PAPERS
    if table_of(paper).is_file()
    for line in read_csv(table_of(paper))
}


def load_figure(name: str) -> Figure:
    """Declaration of a figure.

    Raises
    ------
    KeyError
        If there is none of that name.
    """
    from experiments.sweep.figure import DECLARED

    if name in FIGURES:
        importlib.import_module(FIGURES[name].module)
        return DECLARED[name]
    return declared_in(name.partition("/")[0])[name]


def declared_in(paper: str) -> dict[str, Figure]:
    """Figures that the modules of a folder declare, those of its table first and in its order."""
    from experiments.sweep.figure import DECLARED

    for path in sorted((HERE / paper).glob("*.py")) if paper in PAPERS else []:
        importlib.import_module(f"experiments.{paper}.{path.stem}")
    own = {name for name in DECLARED if name.startswith(f"{paper}/")}
    return {
        name: DECLARED[name]
        for name in [*filter(own.__contains__, FIGURES), *sorted(own - FIGURES.keys())]
    }


def names_beside(name: str) -> Collection[str]:
    """Names that a name may be, those that no table has yet among them."""
    return FIGURES if name in FIGURES else {*FIGURES, *declared_in(name.partition("/")[0])}


def results_of(name: str) -> Path:
    """Folder of the committed results of a figure: ``experiments/PAPER/results/FIGURE``."""
    paper, _, figure = name.partition("/")
    return HERE / paper / "results" / figure.replace("-", "_")


def describe(name: str) -> str:
    """One line: name, claim, and the time that the committed run took."""
    path = results_of(name) / "config.json"
    facts = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    seconds, device = facts.get("seconds"), facts.get("device", "cpu")
    took = f"took {seconds / 60:.0f} min" if seconds else "not timed" if facts else "not run yet"
    return f"{name}: {FIGURES[name].claim} ({took}{'' if device == 'cpu' else f' on {device}'})"
