"""``-q`` and ``-v``, which every command has: how much it says on stderr."""

from __future__ import annotations

import logging
import time

import click

_KEY = "ganprior.cli.verbosity"
_QUIET, _VERBOSE = "-q", "-v"


def verbosity_options() -> list[click.Option]:
    """Make the two options; they store what was given in the context of the command."""
    quiet = click.Option(
        [_QUIET, "--quiet"],
        is_flag=True,
        expose_value=False,
        callback=_keep,
        help="Say nothing on stderr but warnings and errors.",
    )
    verbose = click.Option(
        [_VERBOSE, "--verbose"],
        is_flag=True,
        expose_value=False,
        callback=_keep,
        help="Say on stderr, line by line, what is being computed.",
    )
    return [quiet, verbose]


def is_quiet() -> bool:
    """Whether the command that runs was given ``-q``."""
    context = click.get_current_context(silent=True)
    return context is not None and context.meta.get(_KEY) == _QUIET


def remark(text: str) -> None:
    """Say something on stderr that is neither a warning nor an error."""
    if not is_quiet():
        click.echo(text, err=True)


def _keep(context: click.Context, option: click.Parameter, given: bool) -> None:
    if not given:
        return
    if _KEY in context.meta:
        raise click.UsageError(f"{_QUIET} and {_VERBOSE} exclude each other; give one", context)
    context.meta[_KEY] = option.opts[0]
    if option.opts[0] == _VERBOSE:
        _report_stages(context)


def _report_stages(context: click.Context) -> None:
    """Write what the package logs while the command runs."""
    package = logging.getLogger("ganprior")
    handler, level = _Lines(), package.level
    package.addHandler(handler)
    package.setLevel(logging.INFO)

    def undo() -> None:
        package.removeHandler(handler)
        package.setLevel(level)

    # Of a command whose arguments are refused the own context is never closed.
    context.find_root().call_on_close(undo)


class _Lines(logging.Handler):
    """One line per record, with the seconds since the command began, beside any bar."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self._began = time.monotonic()

    def emit(self, record: logging.LogRecord) -> None:
        """Write a line."""
        import sys

        from tqdm import tqdm

        seconds = time.monotonic() - self._began
        tqdm.write(f"[{seconds:6.1f} s] {record.getMessage()}", file=sys.stderr)
