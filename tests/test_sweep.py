"""The results store and the runner: nothing lost, nothing twice, nothing mixed."""

from __future__ import annotations

import io
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from itertools import product
from pathlib import Path

import pytest

from experiments.rows import ROWS, read_csv
from experiments.sweep.produce import dry_run, execute, produce
from experiments.sweep.provenance import protocol
from ganprior.jobs import Cell, Progress, Result, Store, blocks, clock, expected_seconds
from ganprior.jobs import store as sweep_store
from tests import toy_sweep
from tests.toy_sweep import Config, toy

ROOT = Path(__file__).parents[1]


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "sweep.sqlite", protocol(toy(), Config()))


def result_of(cell, config=None):
    return execute(toy(), config or Config(), cell)


def test_a_cell_is_there_once_and_rows_come_in_the_order_asked_for(store):
    cells = toy_sweep.cells(Config())
    for cell in reversed(cells):
        assert store.add(result_of(cell))
    assert not store.add(result_of(cells[0]))
    rows = store.rows(cells)
    assert [(row["m"], row["method"], row["image"]) for row in rows] == [
        (m, method, image) for m in range(3) for method in "ab" for image in (0, 1)
    ]
    assert store.seconds().keys() == {cell.key for cell in cells}


def test_of_two_that_write_the_same_cell_at_once_one_writes_it(store):
    results = [result_of(cell) for cell in toy_sweep.cells(Config())]
    other = Store(store.path, store.protocol)
    with ThreadPoolExecutor(4) as pool:
        written = list(
            pool.map(lambda pair: pair[0].add(pair[1]), product((store, other), results))
        )
    assert sum(written) == len(results)
    assert len(store.rows(toy_sweep.cells(Config()))) == 2 * len(results)


def test_every_row_says_where_it_came_from(store):
    cell = toy_sweep.cells(Config())[0]
    store.add(result_of(cell))
    for row in store.rows([cell]):
        assert row.keys() >= {"seed", "seconds", "device", "revision", "versions"}
        assert "torch=" in row["versions"]
        assert row["revision"]


def test_a_store_opened_again_has_what_was_written(store):
    cell = toy_sweep.cells(Config())[0]
    store.add(result_of(cell))
    again = Store(store.path, store.protocol)
    assert again.rows([cell]) == store.rows([cell])


def test_rows_with_other_columns_are_filled_up(store):
    one, two = toy_sweep.cells(Config())[:2]
    store.add(replace(result_of(one), rows=[{"a": 1}]))
    store.add(replace(result_of(two), rows=[{"b": 2}]))
    assert store.rows([one, two]) == [{"a": 1, "b": ""}, {"a": "", "b": 2}]


@pytest.mark.parametrize(
    ("field", "change"),
    [("config.cells", {"cells": 8}), ("config.seconds", {"seconds": 0.5})],
)
def test_a_store_of_another_configuration_is_refused_by_the_field(store, field, change):
    other = protocol(toy(), Config(**change))
    with pytest.raises(ValueError, match=f"another protocol: {field} is .* there and .* here"):
        Store(store.path, other)


def test_a_result_of_another_protocol_is_refused_by_the_field(store):
    cell = toy_sweep.cells(Config())[0]
    mixed = replace(result_of(cell), protocol={**store.protocol, "versions": "torch=0"})
    with pytest.raises(ValueError, match="another protocol: versions is"):
        store.add(mixed)
    assert store.rows([cell]) == []


def test_a_file_that_is_no_store_is_refused(tmp_path):
    (tmp_path / "x.sqlite").write_text("no database at all" * 100)
    with pytest.raises(ValueError, match="is no results store"):
        Store(tmp_path / "x.sqlite", {})


