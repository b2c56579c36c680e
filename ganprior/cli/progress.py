"""Progress of a command: as :mod:`ganprior.progress`, with the stages that the package logs."""

from __future__ import annotations

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
    from ganprior.progress import logger, progress, stages_of_the_package

    with progress(label, visible=visible and not is_quiet()) as told:
        logger.info("%s", label)
        with stages_of_the_package(told):
            yield told
