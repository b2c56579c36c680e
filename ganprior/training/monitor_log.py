"""What monitors found, as CSV: few rows, so the file is written anew for each."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from ganprior.files import write_atomically


def cut(path: Path, step: int) -> None:
    """Drop the rows after a step: they belong to a future that a resumed run takes again.

    Raises
    ------
    ValueError
        If the file cannot be written.
    """
    rows = _rows(path, step)
    if rows:
        _write(path, rows)
    else:
        path.unlink(missing_ok=True)


def add_row(path: Path, step: int, values: dict[str, float]) -> None:
    """Add a row to a file, whose rows of this step and later ones belong to another future.

    Parameters
    ----------
    path : Path
        The CSV file; it need not be there yet.
    step : int
        Step of the row, its first column.
    values : dict of float
        The other columns by name. Rows may have different ones: their cells are empty.

    Raises
    ------
    ValueError
        If the file cannot be written.
    """
    row = {"step": str(step), **{name: f"{value:.6g}" for name, value in values.items()}}
    _write(path, [*_rows(path, step - 1), row])


def _rows(path: Path, last: int) -> list[dict[str, str]]:
    """Rows of a file up to a step; what is no row of a step is left out."""
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8", errors="replace") as file:
        found = list(csv.DictReader(file, restval=""))
    return [row for row in found if row.get("step", "").isdecimal() and int(row["step"]) <= last]


def _write(path: Path, rows: list[dict[str, str]]) -> None:
    columns = list(dict.fromkeys(name for row in rows for name in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)

    def write(target: Path) -> None:
        target.write_text(text.getvalue(), encoding="utf-8")

    write_atomically(path, write)
