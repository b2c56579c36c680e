"""The tables of ``experiments/README.md``: every figure, its command, and how it compares.

    python -m experiments.overview
    python -m experiments.tables --write

write them anew from the committed rows: ``experiments/PAPER/figures.csv``, then README.
"""

from __future__ import annotations

import json
from typing import Any

from experiments.figures import PAPERS, declared_in, table_of
from experiments.rows import Row, write_csv
from experiments.sweep.figure import Figure

NOT_RUN = "not run yet"


def overview(paper: str) -> list[Row]:
    """One row per figure of a folder."""
    return [_line(figure) for figure in declared_in(paper).values()]


def _line(figure: Figure) -> Row:
    name = figure.name
    rows = figure.committed()
    preset = preset_of(figure)
    minutes = sum(float(row["seconds"] or 0) for row in rows) / 60
    return {
        "figure": name,
        "module": figure.module,
        "claim": figure.claim,
        "command": f"`ganprior figure {name} --preset {preset}`",
        "time taken": f"{minutes:.1f} min{_elsewhere(rows)}" if rows else NOT_RUN,
        "result": figure.headline(rows) if rows else NOT_RUN,
        "claims": claims_of(figure, rows) if rows else NOT_RUN,
        "published": figure.published,
        "where it differs": "; ".join([figure.differs, *_reduced(figure)]),
    }


def _elsewhere(rows: list[Row]) -> str:
    """Device of the rows, where it is not the CPU."""
    names = {row.get("device", "cpu") for row in rows} - {"cpu"}
    return f" ({', '.join(sorted(names))})" if names else ""


def claims_of(figure: Figure, rows: list[Row]) -> str:
    """How many of the figure's claims its rows bear out, and which they do not."""
    claims = figure.claims(rows)
    failing = [claim for claim, holds in claims.items() if not holds]
    if not failing:
        return f"all {len(claims)} hold"
    held = len(claims) - len(failing)
    return f"{held} of {len(claims)} hold; not: {'; not: '.join(failing)}"


def preset_of(figure: Figure) -> str:
    """Preset of the committed rows; paper where there are none."""
    return str(_facts(figure).get("preset", "paper"))


def _reduced(figure: Figure) -> list[str]:
    """What the preset of the committed rows leaves out."""
    return [f"reduced size: {figure.reduced}"] if preset_of(figure) == "short" else []


def _facts(figure: Figure) -> dict[str, Any]:
    path = figure.results / "config.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def main() -> None:
    """Write the tables."""
    for paper in PAPERS:
        write_csv(table_of(paper), overview(paper))


if __name__ == "__main__":
    main()
