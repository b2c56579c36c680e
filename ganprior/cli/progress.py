"""Progress of the work, on stderr and only for someone who watches."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def progress_bar(label: str) -> Iterator[Callable[[int, int], None]]:
    """Show a bar while the block runs, where stderr is a terminal.

    Parameters
    ----------
    label : str
        What is at work.

    Yields
    ------
    callable
        To be told the number of steps done, and how many there are at most.
    """
    from tqdm import tqdm

    # disable=None: tqdm's word for "only on a terminal".
    with tqdm(desc=label, disable=None, leave=False, unit="step") as bar:

        def tell(done: int, most: int) -> None:
            bar.total = most
            bar.update(done - bar.n)

        yield tell
