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
from experiments.sweep.figure import Figure

TABLE = Path(__file__).parent / "figures.csv"
NOT_RUN = "not run yet"
# What the preset of the committed rows leaves out.
_SHORT = {"short": "; one draw of A, and CSGM with the tuned lambda alone"}


def overview() -> list[Row]:
    """One row per figure."""
    return [_line(name) for name in FIGURES]


def _line(name: str) -> Row:
    figure = load_figure(name)
    path = figure.results / "rows.csv"
    rows = read_csv(path) if path.is_file() else []
    preset = _preset(figure) if rows else "paper"
    minutes = sum(float(row["seconds"]) for row in rows) / 60
    return {
        "figure": name,
        "command": f"`ganprior figure {name} --preset {preset}`",
        "time taken": f"{minutes:.1f} min" if rows else NOT_RUN,
        "result": figure.headline(rows) if rows else NOT_RUN,
        "published": figure.published,
        "where it differs": figure.differs + _SHORT.get(preset, ""),
    }


def _preset(figure: Figure) -> str:
    facts = json.loads((figure.results / "config.json").read_text(encoding="utf-8"))
    return str(facts["preset"])


def main() -> None:
    """Write the table."""
    write_csv(TABLE, overview())


if __name__ == "__main__":
    main()
