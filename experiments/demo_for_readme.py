"""Pictures and tables of commands for README: ``docs/NAME.png`` and ``docs/NAME.csv``.

    python -m experiments.demo_for_readme demo && python -m experiments.tables --write

runs the demo as a user does and takes as long; to be repeated when its prior, a solver or a
default changes. ``faces`` instead of ``demo`` reconstructs the portrait of an astronaut.

    python -m experiments.demo_for_readme demo --check ganprior-demo

writes nothing and asks whether the folder, which a run of the command wrote, has the mean errors of
the committed table.
"""

from __future__ import annotations

import argparse
import json
import math
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from experiments.rows import Row, read_csv, write_csv
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
# Processors round differently, and the search of CSGM amplifies it: between one and two threads
# and between kinds of processors mean errors of the ten images were seen to differ by 5%.
TOLERANCE = 0.06
COLUMNS = {
    "per_pixel_error": ("per-pixel error", ".4f"),
    "psnr": ("PSNR (dB)", ".2f"),
    "ssim": ("SSIM", ".3f"),
}


def means(summary: dict[str, Any]) -> list[Row]:
    """One row per solver of a ``summary.json``: means over the images; PSNR of the mean error."""
    found = []
    for solver in summary["config"]["solvers"]:
        rows = [row for row in summary["rows"] if row["solver"] == solver]
        mean = {key: fmean(row[key] for row in rows) for key in ("per_pixel_error", "ssim")}
        error = mean["per_pixel_error"]
        mean["psnr"] = -10 * math.log10(error) if error else math.inf
        values = {title: format(mean[key], form) for key, (title, form) in COLUMNS.items()}
        found.append({"solver": solver, **values})
    return found


def differences(committed: Sequence[Row], found: Sequence[Row]) -> list[str]:
    """Say where mean errors are off the committed ones by more than the tolerance.

    The last digit of a committed number may be rounded either way.
    """
    title, form = COLUMNS["per_pixel_error"]
    rounding = 0.5 * 10.0 ** -int(form[1:-1])
    errors = [{row["solver"]: float(row[title]) for row in rows} for rows in (committed, found)]
    if list(errors[0]) != list(errors[1]):
        return [f"solvers are {', '.join(errors[1])}; the table has {', '.join(errors[0])}"]
    return [
        f"{solver}: mean {title} {error}, the table has {errors[0][solver]}"
        for solver, error in errors[1].items()
        if abs(error - errors[0][solver]) > TOLERANCE * errors[0][solver] + rounding
    ]


def check(name: str, folder: Path) -> None:
    """End with one line where a run's means are not those of the committed table."""
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    found = differences(read_csv(DOCS / f"{name}.csv"), means(summary))
    if found:
        anew = f"make it anew by python -m experiments.demo_for_readme {name}"
        sys.exit(f"docs/{name}.csv is not what the code gives: {'; '.join(found)}; {anew}")


def main() -> None:
    """Run a command and keep its picture and its means, or check those of a run."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("name", choices=sorted(COMMANDS))
    parser.add_argument("--check", type=Path, metavar="FOLDER", help="what a run wrote")
    arguments = parser.parse_args()
    if arguments.check is None:
        remake(arguments.name)
    else:
        check(arguments.name, arguments.check)


def remake(name: str) -> None:
    """Run a command and keep its picture and its means."""
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
