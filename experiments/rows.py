"""Rows of an experiment, and where they came from."""

from __future__ import annotations

import subprocess
from pathlib import Path

from ganprior.jobs import Row, read_csv, write_csv

__all__ = ["ROWS", "Row", "git_revision", "read_csv", "write_csv"]

# All rows of a figure, compressed: they are many, and alike.
ROWS = "rows.csv.gz"


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
