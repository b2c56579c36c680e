"""The command line that the benchmarks share: a preset in, a CSV out."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from experiments.rows import Row, write_csv

RESULTS = Path(__file__).parent / "results"


def run_preset(
    name: str,
    description: str,
    presets: Mapping[str, Any],
    run: Callable[[Any], Iterable[Row]],
    summarise: Callable[[list[Row]], list[Row]] | None = None,
) -> None:
    """Run the preset that the command line names and write ``NAME.csv``.

    The preset ``paper`` writes to ``results``, and so does ``gpu`` (``NAME_gpu.csv``); other ones
    write to ``runs/benchmarks``, unless told where. Of a benchmark with ``summarise`` the table
    goes to ``NAME_summary.csv``.
    """
    parser = argparse.ArgumentParser(description=description.splitlines()[0])
    parser.add_argument("--preset", choices=sorted(presets), default="smoke")
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    kept = arguments.preset in ("paper", "gpu")
    out = arguments.out or (RESULTS if kept else Path("runs/benchmarks"))
    name = f"{name}_gpu" if arguments.preset == "gpu" else name
    rows = []
    for row in run(presets[arguments.preset]):
        rows.append(row)
        print(*list(row.values())[:8], flush=True)
    if not rows:
        return
    write_csv(out / f"{name}.csv", rows)
    if summarise is not None:
        write_csv(out / f"{name}_summary.csv", summarise(rows))
    print(f"results in {out}")
