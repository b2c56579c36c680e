"""Images solved block by block, here or by workers; what is done stays done.

A cell is one solver on one block of images. Its rows and images are one entry of a results store
(:mod:`ganprior.jobs`) in the hidden folder ``.unfinished`` of the output folder, until all blocks
are done and the results are written. A run of one block keeps its entries in memory.
"""

from __future__ import annotations

import functools
import hashlib
import io
import itertools
import json
import shutil
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from ganprior.cli.comparison import Attempt, compare
from ganprior.cli.comparison_report import Row, rows
from ganprior.cli.measurements import Measurements, Signals
from ganprior.cli.results import UNFINISHED
from ganprior.cli.solver_specs import SolverSpec
from ganprior.cli.verbosity import is_quiet, remark
from ganprior.jobs import Cell, Progress, Result, Store, blocks, code_hash, run_cells, versions

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ganprior.priors import Prior

STORE = "blocks.sqlite"
# Parts of the package that no reconstruction runs through.
_ASIDE = ("training",)


@dataclass(frozen=True)
class Blockwise:
    """The options of long work.

    Attributes
    ----------
    size : int
        Images of a block.
    resume : bool
        Go on with what a run left that was stopped.
    workers : int or None
        Processes of a local Dask cluster; this process alone for None.
    scheduler : str or None
        Address of a Dask scheduler, in place of ``workers``.
    """

    size: int = 100
    resume: bool = False
    workers: int | None = None
    scheduler: str | None = None

    @classmethod
    def of(cls, options: dict[str, Any]) -> Self:
        """Take the options of long work out of those of a command.

        Raises
        ------
        ValueError
            If ``--workers`` and ``--scheduler`` are both given.
        """
        own = cls(*(options.pop(name) for name in ("block", "resume", "workers", "scheduler")))
        if own.workers is not None and own.scheduler is not None:
            raise ValueError("--workers and --scheduler exclude each other; give one")
        return own

    @property
    def elsewhere(self) -> bool:
        """Whether other processes compute."""
        return self.workers is not None or self.scheduler is not None


@dataclass(frozen=True)
class Job:
    """What all blocks have in common, small enough to go with each of them.

    Attributes
    ----------
    prior : str
        Name or path of the prior, as workers find it.
    weights_sha256 : str or None
        Checksum of its weights.
    seed : int
        Seed of the starts.
    device : str
        Where to compute.
    protocol : dict of str
        All that the numbers depend on.
    visible : bool
        Whether a solver shows how far it has come.
    """

    prior: str
    weights_sha256: str | None
    seed: int
    device: str
    protocol: dict[str, str]
    visible: bool


@dataclass(frozen=True)
class Block:
    """One cell and what it is computed from."""

    cell: Cell
    solver: SolverSpec
    measured: Measurements


class _Memory:
    """As :class:`~ganprior.jobs.Store`, for a run that is over as soon as its one block is."""

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


class Finished:
    """Every block of every solver: what the results are written from, block by block.

    A solver that blends makes two attempts: the generator's images, then the blended ones.

    Parameters
    ----------
    cells : list of list of Cell
        The cells of each solver, in the order of the images.
    store : Store
        Holds them all.
    """

    def __init__(self, cells: list[list[Cell]], store: Store | _Memory) -> None:
        self._cells, self._store = cells, store
        self._attempts = [
            (number, place, name)
            for number, own in enumerate(cells)
            for place, (name, _) in enumerate(_facts(store.data(own[0])))
        ]

    @property
    def solvers(self) -> list[str]:
        """Name of each attempt."""
        return [name for _, _, name in self._attempts]

    def images(self, attempt: int) -> Iterator[NDArray[Any]]:
        """Reconstructions of an attempt, float32, (B, C, H, W) of each block."""
        number, place, _ = self._attempts[attempt]
        for cell in self._cells[number]:
            yield _arrays(self._store.data(cell))[f"x_{place}"]

    def rows(self) -> Iterator[Row]:
        """One row per attempt and image."""
        for number, place, _ in self._attempts:
            for cell in self._cells[number]:
                count = cell.last - cell.first
                yield from self._store.rows([cell])[place * count : (place + 1) * count]

    def settings(self) -> list[dict[str, Any]]:
        """What each attempt went by: a number, or a list of one per image where they differ."""
        found = []
        for number, place, name in self._attempts:
            parts = []
            for cell in self._cells[number]:
                own = _facts(self._store.data(cell))[place][1]
                parts.append((cell.last - cell.first, own))
            merged = {key: _merged([(n, own[key]) for n, own in parts]) for key in parts[0][1]}
            found.append({"solver": name, **merged})
        return found


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


