"""Figures with panels: rows taken apart by the column ``panel``."""

from __future__ import annotations

from collections.abc import Iterable

from experiments.bora2017 import comparison
from experiments.rows import Row


def panels_of(rows: Iterable[Row]) -> dict[str, list[Row]]:
    """Rows by panel, in order."""
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(row["panel"], []).append(row)
    return found


def summarise_panels(rows: Iterable[Row], axis: str) -> list[Row]:
    """Mean and half-width of the 95% interval per method, a row per panel and place."""
    lines = [
        {"panel": panel, **line}
        for panel, own in panels_of(rows).items()
        for line in comparison.summarise(comparison.errors_of(own, axis), axis)
    ]
    columns = dict.fromkeys(key for line in lines for key in line)
    return [{key: line.get(key, "") for key in columns} for line in lines]
