"""Rows of a table: CSV files that are whole or absent."""

from __future__ import annotations

import csv
import gzip
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ganprior.files import write_atomically

Row = dict[str, Any]


def write_csv(path: Path, rows: Sequence[Row]) -> None:
    """Write rows with the columns of the first one; compressed where the name ends in ``.gz``.

    Raises
    ------
    ValueError
        If the file cannot be written.
    """
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    content = text.getvalue().encode()
    if path.suffix == ".gz":
        content = gzip.compress(content, mtime=0)  # the same file for the same rows

    def write(temporary: Path) -> None:
        temporary.write_bytes(content)

    write_atomically(path, write)


def read_csv(path: Path) -> list[dict[str, str]]:
    """Rows of a CSV file, compressed or not, as text."""
    content = path.read_bytes()
    text = (gzip.decompress(content) if path.suffix == ".gz" else content).decode()
    return list(csv.DictReader(io.StringIO(text, newline="")))
