"""A figure from its cells to its files: run what is missing, then export, tabulate and plot."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import torch

from experiments.rows import ROWS, Row, write_csv
from experiments.sweep.device import on_device
from experiments.sweep.figure import Figure
from experiments.sweep.provenance import origin, protocol
from ganprior.files import write_atomically
from ganprior.jobs import Cell, Progress, Result, Store, clock, expected_seconds, run_cells

STORE = "sweep.sqlite"


def execute(figure: Figure, config: Any, cell: Cell) -> Result:
    """Compute one cell; this is what a worker runs."""
    begin = time.perf_counter()
    measured = figure.rows(config, cell)
    seconds = time.perf_counter() - begin
    share = round(seconds / max(1, len(measured)), 4)
    rows = [{**cell.columns, **row, "seconds": share, **origin()} for row in measured]
    return Result(cell, rows, seconds, protocol(figure, config))


def usual_folder(figure: Figure, preset: str) -> Path:
    """Where results go without ``--out``: beside the figure's code for the paper preset."""
    return figure.results if preset == "paper" else Path("runs") / figure.name


def dry_run(figure: Figure, config: Any, out: Path, *, workers: int = 1) -> Iterable[str]:
    """Lines that name every cell and end with the time they will take; nothing is computed."""
    cells = list(figure.cells(config))
    taken = _taken(figure, config, out)
    for cell in cells:
        yield cell.key + (" | done" if cell.key in taken else "")
    left = expected_seconds(cells, lambda cell: figure.cost(config, cell), taken) / workers
    number = sum(cell.key not in taken for cell in cells)
    yield f"{len(cells)} cells, {number} to be done, about {clock(left)} (h:min:s)"


def produce(
    figure: Figure,
    preset: str,
    out: Path,
    *,
    resume: bool = False,
    workers: int | None = None,
    scheduler: str | None = None,
    device: torch.device | None = None,
    visible: bool = True,
    formats: Iterable[str] = (),
) -> dict[str, bool]:
    """Compute the cells that are missing and write all files of the figure.

    Parameters
    ----------
    figure : Figure
        What is produced.
    preset : str
        Name of one of its presets.
    out : Path
        Folder of ``sweep.sqlite``, ``rows.csv.gz``, a CSV per table, ``figure.png`` and ``.svg``,
        and ``config.json``.
    resume : bool
        Go on where an earlier run stopped; without it a folder with finished cells is refused.
    workers, scheduler
        As for :func:`ganprior.jobs.cluster.run_on_cluster`; neither means this process.
    device : torch.device, optional
        Where the cells run, in this process; the CPU when absent.
    visible : bool
        Say on stderr how far it has come.
    formats : iterable of str
        Further formats of the plot: ``pdf``.

    Returns
    -------
    dict
        Orderings that the figure claims, and whether each holds.

    Raises
    ------
    ValueError
        If the folder holds finished cells and ``resume`` is not given, or rows of another protocol;
        if the figure does not run on that device.
    """
    device = device or torch.device("cpu")
    if device.type != "cpu" and not (figure.on_gpu or figure.needs_gpu):
        raise ValueError(f"{figure.name} runs on the CPU alone; leave --device out")
    if device.type == "cpu" and figure.needs_gpu and preset != "smoke":
        raise ValueError(f"{figure.name} is measured on a GPU; give --device cuda")
    with on_device(device):
        claims, rows = _produce(figure, preset, out, resume, workers, scheduler, visible)
    for name in formats:
        figure.plot(rows, out / f"figure.{name}")
    return claims


def _produce(
    figure: Figure,
    preset: str,
    out: Path,
    resume: bool,
    workers: int | None,
    scheduler: str | None,
    visible: bool,
) -> tuple[dict[str, bool], list[Row]]:
    config = figure.presets[preset]
    cells = list(figure.cells(config))
    store = Store(out / STORE, protocol(figure, config))
    done = store.seconds()
    if done and not resume:
        raise ValueError(
            f"{out} holds {len(done)} finished cells; add --resume to go on with them, or choose "
            "another folder with --out"
        )
    missing = [cell for cell in cells if cell.key not in done]
    progress = Progress({cell.key: figure.cost(config, cell) for cell in missing})
    work = partial(execute, figure, config)
    results = run_cells(work, missing, workers=workers, scheduler=scheduler) if missing else ()
    for result in results:
        store.add(result)
        if visible:
            progress.tell(result.cell)
    rows = store.rows(cells)
    # NumPy has a bool of its own, which JSON does not know.
    claims = {claim: bool(holds) for claim, holds in figure.claims(rows).items()}
    write_files(figure, out, rows)
    facts = {
        "figure": figure.name,
        "preset": preset,
        "claims": claims,
        "seconds": round(sum(store.seconds().values()), 1),
        "config": asdict(config),
        "protocol": {k: v for k, v in store.protocol.items() if not k.startswith("config.")},
        **origin(),
    }
    _write_text(out / "config.json", json.dumps(facts, indent=2) + "\n")
    return claims, rows


def write_files(figure: Figure, out: Path, rows: list[Row]) -> None:
    """Write rows, tables and plot."""
    write_csv(out / ROWS, rows)
    for name, table in figure.tables(rows).items():
        if table:
            write_csv(out / f"{name}.csv", table)
    figure.plot(rows, out / "figure")


def _taken(figure: Figure, config: Any, out: Path) -> dict[str, float]:
    """Seconds of finished cells; opens a store only where there is one already."""
    if not (out / STORE).is_file():
        return {}
    return Store(out / STORE, protocol(figure, config)).seconds()


def _write_text(path: Path, text: str) -> None:
    def write(temporary: Path) -> None:
        temporary.write_text(text, encoding="utf-8")

    write_atomically(path, write)
