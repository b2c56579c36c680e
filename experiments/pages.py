"""Pages of the documentation with every committed figure and table, one per folder of figures."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from experiments.figures import HERE, PAPERS, results_of, table_of
from experiments.rows import Row, read_csv
from experiments.tables import render

# Rows of every image are for programs; tables longer than this are named and left out.
LONGEST = 100
INTERVALS = """Brackets behind a mean, and bars in figures, are its 95% interval: the percentile
bootstrap over images or runs, and over draws of A where there are several.
"""

INDEX = f"""# All figures

Every figure with its claim, its result, which claims hold, and the command that makes it again;
every picture and every table that is committed. {{doc}}`../results` shows those that matter most.

```{{toctree}}
:maxdepth: 1

{"".join(f"{paper}{chr(10)}" for paper in PAPERS)}```
"""


def write_pages(folder: Path) -> list[str]:
    """Write ``PAPER.md`` for every folder of figures, and ``index.md``; gives their names.

    Links to pictures are relative to ``folder``. A page that would not change is not touched:
    Sphinx reads what is new.
    """
    folder.mkdir(parents=True, exist_ok=True)
    pages = {paper: page_of(paper, folder) for paper in PAPERS} | {"index": INDEX}
    for name, text in pages.items():
        page = folder / f"{name}.md"
        if not page.is_file() or page.read_text(encoding="utf-8") != text:
            page.write_text(text, encoding="utf-8")
    return list(pages)


def page_of(paper: str, folder: Path) -> str:
    """Markdown of one folder of figures, for a page that lies in ``folder``."""
    return "\n".join([f"# All figures: {paper}\n", INTERVALS, *_sections(paper, folder)])


def _sections(paper: str, folder: Path) -> Iterator[str]:
    """The figures in their order, then results that are no figure's."""
    told = set()
    for line in read_csv(table_of(paper)):
        results = results_of(line["figure"])
        told.add(results)
        yield _section(line, results, folder)
    for results in sorted((HERE / paper).glob("results/**/")):
        if results not in told and (files := _files(results, folder)):
            title = results.relative_to(HERE / paper / "results").as_posix()
            yield f"## {title if title != '.' else 'other results'}\n\n{files}"


def _section(line: Row, results: Path, folder: Path) -> str:
    """One figure, of its line in the overview."""
    said = {
        "Claim": line["claim"],
        "Result": line["result"],
        "Claims, checked on every image": line["claims"],
        "Published": line["published"],
        "Where it differs": line["where it differs"],
    }
    told = "".join(f"{title}: {_plain(text)}.\n\n" for title, text in said.items() if text)
    command = line["command"].strip("`")
    return (
        f"## {line['figure'].partition('/')[2]}\n\n{told}"
        f"```text\n{command}\n```\n\n{_files(results, folder)}"
    )


def _files(results: Path, folder: Path) -> str:
    """Pictures and tables of one folder of results."""
    pictures = [
        f"![{path.stem}]({Path(os.path.relpath(path, folder)).as_posix()})\n"
        for path in sorted(results.glob("*.png"))
    ]
    return "\n".join(pictures + [_table(path) for path in sorted(results.glob("*.csv"))])


def _table(path: Path) -> str:
    name, rows = path.relative_to(HERE).as_posix(), read_csv(path)
    if not rows:
        return ""
    if len(rows) > LONGEST:
        return f"{len(rows)} rows: `experiments/{name}`\n"
    return f"`{path.stem}`\n\n{render(path)}"


def _plain(text: str) -> str:
    """Text in which Markdown finds no emphasis and no formula."""
    return "".join(f"\\{letter}" if letter in "*_$<|" else letter for letter in text)
