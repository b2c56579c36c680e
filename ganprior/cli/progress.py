"""Progress of a command: as :mod:`ganprior.progress`, with the stages that the package logs."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ganprior.cli.verbosity import is_quiet

if TYPE_CHECKING:
    from ganprior.progress import Progress


@contextmanager
def progress_bar(label: str, *, visible: bool = True) -> Iterator[Progress]:
    """Show progress while the block runs, unless the command is to be quiet.

    Parameters
    ----------
    label : str
        What is at work.
    visible : bool
        False for nothing at all.
    """
    from ganprior.progress import logger, progress

    with progress(label, visible=visible and not is_quiet()) as told:
        logger.info("%s", label)
        with _listening(told):
            yield told


@contextmanager
def _listening(told: Progress) -> Iterator[None]:
    package, handler = logging.getLogger("ganprior"), _Stages(told)
    level = package.level
    package.addHandler(handler)
    package.setLevel(logging.INFO)
    try:
        yield
    finally:
        package.removeHandler(handler)
        package.setLevel(level)


class _Stages(logging.Handler):
    """Shows each stage that begins."""

    def __init__(self, told: Progress) -> None:
        super().__init__(logging.INFO)
        self._told = told

    def emit(self, record: logging.LogRecord) -> None:
        """Show the message as the stage."""
        self._told.show(record.getMessage())
