"""Picture and table of ``ganprior demo`` for README: ``docs/demo.png`` and ``docs/demo.csv``.

    python -m experiments.demo_for_readme && python -m experiments.tables --write

runs the demo as a user does and takes as long; to be repeated when the shipped prior, a solver or
a default changes.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import fmean
from typing import Any

from experiments.rows import Row, write_csv
from ganprior.files import write_atomically

DOCS = Path(__file__).parents[1] / "docs"
COLUMNS = {
    "per_pixel_error": ("per-pixel error", ".4f"),
    "psnr": ("PSNR (dB)", ".2f"),
    "ssim": ("SSIM", ".3f"),
}


def means(summary: dict[str, Any]) -> list[Row]:
    """One row per solver of a ``summary.json``: means over the images."""
    found = []
    for solver in summary["config"]["solvers"]:
        rows = [row for row in summary["rows"] if row["solver"] == solver]
        values = {
            title: format(fmean(row[key] for row in rows), form)
            for key, (title, form) in COLUMNS.items()
        }
        found.append({"solver": solver, **values})
    return found


def main() -> None:
    """Run the demo and keep its picture and its means."""
    entry = "from ganprior.cli.main import main; main()"
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, "-c", entry, "demo", "--out", folder], check=True)
        summary = json.loads(Path(folder, "summary.json").read_text(encoding="utf-8"))
        picture = Path(folder, "figure.png").read_bytes()

    def write_picture(path: Path) -> None:
        path.write_bytes(picture)

    write_atomically(DOCS / "demo.png", write_picture)
    write_csv(DOCS / "demo.csv", means(summary))


if __name__ == "__main__":
    main()
