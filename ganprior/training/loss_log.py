"""Losses of a run as CSV, whole again after any kind of interruption."""

from __future__ import annotations

import re
from pathlib import Path
from types import TracebackType

from ganprior.files import write_atomically

HEAD = "step,discriminator_loss,generator_loss,discriminator_gradient,generator_gradient\n"
# A step without adversary has no discriminator: two empty cells.
_ROW = re.compile(r"(\d+),([^,]*),([^,]+),([^,]*),([^,]+)")


class LossLog:
    """Losses and gradient norms of every step, appended to a file; a context manager.

    Parameters
    ----------
    path : Path
        The CSV file. Rows up to ``step`` are kept; later ones belong to a future that a resumed
        run takes again, and the last one may be torn.
    step : int
        Step that the run starts from.

    Raises
    ------
    ValueError
        If the file cannot be written.
    """

    def __init__(self, path: Path, step: int) -> None:
        text = HEAD + "".join(f"{row}\n" for row in _rows(path, step))

        def write(file: Path) -> None:
            file.write_text(text, encoding="utf-8")

        write_atomically(path, write)
        self._file = path.open("a", encoding="utf-8")

    def add(self, step: int, *values: float | None) -> None:
        """Append a row: the columns of ``HEAD`` in order, None for an empty cell."""
        cells = ("" if value is None else f"{value:.6g}" for value in values)
        self._file.write(",".join((str(step), *cells)) + "\n")

    def flush(self) -> None:
        """Bring the rows to disk."""
        self._file.flush()

    def __enter__(self) -> LossLog:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()


def _rows(path: Path, step: int) -> list[str]:
    if step == 0 or not path.exists():
        return []
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    return [line for line in lines if (row := _ROW.fullmatch(line)) and int(row[1]) <= step]
