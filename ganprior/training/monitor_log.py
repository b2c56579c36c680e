"""What monitors found, as CSV: few rows, so the file is written anew for each."""

from __future__ import annotations

import csv
import io
from pathlib import Path

from ganprior.files import write_atomically


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
    rows: list[dict[str, str]] = []
    if path.exists():
        with path.open(newline="", encoding="utf-8") as file:
            rows = [row for row in csv.DictReader(file) if int(row["step"]) < step]
    rows.append({"step": str(step), **{name: f"{value:.6g}" for name, value in values.items()}})
    columns = list(dict.fromkeys(name for row in rows for name in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)

    def write(target: Path) -> None:
        target.write_text(text.getvalue(), encoding="utf-8")

    write_atomically(path, write)
