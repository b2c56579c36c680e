"""Cells computed by the workers of a Dask cluster.

Workers only compute: results come back one by one, and this process alone writes them. A worker
that dies takes along what it was computing and what it had not yet handed over; Dask gives those
tasks, and no others, to the workers that are left. Few more tasks than there are workers are handed
out at a time, so that what goes with a task takes no memory before its turn.
"""

from __future__ import annotations

import importlib
import itertools
import logging
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from typing import Any, TypeVar

from ganprior.jobs.cell import Result

Task = TypeVar("Task")
# Seconds to wait for a scheduler to answer.
PATIENCE = 20
# Tasks handed out per thread of the workers: one at work, the others at hand.
AHEAD = 3


def run_on_cluster(
    work: Callable[[Task], Result],
    tasks: Iterable[Task],
    *,
    workers: int = 1,
    scheduler: str | None = None,
) -> Iterator[Result]:
    """Compute cells in other processes; results come in the order in which they are done.

    Parameters
    ----------
    work : callable
        Computes the cell of a task. It goes to the workers with every task: keep it small, and
        its function at the top of a module.
    tasks : iterable
        What it is called with.
    workers : int
        Processes of a local cluster, one thread each.
    scheduler : str, optional
        Address of a running scheduler, ``tcp://host:8786``, in place of a local cluster. Its
        workers must be able to import the module of ``work``.

    Raises
    ------
    ValueError
        If dask.distributed is not installed, the scheduler does not answer, its workers cannot
        import the module, or they die again and again over the same task.
    """
    distributed = _distributed()
    with ExitStack() as stack:
        # A task may carry its images, of which Dask warns.
        stack.enter_context(warnings.catch_warnings())
        warnings.filterwarnings("ignore", message="Sending large graph")
        if scheduler is None:
            local = distributed.LocalCluster(
                n_workers=workers,
                threads_per_worker=1,
                processes=True,
                dashboard_address=None,
                # Not its warnings: a worker that is slow to leave at the end, say.
                silence_logs=logging.ERROR,
            )
            client = stack.enter_context(distributed.Client(stack.enter_context(local)))
        else:
            client = stack.enter_context(_connected(distributed, scheduler, _module(work)))
        try:
            yield from _computed(distributed, client, work, iter(tasks))
        except distributed.KilledWorker as error:
            raise ValueError(
                "a worker died over one and the same cell each time that it was tried, of too "
                "little memory perhaps; give fewer --workers, or make the cells smaller"
            ) from error


def _computed(
    distributed: Any, client: Any, work: Callable[[Task], Result], tasks: Iterator[Task]
) -> Iterator[Result]:
    # pure=False: Dask must not take two tasks for one because their arguments look alike.
    handed_out = distributed.as_completed()
    while True:
        room = AHEAD * max(1, sum(client.nthreads().values())) - handed_out.count()
        for task in itertools.islice(tasks, max(0, room)):
            handed_out.add(client.submit(work, task, pure=False))
        if handed_out.is_empty():
            return
        done = next(handed_out)
        yield done.result()
        # The scheduler forgets it: a worker that dies later does not take it along.
        done.release()


def _distributed() -> Any:
    try:
        return importlib.import_module("distributed")
    except ImportError as error:
        raise ValueError(
            "--workers and --scheduler need dask.distributed, which is not installed; "
            'run pip install "distributed", or leave them out'
        ) from error


def _connected(distributed: Any, address: str, module: str) -> Any:
    try:
        client = distributed.Client(address, timeout=PATIENCE)
    except (OSError, ValueError, TimeoutError) as error:
        raise ValueError(
            f"no scheduler answers at {address}; start one with 'dask scheduler' and give its "
            "address, such as tcp://localhost:8786"
        ) from error
    try:
        client.run(_imported, module)
    except Exception as error:
        client.close()
        raise ValueError(
            f"the workers of {address} cannot import {module} ({error}); start them where it is "
            "installed, or with PYTHONPATH set to its folder"
        ) from error
    return client


def _module(work: Any) -> str:
    """Name of the module that a worker needs; ``work`` may be a partial."""
    name: str = getattr(work, "func", work).__module__
    return name


def _imported(module: str) -> str:
    """Import on a worker what its cells will need."""
    return importlib.import_module(module).__name__
