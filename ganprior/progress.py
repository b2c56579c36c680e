"""Progress of long work on stderr: a bar on a terminal, a line now and then elsewhere.

Libraries of this package say what they begin by ``logging``, at level INFO, below the name
``ganprior``. Who shows progress to a user may show that too; see :meth:`Progress.show`.
"""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from tqdm import tqdm

# Seconds from one line to the next, where stderr is no terminal.
INTERVAL = 30.0

logger = logging.getLogger(__name__)


class Progress:
    """How far some work has come.

    Parameters
    ----------
    label : str
        What is at work.
    bar : tqdm
        Shows it; disabled where nobody watches a terminal.
    """

    def __init__(self, label: str, bar: tqdm) -> None:
        self.label = label
        self._bar = bar
        self._began = time.monotonic()
        self._stage = self._note = ""
        self._done = self._most = 0

    def tell(self, done: int, most: int, note: str = "") -> None:
        """Show the number of steps done, how many there are at most, and what is known of them."""
        self._done, self._most, self._note = done, most, note
        self._bar.total = most
        self._bar.set_postfix_str(note, refresh=False)
        self._bar.update(done - self._bar.n)

    def show(self, stage: str) -> None:
        """Show what is being computed; an empty text for nothing in particular."""
        self._stage = stage
        self._bar.set_description_str(self._what())

    @contextmanager
    def stage(self, stage: str) -> Iterator[None]:
        """Log what the block computes, and show it meanwhile."""
        logger.info("%s", stage)
        self.show(stage)
        yield
        self.show("")

    def line(self) -> str:
        """All of it as one line."""
        steps = f"step {self._done} of {self._most}" if self._most else ""
        elapsed = f"{time.monotonic() - self._began:.0f} s"
        return ", ".join(part for part in (self._what(), steps, self._note, elapsed) if part)

    def _what(self) -> str:
        return ": ".join(part for part in (self.label, self._stage) if part)


@contextmanager
def progress(
    label: str, *, initial: int = 0, visible: bool = True, leave: bool = False
) -> Iterator[Progress]:
    """Show progress while the block runs.

    Parameters
    ----------
    label : str
        What is at work.
    initial : int
        Steps that were done before.
    visible : bool
        False for nothing at all.
    leave : bool
        Leave the bar on the terminal at the end.
    """
    watched = sys.stderr is not None and sys.stderr.isatty()
    with ExitStack() as stack:
        hidden = not (visible and watched)
        bar = tqdm(desc=label, initial=initial, disable=hidden, leave=leave, unit="step")
        stack.enter_context(bar)
        told = Progress(label, bar)
        if visible and not watched:
            stack.enter_context(_lines(told))
        yield told


@contextmanager
def _lines(told: Progress) -> Iterator[None]:
    """Write a line every ``INTERVAL`` seconds, whatever is being computed meanwhile."""
    over = threading.Event()

    def write() -> None:
        while not over.wait(INTERVAL):
            print(told.line(), file=sys.stderr, flush=True)

    writer = threading.Thread(target=write, daemon=True)
    writer.start()
    try:
        yield
    finally:
        over.set()
        writer.join()
