"""The examples in docstrings run, and give what they say."""

from __future__ import annotations

import doctest
import importlib
from pathlib import Path

import pytest

import ganprior
from ganprior.registry import entries

ROOT = Path(__file__).parents[1]


def modules() -> list[str]:
    """Modules of the package with an example somewhere."""
    with_examples = [
        path
        for path in (ROOT / "ganprior").rglob("*.py")
        if "\n    >>> " in path.read_text("utf-8")
    ]
    names = [path.relative_to(ROOT).with_suffix("").as_posix() for path in sorted(with_examples)]
    return [name.removesuffix("/__init__").replace("/", ".") for name in names]


@pytest.mark.parametrize("name", modules())
def test_examples_give_what_they_say(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = doctest.testmod(importlib.import_module(name), optionflags=doctest.ELLIPSIS)
    assert result.attempted > 0
    assert result.failed == 0
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("entry", entries("solver").values(), ids=lambda entry: entry.name)
def test_every_solver_has_an_example(entry):
    named = getattr(ganprior, entry.target)
    assert "Examples\n    --------\n" in named.__doc__
    assert f"{entry.target}" in named.__doc__.partition(">>>")[2]
