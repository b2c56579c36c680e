"""Tables of READMEs and docstrings: the Markdown of committed CSV files, so that none is typed.

A table stands between two comments,

    <!-- table: PATH.csv -->
    <!-- end -->

with PATH relative to that file. ``columns: first, second`` after the path takes those columns
alone, in that order. A cell is shown as the CSV stores it: whoever writes the CSV does the
rounding. ``<!-- table: solvers -->`` and ``<!-- table: measurements -->`` are the tables of what is
registered by name, whose classes also have their lines in the ``.pyi`` files.

    python -m experiments.tables --write

puts every table in its place; without ``--write`` it names those that differ and exits with
status 1, as a test does too.
"""

from __future__ import annotations

import argparse
import csv
import re
from pathlib import Path

from experiments import registered

ROOT = Path(__file__).parents[1]
READMES = (
    ROOT / "README.md",
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted((ROOT / "docs" / "methods").glob("*.md")),
    ROOT / "experiments" / "README.md",
    ROOT / "ganprior" / "solvers" / "engine" / "__init__.py",
)

TABLE = re.compile(
    r"^(?P<open><!-- table: (?P<path>\S+\.csv|solvers|measurements)"
    r"(?: columns: (?P<columns>[^\n]+?))? -->\n)"
    r"(?P<body>.*?)"
    r"^<!-- end -->$",
    re.MULTILINE | re.DOTALL,
)


def render(path: Path, columns: list[str] | None = None) -> str:
    """Markdown table of a CSV file.

    Parameters
    ----------
    path : Path
        CSV file whose first row names the columns.
    columns : list of str, optional
        Columns to show, in this order; all when absent.

    Raises
    ------
    ValueError
        If the file is absent or lacks one of the columns.
    """
    if not path.is_file():
        raise ValueError(f"no file {path}: run the experiment that writes it")
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file)
        known = list(reader.fieldnames or ())
        rows = list(reader)
    shown = known if columns is None else columns
    if unknown := [name for name in shown if name not in known]:
        raise ValueError(f"{path} has no column {unknown[0]!r}; its columns: {', '.join(known)}")
    return _markdown([shown, *([row[name] for name in shown] for row in rows)])


def _markdown(rows: list[list[str]]) -> str:
    """Markdown of a header and its rows."""
    lines = [rows[0], ["---"] * len(rows[0]), *rows[1:]]
    return "".join(f"| {' | '.join(map(_escaped, cells))} |\n" for cells in lines)


def _escaped(cell: str) -> str:
    """A bar within a cell is not the end of it."""
    return cell.replace("|", r"\|")


def table_of(match: re.Match[str], root: Path) -> str:
    """Markdown that belongs between the comments of one match of ``TABLE``."""
    if match["path"] == "solvers":
        return _markdown(registered.solvers())
    if match["path"] == "measurements":
        return _markdown(registered.measurements())
    columns = match["columns"]
    names = None if columns is None else [name.strip() for name in columns.split(",")]
    return render(root / match["path"], names)


def fill(text: str, root: Path) -> str:
    """Text with every table rendered anew; paths are relative to ``root``."""

    def whole(match: re.Match[str]) -> str:
        return f"{match['open']}{table_of(match, root)}<!-- end -->"

    return TABLE.sub(whole, text)


def stale(readme: Path) -> list[str]:
    """Paths of the tables of a README that differ from their CSV files."""
    return [
        match["path"]
        for match in TABLE.finditer(readme.read_text(encoding="utf-8"))
        if match["body"] != table_of(match, readme.parent)
    ]


def main() -> None:
    """Compare or rewrite the tables of every README."""
    parser = argparse.ArgumentParser(description="Tables of every README from committed CSV files.")
    parser.add_argument("--write", action="store_true", help="rewrite them in place")
    arguments = parser.parse_args()
    for stub in registered.STUBS:
        if arguments.write:
            stub.write_text(registered.stub(stub), encoding="utf-8")
        elif stub.read_text(encoding="utf-8") != registered.stub(stub):
            raise SystemExit(f"{stub} lacks what is registered; run with --write")
    for readme in READMES:
        if arguments.write:
            text = readme.read_text(encoding="utf-8")
            readme.write_text(fill(text, readme.parent), encoding="utf-8")
        elif paths := stale(readme):
            raise SystemExit(f"{readme} differs from {', '.join(paths)}; run with --write")


if __name__ == "__main__":
    main()
