"""The cache folder: bounded, and what was used last stays."""

from __future__ import annotations

import os

import numpy as np
import pytest

from ganprior import cache
from tests.cli_cases import refuse, succeed

ARRAY = np.zeros(1000)  # 8,128 bytes as a file


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("GANPRIOR_CACHE", str(tmp_path))
    return tmp_path


def keep(name, age):
    cache.keep(name, ARRAY)
    path = cache.cache_folder() / name
    os.utime(path, (path.stat().st_atime, path.stat().st_mtime - age))


def names():
    return [one.path.name for one in cache.arrays()]


def test_least_recently_used_goes_first(folder, monkeypatch):
    for age, name in ((90, "bank-a.npy"), (60, "bank-b.npy"), (30, "curvature-c.npy")):
        keep(name, age)
    assert cache.kept("bank-a.npy", (1000,), np.float64) is not None  # used now
    monkeypatch.setenv("GANPRIOR_CACHE_GB", "25e-6")
    cache.keep("bank-d.npy", ARRAY)
    assert sorted(names()) == ["bank-a.npy", "bank-d.npy", "curvature-c.npy"]
    assert not (folder / "bank-b.npy.sha256").exists()


def test_what_is_larger_than_the_bound_stays_until_the_next(monkeypatch):
    monkeypatch.setenv("GANPRIOR_CACHE_GB", "0")
    keep("bank-a.npy", 60)
    assert names() == ["bank-a.npy"]
    cache.keep("bank-b.npy", ARRAY)
    assert names() == ["bank-b.npy"]


def test_other_peoples_files_stay(folder):
    (folder / "notes.txt").write_text("mine")
    keep("bank-a.npy", 0)
    cache.clear()
    assert [path.name for path in folder.iterdir()] == ["notes.txt"]


@pytest.mark.parametrize("wrong", ["much", "-1", "nan"])
def test_a_bound_that_is_no_number_is_refused(monkeypatch, wrong):
    monkeypatch.setenv("GANPRIOR_CACHE_GB", wrong)
    with pytest.raises(ValueError, match="GANPRIOR_CACHE_GB must be a number of gigabytes"):
        cache.most_bytes()
    assert "GANPRIOR_CACHE_GB" in refuse("cache", "list")


def test_commands_list_and_clear(folder):
    keep("bank-a.npy", 120)
    keep("curvature-b.npy", 0)
    first, second, last = succeed("cache", "list").stdout.splitlines()
    assert first.endswith("curvature-b.npy")
    assert second.endswith("bank-a.npy")
    assert last == f"0.00 of at most 1 GB in {folder}"
    assert succeed("cache", "clear").stdout.startswith("removed 0.00 GB")
    assert names() == []
    assert not list(folder.iterdir())
