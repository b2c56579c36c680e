"""Cells on a Dask cluster of real processes, one of which is killed at work."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections import Counter
from functools import partial

import pytest

from experiments.rows import ROWS, read_csv
from experiments.sweep.produce import execute, produce
from ganprior.jobs import cluster
from tests import toy_sweep
from tests.toy_sweep import Config, toy

pytest.importorskip("distributed")


def begun(log):
    """Process and cell of every line that says that work began."""
    lines = log.read_text().splitlines() if log.is_file() else []
    parts = [line.split(" ", 2) for line in lines]
    return [(int(pid), cell) for pid, word, cell in parts if word == "begin"]


def ended(log):
    return {line.split(" ", 2)[2] for line in log.read_text().splitlines() if " end " in line}


def test_a_killed_worker_loses_nothing_and_repeats_its_own_cells_alone(tmp_path):
    log = tmp_path / "log"
    config = Config(cells=12, seconds=0.4, log=str(log))
    killed: list[int] = []

    def kill_one():
        deadline = time.monotonic() + 240
        while len(begun(log)) < 4 and time.monotonic() < deadline:
            time.sleep(0.02)
        pid, _ = begun(log)[-1]
        os.kill(pid, signal.SIGKILL)
        killed.append(pid)

    killer = threading.Thread(target=kill_one)
    killer.start()
    claims = produce(toy(smoke=config), "smoke", tmp_path / "out", workers=2)
    killer.join()
    assert claims == {"a below b": True}
    assert len(read_csv(tmp_path / "out" / ROWS)) == 24
    cells = {cell.key for cell in toy_sweep.cells(config)}
    assert ended(log) == cells
    times = Counter(cell for _, cell in begun(log))
    own = {cell for pid, cell in begun(log) if pid == killed[0]}
    repeated = {cell for cell, count in times.items() if count > 1}
    assert repeated
    assert repeated <= own


def test_a_scheduler_that_does_not_answer_is_one_line(monkeypatch):
    monkeypatch.setattr(cluster, "PATIENCE", 1)
    cells = toy_sweep.cells(Config())
    with pytest.raises(ValueError, match="no scheduler answers at tcp"):
        list(
            cluster.run_on_cluster(
                partial(execute, toy(), Config()), cells, scheduler="tcp://127.0.0.1:9"
            )
        )


def test_a_scheduler_elsewhere_does_the_cells(tmp_path):
    from distributed import LocalCluster

    with LocalCluster(
        n_workers=1, threads_per_worker=1, processes=True, dashboard_address=None
    ) as there:
        address = there.scheduler_address
        produce(toy(), "smoke", tmp_path / "out", scheduler=address)
    assert (tmp_path / "out" / "config.json").is_file()


def test_without_distributed_the_remedy_is_named(monkeypatch):
    def absent(name):
        raise ImportError(name)

    monkeypatch.setattr("importlib.import_module", absent)
    with pytest.raises(ValueError, match='pip install "distributed"'):
        list(cluster.run_on_cluster(partial(execute, toy(), Config()), toy_sweep.cells(Config())))
