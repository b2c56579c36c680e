"""From measurements to a reported outcome: what ``reconstruct`` and ``demo`` have in common."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

import ganprior
from ganprior.cli.comparison import Attempt, compare
from ganprior.cli.comparison_figure import draw
from ganprior.cli.comparison_report import (
    ARRAYS,
    FIGURE,
    FILES,
    SUMMARY,
    is_result,
    rows,
    summarise,
    table,
    write_results,
)
from ganprior.cli.measurements import Measurements
from ganprior.cli.pictures import FOLDER, picture_files, write_pictures
from ganprior.cli.results import new_results
from ganprior.cli.solver_specs import SolverSpec

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from ganprior.priors import Prior


@dataclass(frozen=True)
class Source:
    """Where the signals came from.

    Attributes
    ----------
    inputs : tuple of str
        Files, folders or data sets of the images; or the measurement file.
    sha256 : tuple of str
        Checksum of each.
    original : Tensor or None
        The images in [0, 1], (N, C, H, W); None where there are measurements alone.
    """

    inputs: tuple[str, ...]
    sha256: tuple[str, ...]
    original: Tensor | None


def reconstruct_and_report(
    source: Source,
    measured: Measurements,
    prior_name: str,
    prior: Prior,
    solvers: Sequence[SolverSpec],
    *,
    seed: int,
    device: torch.device,
    out: Path,
    as_json: bool = False,
    more: Mapping[str, Any] | None = None,
) -> None:
    """Run all solvers, write the files, and print the table and what was written.

    Parameters
    ----------
    source : Source
        Origin of the signals, and the truth where it is known.
    measured : Measurements
        What to reconstruct from.
    prior_name : str
        Name or path of the prior, for the record.
    prior : Prior
        The prior.
    solvers : sequence of SolverSpec
        The solvers to compare.
    seed : int
        Seed of the starts.
    device : torch.device
        Where to compute.
    out : Path
        Folder of the files.
    as_json : bool
        Print ``summary.json`` in place of the table.
    more : mapping, optional
        What else the configuration in ``summary.json`` shall say.

    Raises
    ------
    ValueError
        If a solver does not suit the physics or a file cannot be written.
    """
    config = _config(source, measured, prior_name, prior, solvers, seed, device)
    config |= more or {}
    attempts = compare(solvers, measured, prior, seed, device)
    found = rows(measured, attempts, source.original)
    images = picture_files(measured.names, [attempt.solver for attempt in attempts])
    config["settings"] = [{"solver": a.solver, **a.settings} for a in attempts]
    summary = summarise({**config, "files": [*FILES, *images]}, found)
    problem = None
    with new_results(out, is_result(out)) as new:
        write_results(new, summary, attempts, source.original)
        try:
            draw(new / FIGURE, measured, attempts, source.original)
            write_pictures(new, measured.names, attempts)
        except ValueError as error:
            # What took long to compute is kept: the pictures can be drawn from it.
            problem = error
    _advise(attempts)
    if problem is not None:
        raise ValueError(f"{problem}; {ARRAYS} and {SUMMARY} are in {out}") from problem
    if as_json:
        click.echo(summary)
        return
    click.echo(table(found))
    click.echo("wrote " + ", ".join(str(out / name) for name in (*FILES, FOLDER)))


def _config(
    source: Source,
    measured: Measurements,
    prior_name: str,
    prior: Prior,
    solvers: Sequence[SolverSpec],
    seed: int,
    device: torch.device,
) -> dict[str, Any]:
    """What is needed to do it again."""
    return {
        "ganprior": ganprior.__version__,
        "torch": importlib.metadata.version("torch"),
        "deepinv": importlib.metadata.version("deepinv"),
        "prior": prior_name,
        "weights_sha256": prior.card.get("weights_sha256"),
        "measure": measured.spec,
        "solvers": [spec.text for spec in solvers],
        "noise_std": measured.noise_std,
        "seed": seed,
        "device": str(device),
        "inputs": list(source.inputs),
        "data_sha256": list(source.sha256),
        "images": len(measured.y),
    }


def _advise(attempts: Sequence[Attempt]) -> None:
    """Say on stderr which reconstructions failed, and what to do."""
    from ganprior.solution import Status

    for attempt in attempts:
        count = attempt.status.count(Status.NONFINITE)
        if count:
            click.echo(
                f"{attempt.solver}: {count} of {len(attempt.status)} not reconstructed. "
                f"{Status.NONFINITE.advice}",
                err=True,
            )
