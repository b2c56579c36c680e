"""Long work in cells: a results store, and what computes the cells that are missing.

A cell is independent of every other. Cells that are done are kept in one SQLite file, so that work
that was stopped at any moment goes on where it was. They are computed in this process, in others,
or on the workers of a Dask cluster.
"""

from ganprior.jobs.cell import Cell, Result, blocks, grid
from ganprior.jobs.cluster import run_on_cluster
from ganprior.jobs.provenance import code_hash, versions
from ganprior.jobs.rows import Row, read_csv, write_csv
from ganprior.jobs.runner import Progress, clock, expected_seconds, run_cells
from ganprior.jobs.store import Store

__all__ = [
    "Cell",
    "Progress",
    "Result",
    "Row",
    "Store",
    "blocks",
    "clock",
    "code_hash",
    "expected_seconds",
    "grid",
    "read_csv",
    "run_cells",
    "run_on_cluster",
    "versions",
    "write_csv",
]
