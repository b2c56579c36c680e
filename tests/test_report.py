"""The page of all figures: complete, and in need of no other file."""

from __future__ import annotations

import base64
from html.parser import HTMLParser

import pytest

from experiments.figures import FIGURES
from experiments.report import HERE, LONGEST, write_report
from experiments.rows import read_csv
from tests.cli_cases import succeed

VOID = {"meta", "img"}


class Reader(HTMLParser):
    """Checks that tags close; keeps sources, headings and cells."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.sources: list[str] = []
        self.links: list[str] = []
        self.texts: dict[str, list[str]] = {}

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.sources += [given[key] for key in ("src",) if key in given]
        self.links += [given["href"]] if "href" in given else []
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open:
            self.texts.setdefault(self.open[-1], []).append(data)


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    path = tmp_path_factory.mktemp("report") / "report.html"
    assert str(path) in succeed("report", "--out", path).stdout
    reader = Reader()
    reader.feed(path.read_text(encoding="utf-8"))
    assert reader.open == []
    return reader


def test_every_committed_picture_is_inside(page):
    prefix = "data:image/png;base64,"
    assert all(source.startswith(prefix) for source in page.sources)
    inside = {base64.b64decode(source.removeprefix(prefix)) for source in page.sources}
    committed = {path.read_bytes() for path in HERE.glob("*/results/**/*.png")}
    assert inside == committed
    assert all(link.startswith("#") for link in page.links)


def test_every_figure_and_table_is_named(page):
    assert page.texts["h2"][: len(FIGURES)] == list(FIGURES)
    cells = set(page.texts["td"])
    for path in HERE.glob("*/results/**/*.csv"):
        rows = read_csv(path)
        if len(rows) <= LONGEST:
            assert {cell for row in rows for cell in row.values() if cell} <= cells


def test_a_page_that_cannot_be_written_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match="cannot write"):
        write_report(tmp_path / "file" / "report.html")
