"""Rows of an experiment: CSV files that are whole or absent, and where a row came from."""

from __future__ import annotations

import csv
import gzip
import io
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ganprior.files import write_atomically

Row = dict[str, Any]
# All rows of a figure, compressed: they are many, and alike.
ROWS = "rows.csv.gz"


def write_csv(path: Path, rows: Sequence[Row]) -> None:
    """Write rows with the columns of the first one; compressed where the name ends in ``.gz``."""
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


def git_revision() -> str:
    """Revision of the checkout, "+changes" appended where files differ from it."""
    here = Path(__file__).parent

    def git(*arguments: str) -> str:
        command = ["git", "-C", str(here), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    try:
        changed = git("status", "--porcelain", "--untracked-files=no")
        return git("rev-parse", "--short=12", "HEAD") + ("+changes" if changed else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
