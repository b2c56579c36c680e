"""``ganprior figure``: one figure of a paper, from its sweep to its files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ganprior.cli.checkout import load_experiment
from ganprior.cli.devices import pick_device
from ganprior.cli.options import OUT, WORKERS
from ganprior.cli.output import check_folder
from ganprior.cli.verbosity import is_quiet
from ganprior.names import check_name


@click.command()
@click.argument("name", required=False)
@click.option("--list", "list_all", is_flag=True, help="List the figures: name, claim, time.")
@click.option(
    "--preset",
    type=click.Choice(["smoke", "short", "paper"]),
    default="smoke",
    show_default=True,
    help="smoke takes seconds; paper is the published protocol; short, of some, is in between.",
)
@click.option(
    "--out",
    type=OUT,
    help="Folder of the results.  [default: runs/NAME; of the paper preset, beside the code]",
)
@click.option("--resume", is_flag=True, help="Go on where an earlier run in that folder stopped.")
@click.option("--workers", type=WORKERS, help="Processes of a local Dask cluster.")
@click.option("--scheduler", help="Address of a running Dask scheduler, in place of --workers.")
@click.option(
    "--device", default="cpu", show_default=True, help="auto, cpu, cuda or cuda:N; one process."
)
@click.option(
    "--figure-format",
    "formats",
    type=click.Choice(["png", "svg", "pdf"]),
    multiple=True,
    help="Write the figure in this format too, beside PNG and SVG; may be given several times.",
)
@click.option("--dry-run", is_flag=True, help="Print the cells and the time they would take.")
def figure(
    name: str | None,
    list_all: bool,
    preset: str,
    out: Path | None,
    resume: bool,
    workers: int | None,
    scheduler: str | None,
    device: str,
    formats: tuple[str, ...],
    dry_run: bool,
) -> None:
    """Compute figure NAME and write its CSV, PNG and SVG files and its configuration.

    Finished cells are kept in sweep.sqlite of the folder: after Ctrl-C, or worse, the same command
    with --resume computes the others. Needs the source checkout, where the experiments are.
    """
    figures = load_experiment("figures")
    if list_all:
        for known in figures.FIGURES:
            click.echo(figures.describe(known))
        return
    if name is None:
        raise ValueError("which figure? give a NAME, or --list to see them")
    check_name("figure", name, figures.names_beside(name))
    if workers is not None and scheduler is not None:
        raise ValueError("--workers and --scheduler exclude each other; give one")
    if device != "cpu" and (workers is not None or scheduler is not None):
        raise ValueError("--device goes without --workers and --scheduler; leave those out")
    declared = figures.load_figure(name)
    if preset not in declared.presets:
        raise ValueError(f"{name} has no preset {preset!r}; it has {', '.join(declared.presets)}")
    _run(declared, preset, out, resume, workers, scheduler, device, formats, dry_run)


def _run(
    declared: Any,
    preset: str,
    out: Path | None,
    resume: bool,
    workers: int | None,
    scheduler: str | None,
    device: str,
    formats: tuple[str, ...],
    dry_run: bool,
) -> None:
    sweep = load_experiment("sweep.produce")
    folder = out or sweep.usual_folder(declared, preset)
    if dry_run:
        for line in sweep.dry_run(declared, declared.presets[preset], folder, workers=workers or 1):
            click.echo(line)
        return
    check_folder("--out", folder)
    claims = sweep.produce(
        declared,
        preset,
        folder,
        resume=resume,
        workers=workers,
        scheduler=scheduler,
        device=pick_device(device),
        visible=not is_quiet(),
        formats=set(formats) - {"png", "svg"},
    )
    for claim, holds in claims.items():
        click.echo(f"{'holds' if holds else 'FAILS'}: {claim}")
    click.echo(f"results in {folder}")
