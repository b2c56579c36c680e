"""A figure whose cells are worth nothing and take as long as a test wants.

It stands in a file of its own so that worker processes can import it.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

from experiments.rows import Row
from experiments.sweep.figure import Figure, declare
from ganprior.jobs import Cell


@dataclass(frozen=True)
class Config:
    cells: int = 6
    seconds: float = 0.0
    log: str = ""


def cells(config: Config) -> list[Cell]:
    return [Cell(method, "m", m, last=2) for m in range(config.cells // 2) for method in ("a", "b")]


def rows(config: Config, cell: Cell) -> list[Row]:
    """Two rows; leaves word of the process that worked, before and after the work."""
    _log(config, f"begin {cell.key}")
    time.sleep(config.seconds)
    _log(config, f"end {cell.key}")
    better = {"a": 1.0, "b": 2.0}[cell.method]
    return [{"image": i, "error": better + cell.number + i} for i in range(cell.first, cell.last)]


def _log(config: Config, text: str) -> None:
    if config.log:
        with Path(config.log).open("a") as file:
            file.write(f"{os.getpid()} {text}\n")


def inputs(config: Config) -> dict[str, str]:
    return {"data": "0123"}


def tables(found: list[Row]) -> dict[str, list[Row]]:
    return {"summary": [{"rows": len(found)}]}


def plot(found: list[Row], path: Path) -> None:
    (path if path.suffix else path.with_suffix(".png")).write_bytes(b"picture")


def claims(found: list[Row]) -> dict[str, bool]:
    a, b = (sum(float(r["error"]) for r in found if r["method"] == name) for name in "ab")
    return {"a below b": a < b}


def cost(config: Config, cell: Cell) -> float:
    return 2.0


def headline(found: list[Row]) -> str:
    return f"{len(found)} rows"


def toy(paper: Config | None = None, smoke: Config | None = None) -> Figure:
    smoke = smoke or Config()
    return declare(__name__, "toy/toy", "a below b", paper=paper, smoke=smoke, cost=cost)
