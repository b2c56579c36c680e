"""What a figure declares, and what it has by default."""

from __future__ import annotations

import functools
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from experiments.figures import results_of
from experiments.intervals import grouped, tabulate
from experiments.rows import ROWS, Row, read_csv
from ganprior.jobs import Cell

Tables = dict[str, list[Row]]
# Columns behind the last one that says where a row stands.
LAST_PLACE = "seed"
ANY = ""  # method
LEAST = 1e-4  # seconds of a row
INTERVAL = r" [\[(]"
FUNCTIONS = ("cells", "rows", "claims", "inputs", "tables", "headline", "plot")


class Figure:
    """A figure as a sweep: cells, the rows of a cell, claims and a plot; the rest is here.

    A figure gives ``cells``, ``rows`` and ``claims``, and whatever it has in place of a default.
    Every function takes text for numbers, as a CSV file gives them, so that committed rows are
    tabulated and plotted anew without any computing. The functions stand at the top of their
    modules: workers in other processes find them by name.

    Parameters
    ----------
    name : str
        ``PAPER/figure``, as ``ganprior figure`` takes it.
    presets : mapping
        Frozen configuration by the name of a preset: ``smoke`` and ``paper``.
    **declared
        Attributes and functions in place of those of this class, of the same signature.

    Attributes
    ----------
    claim, module : str
        What it claims, in one line, and the module that declares it.
    column, form : str
        What is measured, and how its means are written.
    across : str
        Column whose values are compared side by side.
    published : str
        What the paper, or a reproduction of it, has in its place.
    differs : str
        Where ours differs and why.
    reduced : str
        What the preset ``short`` leaves out.
    trains : bool
        Whether its rows come of networks that it trains itself. They then name no shipped prior,
        and the code of ``ganprior.training`` is part of what must agree between them.
    on_gpu : bool
        Whether its cells run on the device of the sweep; the CPU alone otherwise.
    needs_gpu : bool
        Whether it is measured on a GPU and nowhere else, its smoke preset aside.
    timed : bool
        Whether its claims are of seconds, which hold on an idle machine and at full size.
    """

    column, form, across = "per_pixel_error", ".4f", "method"
    published = differs = reduced = claim = module = ""
    trains = on_gpu = needs_gpu = timed = False

    def __init__(self, name: str, presets: Mapping[str, Any], **declared: Any) -> None:
        if unknown := declared.keys() - set(dir(Figure)):
            raise ValueError(f"figure {name} declares {min(unknown)!r}, which no figure has")
        self.name, self.presets, self.declared = name, presets, declared
        vars(self).update(declared)

    def replace(self, **changes: Any) -> Figure:
        """Return the same figure with some of its declarations replaced."""
        presets = changes.pop("presets", self.presets)
        return Figure(self.name, presets, **{**self.declared, **changes})

    @property
    def results(self) -> Path:
        """Folder of the committed results: ``experiments/PAPER/results/FIGURE``."""
        return results_of(self.name)

    def committed(self) -> list[Row]:
        """Committed rows; none where there are none yet."""
        path = self.results / ROWS
        return list(read_csv(path)) if path.is_file() else []

    def cells(self, config: Any) -> Sequence[Cell]:
        """Cells of a configuration, in the order of the CSV file."""
        raise NotImplementedError(f"figure {self.name} declares no cells")

    def rows(self, config: Any, cell: Cell) -> list[Row]:
        """What was measured, one row per image or per run.

        The runner puts the columns of the cell before them, and seconds, device, revision and
        versions behind.
        """
        raise NotImplementedError(f"figure {self.name} declares no rows")

    def claims(self, found: list[Row]) -> dict[str, bool]:
        """Orderings that the figure claims, in words, and whether each holds."""
        raise NotImplementedError(f"figure {self.name} declares no claims")

    def inputs(self, config: Any) -> dict[str, str]:
        """Hashes of what is read, by name: the images and priors that the configuration names."""
        from experiments.images import inputs_of

        return inputs_of(config)

    def tables(self, found: list[Row]) -> Tables:
        """Tables by name, each a CSV file; "summary" is among them.

        By default that has the means with 95% intervals: a line per place, a column per value of
        ``across``.
        """
        return {"summary": means_by_place(found, self.column, self.across, self.form)}

    def headline(self, found: list[Row]) -> str:
        """One line for the overview, the result: the summary's means without their intervals."""
        return headline_of(self.tables(found)["summary"], found)

    def plot(self, found: list[Row], path: Path) -> None:
        """Write a picture of the rows: curves, or bars.

        To ``path`` with ``.png`` and ``.svg``, or to ``path`` alone where it ends in a format.
        """
        from experiments import plots

        plots.draw_places(found, path, self.column, place_columns(found), self.across)

    def cost(self, config: Any, cell: Cell) -> float:
        """Seconds of a cell, roughly: what the committed rows of its method took."""
        taken, each = seconds_taken(self.results)
        return taken.get(cell.method, taken[ANY]) * ((cell.last - cell.first) or each)


