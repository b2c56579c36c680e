"""``ganprior report``: all committed figures and tables in one page."""

from __future__ import annotations

from pathlib import Path

import click

from ganprior.cli.checkout import load_experiment
from ganprior.cli.options import OUT
from ganprior.cli.output import check_file


@click.command()
@click.option(
    "--out",
    default="report.html",
    show_default=True,
    type=OUT,
    help="HTML file to write.",
)
def report(out: Path) -> None:
    """Build one HTML page with all committed figures and tables.

    The page needs no other file. Needs the source checkout, where the experiments are.
    """
    check_file("--out", out)
    sections = load_experiment("report").write_report(out)
    click.echo(f"{sections} sections: {out}")