def test_what_sqlite_has_to_say_is_one_sentence(store, monkeypatch):
    """Damage behind the first page, another schema, a folder, a lock, rows that are no JSON."""
    cells = toy_sweep.cells(Config())
    for cell in cells:
        store.add(replace(result_of(cell), rows=[{"a": "x" * 5000}]))
    whole = store.path.read_bytes()

    def refused(words: str) -> None:
        for use in (
            lambda: Store(store.path, store.protocol).seconds(),
            lambda: store.add(result_of(cells[0])),
            lambda: store.rows(cells),
        ):
            with pytest.raises(ValueError, match=r"another folder with --out") as caught:
                use()
            assert words in str(caught.value)
            assert str(store.path) in str(caught.value)

    store.path.write_bytes(whole[:4096] + b"\xff" * (len(whole) - 4096))
    refused("damaged")
    with closing(sqlite3.connect(store.path.with_name("other"))) as other:
        other.execute("CREATE TABLE cells (a TEXT)")
    store.path.write_bytes(store.path.with_name("other").read_bytes())
    refused("is no results store")
    store.path.unlink()
    store.path.mkdir()
    refused("cannot be opened")
    store.path.rmdir()
    store.path.write_bytes(whole)
    monkeypatch.setattr(sweep_store, "PATIENCE", 0.01)
    with closing(sqlite3.connect(store.path)) as other:
        other.execute("BEGIN EXCLUSIVE")
        refused("another process")
    with closing(sqlite3.connect(store.path)) as other, other:
        other.execute("UPDATE cells SET rows = '{'")
    with pytest.raises(ValueError, match="is no results store, or damaged"):
        store.rows(cells)


def test_keys_differ_in_whatever_cells_differ_in():
    cell = Cell("method", "m", 10)
    others = [
        replace(cell, method="other"),
        replace(cell, axis="k"),
        replace(cell, value=10.5),
        replace(cell, panel="m = 3"),
        replace(cell, seed=1),
        replace(cell, first=1),
        replace(cell, last=1),
    ]
    assert len({c.key for c in [cell, *others]}) == len(others) + 1
    assert list(blocks(5, 2)) == [(0, 2), (2, 4), (4, 5)]


def test_produce_writes_every_file_and_resumes_only_when_told_to(tmp_path):
    figure = toy(smoke=Config(log=str(tmp_path / "log")))
    assert produce(figure, "smoke", tmp_path / "out") == {"a below b": True}
    rows = read_csv(tmp_path / "out" / ROWS)
    assert len(rows) == 12
    assert read_csv(tmp_path / "out" / "summary.csv") == [{"rows": "12"}]
    config = json.loads((tmp_path / "out" / "config.json").read_text())
    assert config["claims"] == {"a below b": True}
    assert config["config"]["cells"] == 6
    with pytest.raises(ValueError, match="holds 6 finished cells; add --resume"):
        produce(figure, "smoke", tmp_path / "out")
    produce(figure, "smoke", tmp_path / "out", resume=True)
    assert len((tmp_path / "log").read_text().splitlines()) == 12
    assert read_csv(tmp_path / "out" / ROWS) == rows


CHILD = """
import sys
from pathlib import Path
from experiments.sweep.produce import produce
from tests.toy_sweep import Config, toy
produce(toy(smoke=Config(seconds=0.1, log=sys.argv[1])), "smoke", Path(sys.argv[2]))
"""


def test_a_run_killed_in_the_middle_goes_on_without_repeating_a_cell(tmp_path):
    log, out = tmp_path / "log", tmp_path / "out"
    command = [sys.executable, "-c", CHILD, str(log), str(out)]
    child = subprocess.Popen(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)})
    deadline = time.monotonic() + 240
    while not (log.is_file() and log.read_text().count("begin") >= 3):
        assert child.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.01)
    child.send_signal(signal.SIGKILL)
    child.wait()
    figure = toy(smoke=Config(seconds=0.1, log=str(log)))
    store = Store(out / "sweep.sqlite", protocol(figure, figure.presets["smoke"]))
    done = set(store.seconds())
    assert 1 <= len(done) < 6
    before = log.read_text().count("begin")
    produce(figure, "smoke", out, resume=True)
    begun = [line.split(" ", 2)[2] for line in log.read_text().splitlines() if "begin" in line]
    assert set(begun[before:]) == {c.key for c in toy_sweep.cells(Config())} - done
    rows = read_csv(out / ROWS)
    assert len({(row["m"], row["method"], row["image"]) for row in rows}) == len(rows) == 12


