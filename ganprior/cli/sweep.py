"""``ganprior sweep``: the error against anything, for images and a prior of one's own."""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ganprior.cli.block_work import Block, Blockwise, Job, protocol, run_blocks
from ganprior.cli.inputs import Inputs, read_inputs
from ganprior.cli.measurements import Signals, take
from ganprior.cli.options import (
    DRAWS,
    NOISE_STD,
    OUT,
    SEED,
    block_options,
    convert_option,
    device_option,
    limit_option,
    resize_option,
    trust_options,
)
from ganprior.cli.outcome import configuration
from ganprior.cli.output import check_folder
from ganprior.cli.spec_help import measure_help, solver_help
from ganprior.cli.sweep_axis import Axis
from ganprior.cli.sweep_report import table, write_report
from ganprior.cli.verbosity import is_quiet
from ganprior.files import write_atomically
from ganprior.jobs import Cell, Progress, Store, blocks

if TYPE_CHECKING:
    from ganprior.priors import Prior

STORE, CONFIG = "sweep.sqlite", "config.json"


@dataclass(frozen=True)
class _Request:
    """Arguments and options as given."""

    inputs: tuple[str, ...]
    prior: str
    measure: str
    over: str
    solver: tuple[str, ...]
    noise_std: float
    seed: int
    draws: int
    device: str
    limit: int | None
    resize: str | None
    convert: bool
    out: Path
    blockwise: Blockwise


@click.command(epilog=f"{measure_help()}\n\n{solver_help()}")
@click.argument("inputs", nargs=-1, required=True, metavar="INPUT...")
@click.option("--prior", required=True, metavar="NAME|PATH", help="Shipped prior, or file of one.")
@trust_options
@click.option(
    "--measure", required=True, metavar="SPEC", help="How to measure, without what --over varies."
)
@click.option(
    "--over",
    required=True,
    metavar="NAME=V,V,...",
    help="What is varied: an option of --measure (m=25,50,100), noise_std, or an option of every "
    "--solver (lambda=0.01,0.1).",
)
@click.option(
    "--solver",
    multiple=True,
    default=["csgm"],
    show_default=True,
    metavar="SPEC",
    help="Solver, see below; a curve for each.",
)
@click.option(
    "--noise-std", type=NOISE_STD, default=0.0, show_default=True, help="Noise on each entry of y."
)
@click.option("--seed", type=SEED, default=0, show_default=True, help="First seed of A and noise.")
@click.option("--draws", type=DRAWS, default=1, show_default=True, help="Draws of A and noise.")
@device_option
@limit_option
@resize_option("the prior's")
@convert_option
@click.option("--out", required=True, type=OUT, help="Folder to write to.")
@block_options
def sweep(**options: Any) -> None:
    """Measure images in several ways, recover them, and plot the error against what was varied.

    OUT receives rows.csv (one row per image, value, solver and draw), summary.csv (means with 95%
    intervals), figure.png and figure.pdf, and config.json. What is done is kept in sweep.sqlite:
    with --resume a run that was stopped goes on, and values, solvers or draws may be added.
    """
    request = _Request(blockwise=Blockwise.of(options), **options)
    axis = Axis.parse(request.over, request.measure, request.solver)
    check_folder("--out", request.out)

    from ganprior.cli.devices import pick_device
    from ganprior.priors import Prior

    device = pick_device(request.device)
    prior = Prior.load(request.prior)
    inputs = _read(request, prior)
    for value in axis.values:
        # What cannot be is said before any work.
        measure = axis.measured_by(value)
        measure.build(inputs.shape, request.seed)
        for text in request.solver:
            solver = axis.solved_by(value, text)
            solver.check_measured(measure)
            solver.build(prior, axis.noise_std(value, request.noise_std))
    config = _config(request, axis, inputs, prior, str(device))
    # The seed is in the cells: further draws may be added.
    common = protocol({**config, "seed": None}, request.blockwise.size)
    job = Job(
        request.prior,
        prior.card.get("weights_sha256"),
        None,
        str(device),
        common,
        visible=False,
        keeps_images=False,
    )
    store, cells = _store(request, common), _cells(request, axis, len(inputs))
    _solve_missing(request, axis, inputs, prior, job, store, cells)
    rows = [
        {"draw": cell.seed, axis.name: cell.value, "image": row["image"], **row, "solver": label}
        for cell in cells
        for row in store.rows([cell])
        for label in [axis.label(row["solver"], cell.value, cell.method)]
    ]
    write_report(request.out, axis.name, rows)
    values = {"over": f"{axis.name}={','.join(axis.values)}", "solvers": list(request.solver)}
    text = json.dumps({**config, **values, "draws": request.draws}, indent=2) + "\n"
    write_atomically(request.out / CONFIG, lambda file: _write(file, text))
    click.echo(table(axis.name, rows))
    click.echo(f"results in {request.out}")


def _write(file: Path, text: str) -> None:
    file.write_text(text, encoding="utf-8")


def _read(request: _Request, prior: Prior) -> Inputs:
    channels, size, _ = prior.image_shape
    return read_inputs(
        request.inputs,
        limit=request.limit,
        size=size if request.resize else None,
        channels=channels if request.convert else None,
        fit=request.resize,
        expected=(f"the prior {request.prior}", prior.image_shape),
        remedy="use another prior, or --resize for the size and --convert for the channels",
    )


def _config(
    request: _Request, axis: Axis, inputs: Inputs, prior: Prior, device: str
) -> dict[str, Any]:
    """All that the numbers depend on, beside the place and the draw of a cell."""
    return {
        **configuration(request.prior, prior, device),
        "measure": request.measure,
        "axis": axis.name,
        "noise_std": request.noise_std,
        "seed": request.seed,
        "inputs": list(inputs.sources),
        "data_sha256": list(inputs.sha256),
        "images": len(inputs),
        "resize": request.resize,
        "convert": request.convert,
    }


def _store(request: _Request, common: dict[str, str]) -> Store:
    store = Store(request.out / STORE, common)
    done = store.seconds()
    if done and not request.blockwise.resume:
        raise ValueError(
            f"--out {request.out} holds {len(done)} finished blocks; add --resume to go on with "
            "them, or choose another folder"
        )
    return store


def _cells(request: _Request, axis: Axis, images: int) -> list[Cell]:
    return [
        Cell(solver, axis.name, value, "", request.seed + draw, first, last)
        for value in axis.values
        for solver in request.solver
        for draw in range(request.draws)
        for first, last in blocks(images, request.blockwise.size)
    ]


def _solve_missing(
    request: _Request,
    axis: Axis,
    inputs: Inputs,
    prior: Prior,
    job: Job,
    store: Store,
    cells: list[Cell],
) -> None:
    done = store.seconds()
    missing = [cell for cell in cells if cell.key not in done]
    progress = Progress(
        {cell.key: float(cell.last - cell.first) for cell in missing}, unit="blocks"
    )

    @functools.lru_cache(maxsize=1)
    def signals(value: str, seed: int) -> Signals:
        noise_std = axis.noise_std(value, request.noise_std)
        return take(inputs, axis.measured_by(value), noise_std, seed)

    def task(cell: Cell) -> Block:
        value = str(cell.value)
        measured = signals(value, cell.seed).part(cell.first, cell.last)
        return Block(cell, axis.solved_by(value, cell.method), measured)

    if not missing:
        return
    for result in run_blocks(job, prior, map(task, missing), request.blockwise):
        store.add(result)
        if not is_quiet():
            progress.tell(result.cell)
