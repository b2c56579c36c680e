"""``import ganprior`` is light, and the public names are those of the ``.pyi`` files."""

import ast
import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import ganprior
from experiments import registered
from ganprior.registry import entries

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


PUBLIC = [name for name in dir(ganprior) if name != "__version__"]


def stated(stub: Path) -> dict[str, str]:
    """Module of each name that a .pyi imports."""
    return {
        alias.name: node.module or alias.name
        for node in ast.parse(stub.read_text(encoding="utf-8")).body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }


@pytest.mark.parametrize("name", PUBLIC)
def test_every_public_name_is_there_and_documented(name):
    value = getattr(ganprior, name)
    module = importlib.import_module(f"ganprior.{stated(SOURCE.with_suffix('.pyi'))[name]}")
    assert value is getattr(module, name)
    # It is cached: the second look goes past __getattr__.
    assert vars(ganprior)[name] is value
    assert value.__doc__


@pytest.mark.parametrize(
    "package", ["solvers", "baselines", "physics", "priors", "training", "evaluation"]
)
def test_every_name_of_a_package_is_there(package):
    module = importlib.import_module(f"ganprior.{package}")
    names = stated(SOURCE.with_name(package) / "__init__.pyi")
    assert sorted(names) == dir(module) == sorted(module.__all__)
    for name, home in names.items():
        inner = importlib.import_module(f"ganprior.{package}.{home}")
        assert getattr(module, name) is getattr(inner, name, inner)


def test_what_is_registered_is_public():
    for stub in registered.STUBS:
        assert stub.read_text(encoding="utf-8") == registered.stub(stub), (
            "run python -m experiments.tables --write"
        )
    for kind in ("solver", "physics"):
        for entry in entries(kind).values():
            for part in (entry, *entry.variants):
                assert part.target.startswith("_") or part.load() is getattr(ganprior, part.target)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="attribute CSMG"):
        _ = ganprior.CSMG  # type: ignore[attr-defined]
    with pytest.raises(ImportError, match="CSMG"):
        exec("from ganprior import CSMG")
