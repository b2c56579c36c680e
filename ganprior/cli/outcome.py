"""From measurements to a reported outcome: what ``reconstruct`` and ``demo`` have in common."""

from __future__ import annotations

import importlib.metadata
import itertools
import json
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

import ganprior
from ganprior.cli.array_stream import Stream, write_arrays
from ganprior.cli.block_work import Blockwise, Job, digest, protocol
from ganprior.cli.blockwise import solved
from ganprior.cli.comparison import Recovered
from ganprior.cli.comparison_figure import MOST_COLUMNS, draw
from ganprior.cli.comparison_report import (
    ARRAYS,
    FIGURE,
    FILES,
    SUMMARY,
    Tally,
    is_result,
    table,
    tally,
    write_summary,
)
from ganprior.cli.finished import Finished
from ganprior.cli.measurements import Signals
from ganprior.cli.pictures import FOLDER, picture_files, write_pictures
from ganprior.cli.results import UNFINISHED, new_results
from ganprior.cli.solver_specs import SolverSpec
from ganprior.cli.uncertainty import STD, spread_map
from ganprior.cli.verbosity import remark
from ganprior.jobs import blocks

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from ganprior.priors import Prior


def reconstruct_and_report(
    signals: Signals,
    prior_name: str,
    prior: Prior,
    solvers: Sequence[SolverSpec],
    *,
    seed: int,
    device: torch.device,
    out: Path,
    as_json: bool = False,
    blockwise: Blockwise | None = None,
    figure_formats: Sequence[str] = (),
    error_maps: bool = False,
    uncertainty: bool = False,
    more: Mapping[str, Any] | None = None,
) -> None:
    """Run all solvers, write the files, and print the table and what was written.

    Parameters
    ----------
    signals : Signals
        What to reconstruct from, with the truth where it is known.
    prior_name : str
        Name or path of the prior, for the record and for workers.
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
    blockwise : Blockwise, optional
        Size of a block, and who computes it.
    figure_formats : sequence of str
        Suffixes of further files of the figure: ``pdf``, ``svg``.
    error_maps : bool
        Draw how far off every pixel is.
    uncertainty : bool
        Write how sure solvers are that can say so.
    more : mapping, optional
        What else the configuration in ``summary.json`` shall say.

    Raises
    ------
    ValueError
        If a solver does not suit the physics or a file cannot be written.
    """
    blockwise, chosen = blockwise or Blockwise(), list(solvers)
    config = _config(signals, prior_name, prior, chosen, seed, device) | dict(more or {})
    config["uncertainty"] = uncertainty
    common = protocol({**config, **signals.settings}, blockwise.size)
    # The figure is a result, but no block depends on it.
    config["protocol"] = digest({**common, "error_maps": str(error_maps)}, chosen)
    figures = [FIGURE, *(f"figure.{suffix}" for suffix in dict.fromkeys(figure_formats))]
    if blockwise.resume and _is_there(out, config["protocol"], figures):
        remark(f"{out} holds the results of this command already")
        found = tally(json.loads((out / SUMMARY).read_text(encoding="utf-8"))["rows"])
    else:
        for spec in chosen:
            # A wrong option shall not cost the others' work.
            spec.build(prior, signals.noise_std)
        sha256 = prior.card.get("weights_sha256")
        job = Job(prior_name, sha256, seed, str(device), common, uncertainty=uncertainty)
        with solved(signals, job, prior, chosen, out, blockwise) as finished:
            found = _write(out, config, signals, finished, figures, error_maps=error_maps)
    if as_json:
        with (out / SUMMARY).open(encoding="utf-8") as file:
            shutil.copyfileobj(file, sys.stdout)
        return
    click.echo(table(found))
    click.echo("wrote " + ", ".join(str(out / name) for name in (*FILES, *figures[1:], FOLDER)))


def configuration(prior_name: str, prior: Prior, device: str) -> dict[str, Any]:
    """What made the numbers, apart from the images and the solvers."""
    return {
        "ganprior": ganprior.__version__,
        "torch": importlib.metadata.version("torch"),
        "deepinv": importlib.metadata.version("deepinv"),
        "prior": prior_name,
        "weights_sha256": prior.card.get("weights_sha256"),
        "device": device,
    }


def _config(
    signals: Signals,
    prior_name: str,
    prior: Prior,
    solvers: Sequence[SolverSpec],
    seed: int,
    device: torch.device,
) -> dict[str, Any]:
    """What is needed to do it again."""
    return {
        **configuration(prior_name, prior, str(device)),
        "measure": signals.spec,
        "solvers": [spec.text for spec in solvers],
        "noise_std": signals.noise_std,
        "seed": seed,
        "inputs": list(signals.inputs),
        "data_sha256": list(signals.sha256),
        "images": len(signals),
    }


