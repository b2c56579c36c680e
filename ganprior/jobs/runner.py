"""Cells computed here or elsewhere, and what the user sees of it."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TextIO, TypeVar

from ganprior.jobs.cell import Cell, Result
from ganprior.jobs.cluster import run_on_cluster

Task = TypeVar("Task")

# Seconds between two lines of progress where no one watches a terminal.
QUIET = 30.0
# Characters of the bar on a terminal.
BAR = 20


def run_cells(
    work: Callable[[Task], Result],
    tasks: Iterable[Task],
    *,
    workers: int | None = None,
    scheduler: str | None = None,
) -> Iterator[Result]:
    """Compute cells: in this process, in order, or on a cluster, as they are done.

    Parameters
    ----------
    work, tasks
        As for :func:`~ganprior.jobs.cluster.run_on_cluster`.
    workers, scheduler
        As there; neither means this process.

    Raises
    ------
    ValueError
        As there.
    """
    if workers is None and scheduler is None:
        return map(work, tasks)
    return run_on_cluster(work, tasks, workers=workers or 1, scheduler=scheduler)


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
    unit : str
        What cells are called.
    """

    def __init__(
        self, costs: dict[str, float], stream: TextIO | None = None, *, unit: str = "cells"
    ) -> None:
        self._unit = unit
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
        text = f"{done} of {self._total} {self._unit}, {clock(elapsed)} gone, {clock(ahead)} left"
        if terminal:
            filled = BAR * done // self._total
            text = f"\r\x1b[K[{'#' * filled:{BAR}}] {text}: {cell.key}"
        self._stream.write(text + ("\n" if last or not terminal else ""))
        self._stream.flush()
