"""Pictures and tables of commands for README: ``docs/NAME.png`` and ``docs/NAME.csv``.

    python -m experiments.demo_for_readme demo && python -m experiments.tables --write

runs the demo as a user does and takes as long; to be repeated when its prior, a solver or a
default changes. ``faces`` instead of ``demo`` reconstructs the portrait of an astronaut.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import fmean
from typing import Any

from experiments.rows import Row, write_csv
from ganprior.files import write_atomically

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
COMMANDS = {
    "demo": "demo",
    "faces": (
        "reconstruct data/astronaut_face_64.png --prior faces-64 --measure gaussian:m=500 "
        "--solver csgm --solver lasso-dct --solver lasso-wavelet"
    ),
}
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
    """Run a command and keep its picture and its means."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("name", choices=sorted(COMMANDS))
    name = parser.parse_args().name
    entry = "from ganprior.cli.main import main; main()"
    with tempfile.TemporaryDirectory() as folder:
        words = [*COMMANDS[name].split(), "--out", folder]
        subprocess.run([sys.executable, "-c", entry, *words], check=True, cwd=ROOT)
        summary = json.loads(Path(folder, "summary.json").read_text(encoding="utf-8"))
        picture = Path(folder, "figure.png").read_bytes()

    def write_picture(path: Path) -> None:
        path.write_bytes(picture)

    write_atomically(DOCS / f"{name}.png", write_picture)
    write_csv(DOCS / f"{name}.csv", means(summary))


if __name__ == "__main__":
    main()
