"""Every figure at its smoke size shows what it claims; committed tables are those of their rows."""

from __future__ import annotations

import functools
import json
import re

import pytest

from experiments import overview
from experiments.figures import FIGURES, PAPERS, describe, load_figure, table_of
from experiments.rows import ROWS, Row, read_csv, write_csv
from experiments.sweep.produce import produce
from ganprior import Prior
from ganprior.priors import prior_names

NAMES = sorted(FIGURES)
COMMITTED = [name for name in NAMES if load_figure(name).committed()]
# Their rows come of random weights or of no generator, or are older than the column.
NAMELESS = ("arora2017/", "benchmarks/", "tuning/lasso", "tuning/total", "tuning/discriminator")
RECONSTRUCTING = [name for name in COMMITTED if not load_figure(name).trains]


@pytest.mark.parametrize("name", NAMES)
def test_the_smoke_preset_shows_what_the_figure_claims(name, tmp_path):
    figure = load_figure(name)
    claims = produce(figure, "smoke", tmp_path)
    assert claims
    # No test asserts a time, and what does not hold at full size may hold or not by chance.
    known = figure.results / "config.json"
    whole = json.loads(known.read_text())["claims"] if known.is_file() else {}
    failing = [claim for claim, holds in claims.items() if not holds and whole.get(claim, True)]
    assert figure.timed or failing == []
    pictures = sorted(tmp_path.glob("*.png"))
    assert pictures
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in pictures)
    assert all(path.with_suffix(".svg").read_text().startswith("<?xml") for path in pictures)
    assert json.loads((tmp_path / "config.json").read_text())["figure"] == name
    rows = read_csv(tmp_path / ROWS)
    columns = {"method", "seed", "seconds", "device", "processor", "revision", "versions"}
    columns |= set() if figure.trains or name.startswith(NAMELESS) else {"prior_sha256"}
    assert rows[0].keys() >= columns
    assert {(tmp_path / f"{table}.csv").is_file() for table in figure.tables(rows)} == {True}
    # Text and numbers give the same: tables are made of committed rows as well as of new ones.
    for table, lines in figure.tables(rows).items():
        write_csv(tmp_path / "again.csv", lines)
        assert read_csv(tmp_path / "again.csv") == read_csv(tmp_path / f"{table}.csv")
    assert figure.headline(rows)


@pytest.mark.parametrize("name", NAMES)
def test_the_paper_preset_is_a_sweep_of_different_cells(name):
    figure = load_figure(name)
    assert figure.name == name
    config = figure.presets["paper"]
    cells = figure.cells(config)
    keys = {cell.key for cell in cells}
    assert len(keys) == len(cells) >= len(figure.cells(figure.presets["smoke"]))
    assert all(figure.cost(config, cell) > 0 for cell in cells)


@functools.cache
def committed(name: str) -> tuple[Row, ...]:
    return tuple(read_csv(load_figure(name).results / ROWS))


@pytest.mark.parametrize("name", COMMITTED)
def test_committed_tables_are_those_of_the_committed_rows(name, tmp_path):
    figure = load_figure(name)
    for table, lines in figure.tables(list(committed(name))).items():
        if not lines:
            continue
        write_csv(tmp_path / "table.csv", lines)
        assert read_csv(tmp_path / "table.csv") == read_csv(figure.results / f"{table}.csv")


@functools.cache
def sha256(prior: str) -> str:
    return str(Prior.load(prior).card["weights_sha256"])[:12]


@pytest.mark.parametrize("name", RECONSTRUCTING)
def test_committed_rows_are_of_the_shipped_priors(name):
    shipped = {prior: sha256(prior) for prior in prior_names()}
    rows = [row for row in committed(name) if row.get("prior_sha256")]
    assert {row["prior_sha256"] for row in rows} <= set(shipped.values())
    for row in rows:
        if match := re.match(r"(?:csgm|representation) (\w\S*)", row["method"]):
            assert row["prior_sha256"] == sha256(match[1])
    assert rows or name.startswith(NAMELESS)


@pytest.mark.parametrize("paper", PAPERS)
def test_the_overview_is_that_of_the_committed_rows(paper, tmp_path):
    write_csv(tmp_path / "figures.csv", overview.overview(paper))
    assert read_csv(tmp_path / "figures.csv") == read_csv(table_of(paper)), (
        "run python -m experiments.overview and python -m experiments.tables --write"
    )


def test_a_figure_is_described_in_one_line():
    for name in NAMES:
        assert describe(name).startswith(f"{name}: ")
        assert len(describe(name)) < 160
