"""The pages of all figures: every committed picture and table is on one."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from experiments.figures import FIGURES, HERE, PAPERS
from experiments.pages import LONGEST, write_pages
from experiments.rows import read_csv


@pytest.fixture(scope="module")
def pages(tmp_path_factory) -> dict[Path, str]:
    folder = tmp_path_factory.mktemp("pages")
    names = write_pages(folder)
    assert names == [*PAPERS, "index"]
    return {path: path.read_text(encoding="utf-8") for path in folder.iterdir()}


def test_every_committed_picture_is_shown(pages):
    shown = [
        (path.parent / link).resolve()
        for path, text in pages.items()
        for link in re.findall(r"!\[[^]]*\]\(([^)]+)\)", text)
    ]
    assert len(shown) == len(set(shown))
    assert set(shown) == set(HERE.glob("*/results/**/*.png"))


def test_every_figure_is_on_the_page_of_its_paper(pages):
    for paper in PAPERS:
        [text] = [text for path, text in pages.items() if path.stem == paper]
        headings = re.findall(r"^## (.+)$", text, re.MULTILINE)
        own = [name.partition("/")[2] for name in FIGURES if name.startswith(f"{paper}/")]
        assert headings[: len(own)] == own
        assert all(f"ganprior figure {paper}/{name} --preset " in text for name in own)


def test_every_table_is_shown_or_named(pages):
    text = "".join(pages.values())
    for path in HERE.glob("*/results/**/*.csv"):
        rows = read_csv(path)
        if len(rows) > LONGEST:
            assert f"`experiments/{path.relative_to(HERE).as_posix()}`" in text
        for row in rows[:LONGEST] if len(rows) <= LONGEST else []:
            cells = [cell.replace("|", r"\|") for cell in row.values()]
            assert f"| {' | '.join(cells)} |\n" in text


def test_a_page_that_stays_the_same_is_not_written_again(tmp_path):
    write_pages(tmp_path)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    write_pages(tmp_path)
    assert {path: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == before
