"""Progress of long work: a bar on a terminal and in notebooks, a line now and then elsewhere.

Methods say how many steps they have done by :func:`tell`, wherever their loop stands, and what
they begin by ``logging``, at level INFO, below the name ``ganprior``. Nobody hears it, unless a
``solve`` is asked for ``progress``; see :func:`with_progress`.
"""

from __future__ import annotations

import functools
import logging
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from typing import ParamSpec, TypeVar

from tqdm.auto import tqdm

# Seconds from one line to the next, where nobody watches.
INTERVAL = 30.0
# Told the number of steps done, and how many there are at most.
Tell = Callable[[int, int], None]
# What ``solve`` takes: a bar or none, or a function that is told.
Wish = bool | Tell

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")

logger = logging.getLogger(__name__)
# Who is told of the work in hand. Its loops stand many calls below the one who asks.
_listener: ContextVar[Tell | None] = ContextVar("listener", default=None)
# Whether a ``solve`` is at work, of which another one is a part.
_within: ContextVar[bool] = ContextVar("within", default=False)


def tell(done: int, most: int) -> None:
    """Say how many steps are done and how many there are at most, to whoever wants to know."""
    listener = _listener.get()
    if listener is not None:
        listener(done, most)


def with_progress(solve: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Let a ``solve`` obey its argument ``progress``, a bool or a function as :func:`tell`.

    The steps of another's ``solve`` that a method calls are shown as its own.
    """

    @functools.wraps(solve)
    def wrapped(*arguments: Arguments.args, **options: Arguments.kwargs) -> Result:
        wish, name = options.get("progress", False), type(arguments[0]).__name__
        with ExitStack() as stack:
            if _within.get():
                logger.info("%s", name)
            elif callable(wish):
                stack.enter_context(telling(wish))
            elif wish:
                shown = stack.enter_context(progress(name))
                stack.enter_context(stages_of_the_package(shown))
                stack.enter_context(telling(shown.tell))
            stack.callback(_within.reset, _within.set(True))
            return solve(*arguments, **options)

    return wrapped


@contextmanager
def telling(listener: Tell) -> Iterator[None]:
    """Let ``listener`` hear what is told while the block runs."""
    before = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(before)


class Progress:
    """How far some work has come.

    Parameters
    ----------
    label : str
        What is at work.
    bar : tqdm
        Shows it; disabled where nobody watches.
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
    watched = "ipykernel" in sys.modules or (sys.stderr is not None and sys.stderr.isatty())
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


@contextmanager
def stages_of_the_package(told: Progress) -> Iterator[None]:
    """Show what the package logs in this thread while the block runs."""
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
        self._told, self._thread = told, threading.get_ident()

    def emit(self, record: logging.LogRecord) -> None:
        """Show the message as the stage."""
        if record.thread == self._thread:
            self._told.show(record.getMessage())
