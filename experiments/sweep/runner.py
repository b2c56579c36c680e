"""Cells computed one after the other in this process, and what the user sees of it."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TextIO

from experiments.sweep.cell import Cell
from experiments.sweep.figure import Figure, Result
from experiments.sweep.provenance import origin, protocol

# Seconds between two lines of progress where no one watches a terminal.
QUIET = 30.0
# Characters of the bar on a terminal.
BAR = 20


def execute(figure: Figure, config: Any, cell: Cell) -> Result:
    """Compute one cell; this is what a worker runs."""
    begin = time.perf_counter()
    measured = figure.rows(config, cell)
    seconds = time.perf_counter() - begin
    share = round(seconds / max(1, len(measured)), 4)
    rows = [{**cell.columns, **row, "seconds": share, **origin()} for row in measured]
    return Result(cell, rows, seconds, protocol(figure, config))


def run_here(figure: Figure, config: Any, cells: Iterable[Cell]) -> Iterator[Result]:
    """Compute cells in this process, in order."""
    for cell in cells:
        yield execute(figure, config, cell)


def expected_seconds(
    cells: Sequence[Cell], cost: Callable[[Cell], float], taken: dict[str, float]
) -> float:
    """Seconds that ``cells`` will take on one core, from the declared costs.

    Parameters
    ----------
    cells : sequence of Cell
        All cells of the sweep.
    cost : callable
        Declared cost of a cell.
    taken : dict
        Seconds of the cells that are done, by key: those are left out, and the costs of the others
        are scaled by how far off they were.
    """
    left = sum(cost(cell) for cell in cells if cell.key not in taken)
    declared = sum(cost(cell) for cell in cells if cell.key in taken)
    scale = (
        sum(taken[cell.key] for cell in cells if cell.key in taken) / declared if declared else 1
    )
    return left * scale


def clock(seconds: float) -> str:
    """Hours, minutes and seconds: ``1:02:03``, ``2:03``."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


class Progress:
    """A line that says how many cells are done and how long the others will take.

    On a terminal it is one line that changes, with a bar; in a log, a line every half minute.

    Parameters
    ----------
    costs : dict
        Declared cost of every cell that is to be done, by key.
    stream : file
        Where it is written; stderr when absent.
    """

    def __init__(self, costs: dict[str, float], stream: TextIO | None = None) -> None:
        self._costs = dict(costs)
        self._total = len(costs)
        self._whole = sum(costs.values())
        self._stream = stream or sys.stderr
        self._begin = self._told = time.monotonic()

    def tell(self, cell: Cell) -> None:
        """Count a cell that is done."""
        self._costs.pop(cell.key, None)
        now = time.monotonic()
        terminal, last = self._stream.isatty(), not self._costs
        if not (terminal or last or now - self._told > QUIET):
            return
        self._told = now
        left = sum(self._costs.values())
        elapsed = now - self._begin
        ahead = elapsed * left / max(self._whole - left, 1e-9)
        done = self._total - len(self._costs)
        text = f"{done} of {self._total} cells, {clock(elapsed)} gone, {clock(ahead)} left"
        if terminal:
            filled = BAR * done // self._total
            text = f"\r\x1b[K[{'#' * filled:{BAR}}] {text}: {cell.key}"
        self._stream.write(text + ("\n" if last or not terminal else ""))
        self._stream.flush()