# Figures by name, of the modules that have been imported.
DECLARED: dict[str, Figure] = {}


def declare(
    module: str, name: str, claim: str, *, paper: Any, smoke: Any, short: Any = None, **own: Any
) -> Figure:
    """Declare a figure whose functions are those of a module: ``cells``, ``rows``, ``claims`` ...

    Functions that the module does not have are the defaults; ``own`` goes before both.

    Parameters
    ----------
    module : str
        ``__name__``.
    name, claim : str
        ``PAPER/figure``, and what it claims, in one line.
    paper, smoke, short
        Frozen configurations: the published protocol, one of seconds, and one in between.
    **own
        Attributes and functions of :class:`Figure`.

    Raises
    ------
    ValueError
        If a figure has no such attribute, or another module declares one of this name.
    """
    presets = {"paper": paper, "short": short, "smoke": smoke}
    given = vars(sys.modules[module])
    functions = {name: given[name] for name in FUNCTIONS if name in given}
    presets = {preset: config for preset, config in presets.items() if config is not None}
    figure = Figure(name, presets, claim=claim, module=module, **functions | own)
    if module == "__main__":  # run as a command: load_figure imports the module by its own name
        return figure
    if (known := DECLARED.setdefault(name, figure)).module != module:
        raise ValueError(f"{known.module} and {module} both declare {name}; rename one")
    DECLARED[name] = figure
    return figure


def means_by_place(
    found: Sequence[Row], column: str = Figure.column, across: str = "method", form: str = ".4f"
) -> list[Row]:
    """Means with 95% intervals: a line per place, a column per value of ``across``."""
    lines = [name for name in place_columns(found) if name not in (across, "method")]
    return tabulate(found, column, lines, across, form)


def headline_of(table: Sequence[Row], found: Sequence[Row]) -> str:
    """Lines of a table in words, means without their intervals."""
    lines = []
    for line in table:
        place = [name for name in place_columns(found) if name in line] or list(line)[:1]
        where = ", ".join(told(name, line[name]) for name in place)
        cells = [
            f"{name} {re.split(INTERVAL, str(value))[0]}"
            for name, value in line.items()
            if name not in place and value != ""
        ]
        lines.append(f"{where}: {', '.join(cells)}")
    return "; ".join(lines)


def told(name: str, value: object) -> str:
    """A place in words: ``m = 100``, or a value that speaks for itself."""
    number = str(value).replace(".", "", 1).isdigit()
    return f"{name} = {value}" if number else str(value)


def place_columns(found: Sequence[Row]) -> list[str]:
    """Columns that say where a row stands, without the seed: panel, axis and method."""
    return list(found[0])[: list(found[0]).index(LAST_PLACE)]


@functools.cache
def seconds_taken(results: Path) -> tuple[dict[str, float], float]:
    """Mean seconds of a committed row by method, and rows of a cell that has no images."""
    known = read_csv(results / ROWS) if (results / ROWS).is_file() else []
    rows = [row for row in known if row["seconds"]]
    if not rows:
        return {ANY: 1.0}, 1.0
    groups = {name: own for (name,), own in grouped(rows, ["method"]).items()}
    means = {
        method: max(LEAST, sum(float(row["seconds"]) for row in own) / len(own))
        for method, own in {**groups, ANY: rows}.items()
    }
    cells = grouped(rows, [*place_columns(rows), LAST_PLACE])
    return means, len(rows) / len(cells)