def solve_block(job: Job, prior: Prior, block: Block) -> Result:
    """Compute one cell."""
    import torch

    begin = time.perf_counter()
    device = torch.device(job.device)
    measured = block.measured
    attempts = compare([block.solver], measured, prior, job.seed, device, visible=job.visible)
    found = rows(measured, attempts, measured.original)
    seconds = time.perf_counter() - begin
    return Result(block.cell, found, seconds, {**job.protocol, **_code()}, _packed(attempts))


def solve_elsewhere(job: Job, block: Block) -> Result:
    """Compute one cell; this is what a worker runs."""
    return solve_block(job, _prior(job.prior, job.weights_sha256), block)


def protocol(config: dict[str, Any], signals: Signals, size: int) -> dict[str, str]:
    """All that must agree between two blocks of one run."""
    aside = ("solvers", "ganprior", "torch", "deepinv", "files", "protocol")
    fields = {key: value for key, value in config.items() if key not in aside}
    fields |= {**signals.settings, "block": size}
    return {**{key: json.dumps(value) for key, value in fields.items()}, **_code()}


def digest(protocol: dict[str, str], solvers: list[SolverSpec]) -> str:
    """Short text that tells a run from every other."""
    words = [protocol, [spec.text for spec in solvers]]
    return hashlib.sha256(json.dumps(words).encode()).hexdigest()[:16]


def _code() -> dict[str, str]:
    return {"versions": versions(), "code": code_hash(_ASIDE)}


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
    work: Any = functools.partial(solve_elsewhere, job)
    if not blockwise.elsewhere:
        work = functools.partial(solve_block, job, prior)
    progress = Progress({cell.key: float(cell.last - cell.first) for cell, _ in missing})
    for result in run_cells(work, tasks, workers=blockwise.workers, scheduler=blockwise.scheduler):
        store.add(result)
        if not (alone or is_quiet()):
            progress.tell(result.cell)


@functools.lru_cache(maxsize=1)
def _prior(name: str, weights_sha256: str | None) -> Prior:
    """Prior of a worker, read once.

    Raises
    ------
    ValueError
        If it is another one than that of the process that hands out the blocks.
    """
    from ganprior.priors import Prior

    prior = Prior.load(name)
    if prior.card.get("weights_sha256") != weights_sha256:
        raise ValueError(
            f"--prior {name} has other weights on a worker; give a path that all workers see"
        )
    return prior


def _remove(folder: Path, out: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    # Where it held nothing else it was made for this.
    with suppress(OSError):
        out.rmdir()


def _packed(attempts: list[Attempt]) -> bytes:
    """Images and settings of attempts as the bytes of an ``.npz``."""
    import numpy as np

    facts = json.dumps([(attempt.solver, attempt.settings) for attempt in attempts])
    arrays = {f"x_{i}": attempt.x.numpy() for i, attempt in enumerate(attempts)}
    file = io.BytesIO()
    np.savez(file, facts=np.array(facts), **arrays)  # type: ignore[arg-type]
    return file.getvalue()


def _arrays(data: bytes) -> Any:
    import numpy as np

    return np.load(io.BytesIO(data), allow_pickle=False)


def _facts(data: bytes) -> list[tuple[str, dict[str, Any]]]:
    """Name and settings of each attempt of a cell."""
    found: list[tuple[str, dict[str, Any]]] = json.loads(str(_arrays(data)["facts"]))
    return found


def _merged(parts: list[tuple[int, Any]]) -> Any:
    """One setting of all images, from those of their blocks with the images of each."""
    values = [value for _, value in parts]
    if not any(isinstance(value, list) for value in values) and len(set(values)) == 1:
        return values[0]
    each = ([v] * count if not isinstance(v, list) else v for count, v in parts)
    return list(itertools.chain.from_iterable(each))