def test_runs_killed_at_any_moment_finish_in_the_end_without_a_cell_twice(tmp_path):
    """The moments are drawn: while it starts, works, writes a cell, or writes the files."""
    log, out = tmp_path / "log", tmp_path / "out"
    log.write_text("")
    child = CHILD.replace("seconds=0.1", "cells=10, seconds=0.02").replace(
        "Path(sys.argv[2]))", "Path(sys.argv[2]), resume=True)"
    )
    figure = toy(smoke=Config(cells=10, seconds=0.02, log=str(log)))
    moments = random.Random(0)
    kept: set[str] = set()
    for _ in range(5):
        at_first = len(log.read_text().splitlines())
        command = [sys.executable, "-c", child, str(log), str(out)]
        run = subprocess.Popen(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)})
        deadline = time.monotonic() + 240
        while run.poll() is None and time.monotonic() < deadline:
            if len(log.read_text().splitlines()) > at_first:
                break
            time.sleep(0.002)
        time.sleep(moments.uniform(0, 0.12))
        run.kill()
        run.wait()
        store = Store(out / "sweep.sqlite", protocol(figure, figure.presets["smoke"]))
        done = set(store.seconds())
        assert kept <= done
        own = [line.split(" ", 2)[2] for line in log.read_text().splitlines()[at_first:]]
        assert kept.isdisjoint(own)
        kept = done
    produce(figure, "smoke", out, resume=True)
    rows = read_csv(out / ROWS)
    assert len({(row["m"], row["method"], row["image"]) for row in rows}) == len(rows) == 20


def test_a_dry_run_names_the_cells_and_the_time_and_writes_nothing(tmp_path):
    lines = list(dry_run(toy(), Config(), tmp_path / "out", workers=2))
    assert lines[:-1] == [cell.key for cell in toy_sweep.cells(Config())]
    assert lines[-1] == "6 cells, 6 to be done, about 0:06 (h:min:s)"
    assert not (tmp_path / "out").exists()
    store = Store(tmp_path / "out" / "sweep.sqlite", protocol(toy(), Config()))
    cell = toy_sweep.cells(Config())[0]
    store.add(Result(cell, [], 20.0, store.protocol))
    lines = list(dry_run(toy(), Config(), tmp_path / "out"))
    assert lines[0] == f"{cell.key} | done"
    assert lines[-1] == "6 cells, 5 to be done, about 1:40 (h:min:s)"


def test_time_left_follows_the_cells_that_are_done():
    cells = toy_sweep.cells(Config())
    assert expected_seconds(cells, lambda cell: 2.0, {}) == 12
    assert expected_seconds(cells, lambda cell: 2.0, {cells[0].key: 8.0}) == 40
    assert [clock(s) for s in (3.4, 61, 3723)] == ["0:03", "1:01", "1:02:03"]
    stream = io.StringIO()
    progress = Progress({cell.key: 1.0 for cell in cells[:2]}, stream)
    progress.tell(cells[0])
    assert stream.getvalue() == ""
    progress.tell(cells[1])
    assert stream.getvalue() == "2 of 2 cells, 0:00 gone, 0:00 left\n"


def test_a_terminal_gets_a_bar():
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    cells, stream = toy_sweep.cells(Config()), Terminal()
    progress = Progress({cell.key: 1.0 for cell in cells}, stream)
    for cell in cells[:3]:
        progress.tell(cell)
    line = stream.getvalue().split("\r")[-1]
    assert f"[{'#' * 10}{' ' * 10}] 3 of 6 cells, 0:00 gone, 0:00 left: {cells[2].key}" in line
