"""The table of ``experiments/README.md``: every figure, its command, and how it compares.

    python -m experiments.overview
    python -m experiments.tables --write

write it anew, from the committed rows of every figure: ``experiments/figures.csv``, then README.
"""

from __future__ import annotations

import json
from pathlib import Path

from experiments.figures import FIGURES, load_figure
from experiments.rows import Row, read_csv, write_csv

TABLE = Path(__file__).parent / "figures.csv"
NOT_RUN = "not run yet"


def overview() -> list[Row]:
    """One row per figure."""
    return [_line(name) for name in FIGURES]


def _line(name: str) -> Row:
    figure = load_figure(name)
    path = figure.results / "rows.csv"
    rows = read_csv(path) if path.is_file() else []
    minutes = sum(float(row["seconds"]) for row in rows) / 60
    return {
        "figure": name,
        "command": f"`ganprior figure {name} --preset paper`",
        "time taken": f"{minutes:.1f} min" if rows else NOT_RUN,
        "result": figure.headline(rows) if rows else NOT_RUN,
        "published": figure.published,
        "where it differs": figure.differs + (_earlier(name) if rows else ""),
    }


def _earlier(name: str) -> str:
    """What to say of a run that was committed before figures were sweeps."""
    facts = json.loads((load_figure(name).results / "config.json").read_text(encoding="utf-8"))
    if "protocol" in facts:
        return ""
    return "; the run is an earlier one, without noise and with one draw of A"


def main() -> None:
    """Write the table."""
    write_csv(TABLE, overview())


if __name__ == "__main__":
    main()
