"""Cells computed by the workers of a Dask cluster.

Workers only compute: results come back one by one, and this process alone writes them. A worker
that dies takes along what it was computing and what it had not yet handed over; Dask gives those
cells, and no others, to the workers that are left.
"""

from __future__ import annotations

import importlib
import logging
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from typing import Any

from experiments.sweep.cell import Cell
from experiments.sweep.figure import Figure, Result
from experiments.sweep.runner import execute

# Seconds to wait for a scheduler to answer.
PATIENCE = 20


def run_on_cluster(
    figure: Figure,
    config: Any,
    cells: Sequence[Cell],
    *,
    workers: int = 1,
    scheduler: str | None = None,
) -> Iterator[Result]:
    """Compute cells in other processes; results come in the order in which they are done.

    Parameters
    ----------
    figure, config, cells
        What is computed.
    workers : int
        Processes of a local cluster, one thread each.
    scheduler : str, optional
        Address of a running scheduler, ``tcp://host:8786``, in place of a local cluster. Its
        workers must be able to import ``experiments`` and ``ganprior``.

    Raises
    ------
    ValueError
        If dask.distributed is not installed, the scheduler does not answer, or its workers cannot
        import this checkout.
    """
    distributed = _distributed()
    with ExitStack() as stack:
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
            client = stack.enter_context(_connected(distributed, scheduler))
        # pure=False: Dask must not take two cells for one because their arguments look alike.
        tasks = [client.submit(execute, figure, config, cell, pure=False) for cell in cells]
        for task in distributed.as_completed(tasks):
            yield task.result()
            # The scheduler forgets it: a worker that dies later does not take it along.
            task.release()


def _distributed() -> Any:
    try:
        return importlib.import_module("distributed")
    except ImportError as error:
        raise ValueError(
            "--workers and --scheduler need dask.distributed, which is not installed; "
            'run pip install "distributed", or leave them out'
        ) from error


def _connected(distributed: Any, address: str) -> Any:
    try:
        client = distributed.Client(address, timeout=PATIENCE)
    except (OSError, ValueError, TimeoutError) as error:
        raise ValueError(
            f"no scheduler answers at {address}; start one with 'dask scheduler' and give its "
            "address, such as tcp://localhost:8786"
        ) from error
    try:
        client.run(_import_here)
    except Exception as error:
        client.close()
        raise ValueError(
            f"the workers of {address} cannot import this checkout ({error}); start them there "
            "with PYTHONPATH set to its folder"
        ) from error
    return client


def _import_here() -> str:
    """Import on a worker what its cells will need."""
    import experiments.sweep.runner

    return experiments.sweep.runner.__name__
