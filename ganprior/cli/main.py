"""Entry point: commands by name, each imported when it runs; errors as one line."""

from __future__ import annotations

import importlib
import io
import platform
import re
import sys
import warnings
from importlib import metadata
from typing import Any, NoReturn

import click

from ganprior import __version__
from ganprior.cli.options import with_fits
from ganprior.cli.verbosity import verbosity_options
from ganprior.names import check_name

# Name of each command and its line of help: written here so that --help imports none of them.
COMMANDS = {
    "arithmetic": "Add and subtract the mean latents of labelled images.",
    "cache": "List or clear what is kept of priors between runs.",
    "convert": "Write the weights of a pickle as safetensors.",
    "demo": "Recover ten images from 100 measurements, beside three Lassos.",
    "evaluate": "Measure the quality of a prior.",
    "figure": "Reproduce a figure of a paper, from a source checkout.",
    "fit-density": "Fit the laws that make a prior a density.",
    "fit-gaussians": "Fit the Gaussian mixture that reconstruction is compared with.",
    "inpaint": "Fill the holes of images.",
    "interpolate": "Draw the images on a path between two latents.",
    "measure": "Store measurements of images.",
    "priors": "List the priors that are here.",
    "reconstruct": "Recover images from measurements.",
    "sample": "Draw images from a prior.",
    "studio": "Try priors and solvers in a browser.",
    "sweep": "Plot the error against whatever is varied.",
    "train": "Train a prior by a recipe.",
    "train-classifier": "Train the classifier that quality is measured with.",
    "train-context-encoder": "Train the network that inpainting is compared with.",
}

# How torch says that there is no memory: on the CPU, on a GPU.
_NO_MEMORY = ("can't allocate memory", "out of memory", "Storage size calculation overflowed")
# Characters of a word, a path or a value, that an error repeats.
_LONGEST = 400
# Where the words of a command line are kept for the errors of its command.
_GIVEN = "ganprior.given"


class _Commands(click.Group):
    """Commands that are imported when they run, and errors that are one line on stderr.

    Exit status: 2 for what the user can mend, 130 after Ctrl-C, 1 for a fault of ours.
    """

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        name = cmd_name.replace("-", "_")
        command: click.Command = getattr(importlib.import_module(f"ganprior.cli.{name}"), name)
        # Commands are kept between calls in one process, by tests for one.
        if not any(option.name == "quiet" for option in command.params):
            command.params += verbosity_options()
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        check_name("command", args[0], COMMANDS)
        ctx.meta[_GIVEN] = args
        return super().resolve_command(ctx, with_fits(args))

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            # Here and not in main: click writes an empty line before it hands the interrupt on.
            _fail("interrupted", 130)
        except (click.ClickException, click.exceptions.Exit, click.Abort, BrokenPipeError):
            raise
        except Exception as error:
            if ctx.params["debug"]:
                raise
            if (reason := _users_matter(error)) is not None:
                command = self.get_command(ctx, ctx.invoked_subcommand or "")
                _fail(_in_options(reason, command, ctx.meta.get(_GIVEN, [])), 2)
            name = type(error).__name__
            _fail(f"internal error, {name}: {error}; run 'ganprior --debug ...' for the trace", 1)

    def main(self, *args: Any, **extra: Any) -> NoReturn:
        extra["standalone_mode"] = False
        if isinstance(sys.stdout, io.TextIOWrapper):
            # Names of files need not be text in any encoding; they are shown as they came.
            sys.stdout.reconfigure(errors="surrogateescape")
        try:
            status = super().main(*args, **extra)
        except click.ClickException as error:
            # click itself would print the usage too, and the message on a line of its own.
            context = error.ctx if isinstance(error, click.UsageError) else None
            hint = f" See '{context.command_path} --help'." if context else ""
            _print_error(error.format_message() + hint)
            status = 2
        sys.exit(status)


def _users_matter(error: Exception) -> str | None:
    """What the user can mend, in words; None for a fault of ours."""
    if isinstance(error, ValueError):
        return str(error)
    if isinstance(error, OSError) and error.filename is not None:
        # Files that whoever uses them found no words for.
        return f"{error.filename}: {error.strerror}; choose another file or folder, or mend it"
    if isinstance(error, MemoryError) or any(word in str(error) for word in _NO_MEMORY):
        return "there is not enough memory for this; ask for less at once, or for smaller images"
    return None


def _in_options(message: str, command: click.Command | None, given: list[str]) -> str:
    """The same with options of a command in place of the arguments of Python that they become.

    What the user wrote is left as it is.
    """
    options = {
        option.name: option.opts[0]
        for option in (command.params if command else ())
        if isinstance(option, click.Option) and "_" in str(option.name)
    }
    written = " ".join(given)
    return re.sub(
        r"(?<!in Python )(?<![\w./-])[a-z]+(?:_[a-z]+)+(?= must |=)",
        lambda word: word[0] if word[0] in written else options.get(word[0], word[0]),
        message,
    )


def _fail(message: str, status: int) -> NoReturn:
    _print_error(message)
    raise click.exceptions.Exit(status)


def _print_error(message: str) -> None:
    words = (w if len(w) <= _LONGEST else f"{w[: _LONGEST // 2]}..." for w in message.split())
    click.echo(f"Error: {' '.join(words)}", err=True)


def _print_versions(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    """Ours, and those that results depend on most, read without importing any."""
    if not wanted or ctx.resilient_parsing:
        return
    others = ", ".join(f"{name} {metadata.version(name)}" for name in ("torch", "deepinv"))
    click.echo(f"ganprior {__version__} (Python {platform.python_version()}, {others})")
    ctx.exit()


@click.group(
    "ganprior",
    cls=_Commands,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_versions,
    help="Show the versions of ganprior, Python, torch and deepinv, and exit.",
)
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
@click.pass_context
def cli(ctx: click.Context, debug: bool) -> None:
    """Recover images from few or damaged measurements with a GAN prior."""
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


def main() -> None:
    """Run the command line; every error of the user is one line on stderr and exit status 2."""
    if not sys.warnoptions:
        # What libraries tell their users' programmers; python -W default shows it.
        warnings.simplefilter("ignore")
        # What concerns the user: a cache that cannot be written, priors that are passed over.
        warnings.filterwarnings("default", message=".*GANPRIOR_(CACHE|PRIORS)")
    warnings.formatwarning = lambda message, *_: f"Warning: {message}\n"
    cli.main(prog_name="ganprior")


if __name__ == "__main__":
    main()
