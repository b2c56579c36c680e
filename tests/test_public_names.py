"""``import ganprior`` is light, and the three lists of public names are one."""

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import ganprior

SOURCE = Path(ganprior.__file__)
HEAVY = ("torch", "deepinv", "numpy", "torchvision", "scipy", "matplotlib")


def modules_after(code: str) -> set[str]:
    """Heavy modules that a new Python process has loaded after running ``code``."""
    report = f"\nimport sys\nprint(*(name for name in {HEAVY} if name in sys.modules))"
    command = [sys.executable, "-c", code + report]
    root = SOURCE.parents[1]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=root)
    return set(done.stdout.split())


@pytest.mark.parametrize(
    "code",
    [
        "import ganprior",
        "import ganprior; ganprior.__version__; dir(ganprior)",
        "import ganprior.cli.main",
    ],
)
def test_import_alone_is_light(code):
    assert modules_after(code) == set()


def test_a_solver_needs_no_deepinv():
    loaded = modules_after("from ganprior import CSGM, LassoDCT, Prior, load_images")
    assert "torch" in loaded
    assert "deepinv" not in loaded


def test_type_checkers_see_what_the_program_sees():
    [block] = [
        node
        for node in ast.parse(SOURCE.read_text(encoding="utf-8")).body
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
    ]
    seen = {
        (node.module or "").removeprefix("ganprior."): tuple(alias.name for alias in node.names)
        for node in block.body
        if isinstance(node, ast.ImportFrom)
    }
    homes = ganprior._HOMES
    assert {home: set(names) for home, names in seen.items()} == {
        home: set(names) for home, names in homes.items()
    }
    listed = [name for names in homes.values() for name in names]
    assert sorted([*listed, "__version__"]) == sorted(ganprior.__all__)
    assert dir(ganprior) == sorted(ganprior.__all__)


@pytest.mark.parametrize("name", [name for name in ganprior.__all__ if name != "__version__"])
def test_every_public_name_is_there_and_documented(name):
    value = getattr(ganprior, name)
    [home] = [home for home, names in ganprior._HOMES.items() if name in names]
    assert value is getattr(importlib.import_module(f"ganprior.{home}"), name)
    # It is cached: the second look goes past __getattr__.
    assert vars(ganprior)[name] is value
    assert value.__doc__


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'CSMG'"):
        _ = ganprior.CSMG  # type: ignore[attr-defined]
    with pytest.raises(ImportError, match="CSMG"):
        exec("from ganprior import CSMG")
