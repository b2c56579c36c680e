"""One block of images, solved here or by a worker."""

from __future__ import annotations

import functools
import hashlib
import json
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self

from ganprior.cli.comparison import compare
from ganprior.cli.comparison_report import rows
from ganprior.cli.finished import packed
from ganprior.cli.measurements import Measurements
from ganprior.cli.solver_specs import SolverSpec
from ganprior.jobs import Cell, Result, code_hash, run_cells, versions

if TYPE_CHECKING:
    from ganprior.priors import Prior

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
    seed : int or None
        Seed of the starts; that of the measurements for None.
    device : str
        Where to compute.
    protocol : dict of str
        All that the numbers depend on.
    visible : bool
        Whether a solver shows how far it has come.
    keeps_images : bool
        Whether the images are kept, beside the rows.
    uncertainty : bool
        Whether solvers say how sure they are.
    """

    prior: str
    weights_sha256: str | None
    seed: int | None
    device: str
    protocol: dict[str, str]
    visible: bool = True
    keeps_images: bool = True
    uncertainty: bool = False


@dataclass(frozen=True)
class Block:
    """One cell and what it is computed from."""

    cell: Cell
    solver: SolverSpec
    measured: Measurements


def run_blocks(
    job: Job, prior: Prior, tasks: Iterable[Block], blockwise: Blockwise
) -> Iterator[Result]:
    """Compute blocks, here with a prior that is loaded already, or elsewhere."""
    if not blockwise.elsewhere:
        return run_cells(functools.partial(solve_block, job, prior), tasks)
    return run_cells(
        functools.partial(solve_elsewhere, replace(job, visible=False)),
        tasks,
        workers=blockwise.workers,
        scheduler=blockwise.scheduler,
    )


def solve_block(job: Job, prior: Prior, block: Block) -> Result:
    """Compute one cell."""
    import torch

    begin = time.perf_counter()
    device = torch.device(job.device)
    measured = block.measured
    seed = measured.seed if job.seed is None else job.seed
    attempts = compare(
        [block.solver],
        measured,
        prior,
        seed,
        device,
        visible=job.visible,
        uncertainty=job.uncertainty,
    )
    found = rows(measured, attempts, measured.original)
    seconds = time.perf_counter() - begin
    data = packed(attempts) if job.keeps_images else b""
    return Result(block.cell, found, seconds, {**job.protocol, **_code()}, data)


def solve_elsewhere(job: Job, block: Block) -> Result:
    """Compute one cell; this is what a worker runs."""
    return solve_block(job, _prior(job.prior, job.weights_sha256), block)


def protocol(config: Mapping[str, Any], size: int) -> dict[str, str]:
    """All that must agree between two blocks, from a configuration and the size of a block."""
    aside = ("solvers", "ganprior", "torch", "deepinv", "files", "protocol")
    fields = {key: json.dumps(value) for key, value in config.items() if key not in aside}
    return {**fields, "block": str(size), **_code()}


def digest(protocol: dict[str, str], solvers: list[SolverSpec]) -> str:
    """Short text that tells a run from every other."""
    words = [protocol, [spec.text for spec in solvers]]
    return hashlib.sha256(json.dumps(words).encode()).hexdigest()[:16]


def _code() -> dict[str, str]:
    return {"versions": versions(), "code": code_hash(_ASIDE)}


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
