"""What ``pip install`` puts on a user's machine."""

from importlib import metadata
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def installed() -> set[str]:
    """Files of the installed package, relative to site-packages."""
    try:
        files = metadata.files("ganprior") or []
    except metadata.PackageNotFoundError:
        pytest.skip("ganprior is not installed: run pip install .")
    names = {file.as_posix() for file in files}
    if "ganprior/__init__.py" not in names:
        pytest.skip("ganprior is installed in editable mode: its files are those of the checkout")
    return names


def test_every_file_of_the_package_is_installed(installed):
    own = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "ganprior").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert own - installed == set()
    kinds = {Path(name).suffix for name in own}
    assert {".py", ".typed", ".toml", ".csv", ".npz"} <= kinds


def test_nothing_else_is_installed(installed):
    tops = {Path(name).parts[0] for name in installed} - {"..", "ganprior"}
    assert all(top.startswith("ganprior-") and top.endswith(".dist-info") for top in tops), tops


def test_the_installed_version_and_licence_are_ours(installed):
    import ganprior

    about = metadata.metadata("ganprior")
    assert about["Version"] == ganprior.__version__
    assert about["License-Expression"] == "BSD-3-Clause"
    assert any(name.endswith("licenses/LICENSE") for name in installed)