def _is_there(out: Path, protocol: str, figures: Sequence[str]) -> bool:
    """Whether the folder holds the results of the very same command, whole."""
    if (out / UNFINISHED).exists() or not all((out / name).is_file() for name in figures):
        return False
    try:
        config = json.loads((out / SUMMARY).read_text(encoding="utf-8"))["config"]
        return bool(config["protocol"] == protocol)
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _write(
    out: Path,
    config: dict[str, Any],
    signals: Signals,
    finished: Finished,
    figures: Sequence[str],
    *,
    error_maps: bool,
) -> dict[str, Tally]:
    """Write all files of the results, block by block, and put them in the place of earlier ones."""
    config["settings"] = finished.settings()
    sure = [i for i in range(len(finished.solvers)) if STD in finished.kinds(i)]
    pictures = picture_files(signals.names, finished.solvers, sure)
    config = {**config, "files": [*dict.fromkeys([*FILES, *figures]), *pictures]}
    problem = None
    with new_results(out, is_result(out)) as new:
        write_arrays(new / ARRAYS, _arrays(signals, finished))
        write_summary(new / SUMMARY, config, finished.rows())
        try:
            _draw(new, figures, signals, finished, error_maps=error_maps)
            write_pictures(new, pictures, _each(finished, sure))
        except ValueError as error:
            # What took long to compute is kept: the pictures can be drawn from it.
            problem = error
    found = tally(finished.rows())
    _advise(found)
    if problem is not None:
        raise ValueError(f"{problem}; {ARRAYS} and {SUMMARY} are in {out}") from problem
    return found


def _arrays(signals: Signals, finished: Finished) -> dict[str, Stream]:
    """The arrays of ``reconstructions.npz``, in pieces."""
    import numpy as np

    shape = (len(signals), *signals.image_shape)
    solvers = finished.solvers
    arrays: dict[str, Stream] = {
        f"{kind}_{i}": (shape, finished.images(i, kind))
        for i in range(len(solvers))
        for kind in finished.kinds(i)
    }
    arrays["solvers"] = ((len(solvers),), [np.array(solvers)])
    if signals.part(0, 1).original is not None:
        arrays["original"] = (shape, (x.numpy() for x in _originals(signals)))
    return arrays


def _originals(signals: Signals) -> Iterator[Tensor]:
    for first, last in blocks(len(signals), Blockwise.size):
        x = signals.part(first, last).original
        assert x is not None
        yield x


def _draw(
    folder: Path,
    figures: Sequence[str],
    signals: Signals,
    finished: Finished,
    *,
    error_maps: bool,
) -> None:
    """Draw the first images of each solver."""
    head = signals.part(0, min(len(signals), MOST_COLUMNS))
    recovered = [
        Recovered(
            solver,
            _first(finished, i, len(head.y)),
            std=_first(finished, i, len(head.y), STD) if STD in finished.kinds(i) else None,
        )
        for i, solver in enumerate(finished.solvers)
    ]
    for name in figures:
        draw(folder / name, head, recovered, head.original, error_maps=error_maps)


def _first(finished: Finished, attempt: int, count: int, kind: str = "solver") -> Tensor:
    import torch

    images = itertools.chain.from_iterable(finished.images(attempt, kind))
    return torch.stack([torch.from_numpy(x) for x in itertools.islice(images, count)])


def _each(finished: Finished, sure: Sequence[int]) -> Iterator[Tensor]:
    """Every image of every solver, then the maps of those that say how sure they are."""
    import torch

    for attempt in range(len(finished.solvers)):
        for block in finished.images(attempt):
            yield from torch.from_numpy(block)
    for attempt in sure:
        for block in finished.images(attempt, STD):
            yield from spread_map(torch.from_numpy(block))


def _advise(found: Mapping[str, Tally]) -> None:
    """Say on stderr how many reconstructions failed or are not to be trusted, and what to do."""
    from ganprior.solution import Status

    words = {
        Status.NONFINITE: "not reconstructed",
        Status.MISFIT: "misfit",
        Status.UNLIKE_PRIOR: "unlike the prior",
        Status.NOT_MIXED: "not mixed",
    }
    for solver, own in found.items():
        for status, word in words.items():
            if count := own.status[status]:
                click.echo(
                    f"{solver}: {count} of {own.status.total()} {word}. {status.advice}", err=True
                )
