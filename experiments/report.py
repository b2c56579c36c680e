"""One HTML page with every committed figure and table; it needs no other file and no network."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from html import escape
from pathlib import Path

from experiments.figures import FIGURES, load_figure
from experiments.overview import claims_of, preset_of
from experiments.rows import ROWS, read_csv
from ganprior.files import write_atomically

HERE = Path(__file__).parent
# Rows of every image are for programs; tables longer than this are named and left out.
LONGEST = 100

STYLE = """
body { font: 15px/1.5 sans-serif; max-width: 70em; margin: 2em auto; padding: 0 1em; color: #222 }
img { max-width: 100% } code { background: #eee; padding: 0 .2em }
table { border-collapse: collapse; margin: 1em 0; font-size: 13px }
table { display: block; overflow-x: auto }
th, td { border-bottom: 1px solid #ddd; padding: .2em .7em; text-align: left; white-space: nowrap }
"""


def write_report(path: Path) -> int:
    """Write the page; gives the number of its sections.

    Raises
    ------
    ValueError
        If the file cannot be written.
    """
    parts = list(_sections())
    contents = "".join(f'<li><a href="#{_anchor(t)}">{escape(t)}</a></li>' for t, _ in parts)
    body = "".join(f'<h2 id="{_anchor(t)}">{escape(t)}</h2>\n{text}' for t, text in parts)
    page = (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f"<title>ganprior: figures and tables</title><style>{STYLE}</style></head>\n"
        f"<body><h1>ganprior: figures and tables</h1>\n<ul>{contents}</ul>\n{body}</body></html>\n"
    )

    def write(file: Path) -> None:
        file.write_text(page, encoding="utf-8")

    write_atomically(path, write)
    return len(parts)


def _sections() -> Iterator[tuple[str, str]]:
    """Title and HTML: the figures by name, in their order, then all other results."""
    told = set()
    for name, entry in FIGURES.items():
        figure = load_figure(name)
        told.add(figure.results)
        text = f"<p>Claim: {escape(entry.claim)}.</p>"
        if not (figure.results / ROWS).is_file():
            yield name, f"{text}<p>Not run yet: {_command(name, 'paper')}.</p>\n"
            continue
        rows = read_csv(figure.results / ROWS)
        text += f"<p>Result: {escape(figure.headline(rows))}.</p>"
        text += f"<p>Claims checked on every image: {escape(claims_of(figure, rows))}.</p>"
        text += f"<p>{_command(name, preset_of(figure))}</p>"
        yield name, f"{text}\n{_files(figure.results)}"
    for folder in sorted(HERE.glob("*/results/**/")):
        if folder not in told and (files := _files(folder)):
            yield folder.relative_to(HERE).as_posix().replace("/results", ""), files


def _files(folder: Path) -> str:
    """Pictures and tables of one folder."""
    pictures = [_picture(path) for path in sorted(folder.glob("*.png"))]
    tables = [_table(path) for path in sorted(folder.glob("*.csv"))]
    return "".join(pictures + tables)


def _picture(path: Path) -> str:
    data = base64.b64encode(path.read_bytes()).decode("ascii")
    return f'<p><img alt="{escape(path.stem)}" src="data:image/png;base64,{data}"></p>\n'


def _table(path: Path) -> str:
    name, rows = path.relative_to(HERE).as_posix(), read_csv(path)
    if not rows:
        return ""
    if len(rows) > LONGEST:
        return f"<p>{len(rows)} rows: <code>experiments/{escape(name)}</code></p>\n"
    head = "".join(f"<th>{escape(key)}</th>" for key in rows[0])
    lines = [
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row.values()) + "</tr>\n"
        for row in rows
    ]
    return f"<h3>{escape(path.stem)}</h3>\n<table><tr>{head}</tr>\n{''.join(lines)}</table>\n"


def _command(name: str, preset: str) -> str:
    return f"<code>ganprior figure {escape(name)} --preset {preset}</code>"


def _anchor(title: str) -> str:
    return "".join(letter if letter.isalnum() else "-" for letter in title)
