"""Images solved block by block, here or by workers; what is done stays done.

A cell is one solver on one block of images. Its rows and images are one entry of a results store
(:mod:`ganprior.jobs`) in the hidden folder ``.unfinished`` of the output folder, until all blocks
are done and the results are written. A run of one block keeps its entries in memory.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ganprior.cli.block_work import Block, Blockwise, Job, run_blocks
from ganprior.cli.comparison_report import Row
from ganprior.cli.finished import Finished
from ganprior.cli.measurements import Signals
from ganprior.cli.results import UNFINISHED
from ganprior.cli.solver_specs import SolverSpec
from ganprior.cli.verbosity import is_quiet, remark
from ganprior.jobs import Cell, Progress, Result, Store, blocks

if TYPE_CHECKING:
    from ganprior.priors import Prior

STORE = "blocks.sqlite"


class _Memory:
    """As a results store, for a run that is over as soon as its one block is."""

    def __init__(self) -> None:
        self._results: dict[str, Result] = {}

    def add(self, result: Result) -> bool:
        self._results[result.cell.key] = result
        return True

    def seconds(self) -> dict[str, float]:
        return {key: result.seconds for key, result in self._results.items()}

    def rows(self, cells: Iterable[Cell]) -> list[Row]:
        return [row for cell in cells for row in self._results[cell.key].rows]

    def data(self, cell: Cell) -> bytes:
        return self._results[cell.key].data


@contextmanager
def solved(
    signals: Signals,
    job: Job,
    prior: Prior,
    solvers: list[SolverSpec],
    out: Path,
    blockwise: Blockwise,
) -> Iterator[Finished]:
    """Solve the blocks that are missing; what is left of them goes when the ``with`` block ends.

    Parameters
    ----------
    signals : Signals
        What to reconstruct.
    job : Job
        What all blocks have in common.
    prior : Prior
        Prior of the solvers that have one.
    solvers : list of SolverSpec
        The solvers.
    out : Path
        Folder of the results.
    blockwise : Blockwise
        Size of a block, and who computes it.

    Raises
    ------
    ValueError
        If a solver does not suit the physics or a block cannot be kept.
    """
    cells = _cells(signals, solvers, blockwise.size)
    several = len(cells[0]) > 1
    folder = out / UNFINISHED
    store = _opened(folder, job.protocol) if several else _Memory()
    try:
        _solve_missing(signals, job, prior, solvers, cells, store, blockwise)
        yield Finished(cells, store)
    except BaseException as error:
        done = len(store.seconds()) if several else 0
        # What one block cost is soon done again, by a command that is mended perhaps.
        if several and (not done or (isinstance(error, ValueError) and done < len(solvers))):
            _remove(folder, out)
        elif several:
            remark(f"{done} of {sum(map(len, cells))} blocks are kept; --resume goes on with them")
        raise
    if several:
        _remove(folder, out)


def _cells(signals: Signals, solvers: list[SolverSpec], size: int) -> list[list[Cell]]:
    # Numbered: the same solver may be asked for twice.
    return [
        [
            Cell(spec.text, "solver", number, first=first, last=last)
            for first, last in blocks(len(signals), size)
        ]
        for number, spec in enumerate(solvers)
    ]


def _opened(folder: Path, protocol: dict[str, str]) -> Store:
    try:
        return Store(folder / STORE, protocol)
    except OSError as error:
        raise ValueError(
            f"cannot write to {folder}: {error.strerror or error}; choose another output folder"
        ) from error


def _solve_missing(
    signals: Signals,
    job: Job,
    prior: Prior,
    solvers: list[SolverSpec],
    cells: list[list[Cell]],
    store: Store | _Memory,
    blockwise: Blockwise,
) -> None:
    done = store.seconds()
    # Block by block, so that what a solver cannot do is known after the first one.
    missing = [
        (cell, solvers[number])
        for together in zip(*cells, strict=True)
        for number, cell in enumerate(together)
        if cell.key not in done
    ]
    if not missing:
        return
    tasks = (Block(cell, spec, signals.part(cell.first, cell.last)) for cell, spec in missing)
    alone = len(cells[0]) == 1 and not blockwise.elsewhere
    job = replace(job, visible=alone)
    progress = Progress(
        {cell.key: float(cell.last - cell.first) for cell, _ in missing}, unit="blocks"
    )
    for result in run_blocks(job, prior, tasks, blockwise):
        store.add(result)
        if not (alone or is_quiet()):
            progress.tell(result.cell)


def _remove(folder: Path, out: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    # Where it held nothing else it was made for this.
    with suppress(OSError):
        out.rmdir()
