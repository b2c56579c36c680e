"""Entry point: commands by name, each imported when it runs; errors as one line."""

from __future__ import annotations

import importlib
import sys
from typing import Any

import click

from ganprior import __version__

# Name of each command and its line of help: written here so that --help imports none of them.
COMMANDS = {
    "demo": "Recover ten images from 100 measurements, beside three Lassos.",
    "interpolate": "Draw the images on a path between two latents.",
    "measure": "Store measurements of images.",
    "priors": "List the shipped priors.",
    "reconstruct": "Recover images from measurements.",
    "sample": "Draw images from a prior.",
    "train": "Train a prior by a recipe.",
}


class _Commands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"ganprior.cli.{cmd_name}")
        command: click.Command = getattr(module, cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except ValueError as error:
            if ctx.params["debug"]:
                raise
            raise click.ClickException(" ".join(str(error).split())) from error


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="ganprior")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
def cli(debug: bool) -> None:
    """Recover images from few or damaged measurements with a GAN prior."""


def main() -> None:
    """Run the command line; every error of the user is one line on stderr and exit status 2."""
    click.ClickException.exit_code = 2
    sys.exit(cli())
