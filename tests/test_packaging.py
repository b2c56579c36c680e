"""Wheel and source archive: built, installed from the built files, and what is in them."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path

import pytest
import yaml

import ganprior

ROOT = Path(__file__).parents[1]
# Weights of all shipped networks, as they lie in the wheel; PyPI takes 100 MB.
LARGEST_WEIGHTS = 30_000_000
WEIGHTS = (".safetensors", ".npz")


def run(*words: object, cwd: Path | None = None) -> str:
    done = subprocess.run(
        [str(word) for word in words], capture_output=True, text=True, check=False, cwd=cwd
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> dict[str, Path]:
    """The archive, built from the checkout, and the wheel, built from the archive."""
    out, work = tmp_path_factory.mktemp("dist"), tmp_path_factory.mktemp("work")
    code = (
        "import sys; from hatchling import build; print(getattr(build, sys.argv[1])(sys.argv[2]))"
    )
    name = run(sys.executable, "-c", code, "build_sdist", out, cwd=ROOT).split()[-1]
    with tarfile.open(out / name) as archive:
        if hasattr(tarfile, "data_filter"):  # from 3.11.4 on
            archive.extractall(work, filter="data")
        else:
            archive.extractall(work)
    [source] = work.iterdir()
    wheel = run(sys.executable, "-c", code, "build_wheel", out, cwd=source).split()[-1]
    return {"sdist": out / name, "wheel": out / wheel, "source": source}


@pytest.fixture(scope="module")
def python(built, tmp_path_factory) -> Path:
    """An interpreter that has the wheel, and everything else from here."""
    folder = tmp_path_factory.mktemp("venv")
    venv.create(folder, with_pip=False, symlinks=True)
    [site] = folder.glob("lib/python*/site-packages")
    here = [path for path in sys.path if path.endswith("site-packages")]
    (site / "here.pth").write_text("\n".join(here), encoding="utf-8")
    python = folder / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", python, "install", "--quiet"]
    run(*pip, "--no-deps", "--no-index", "--ignore-installed", built["wheel"])
    return python


def test_the_wheel_is_installed_and_runs_outside_of_the_checkout(python, tmp_path):
    where = run(python, "-c", "import ganprior; print(ganprior.__file__)", cwd=tmp_path)
    assert Path(where.strip()).is_relative_to(python.parents[1])
    version = run(python, "-m", "ganprior", "--version", cwd=tmp_path)
    assert version == run(python.with_name("ganprior"), "--version", cwd=tmp_path)
    assert version.startswith(f"ganprior {ganprior.__version__} ")
    listed = run(python, "-m", "ganprior", "priors", cwd=tmp_path)
    assert "fashion-mnist-dcgan" in listed
    assert list(tmp_path.iterdir()) == []


def test_the_wheel_has_the_package_whole_and_nothing_else(built):
    own = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "ganprior").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    names = set(zipfile.ZipFile(built["wheel"]).namelist())
    assert {name for name in names if ".dist-info/" not in name} == own


def test_the_weights_are_small_enough_for_an_index(built):
    infos = zipfile.ZipFile(built["wheel"]).infolist()
    weights = [info.file_size for info in infos if info.filename.endswith(WEIGHTS)]
    assert len(weights) > 10
    assert sum(weights) < LARGEST_WEIGHTS


def test_the_archive_has_what_building_and_testing_need(built):
    wanted = {"pyproject.toml", "README.md", "LICENSE", "CITATION.cff", "tests", "docs", "examples"}
    assert wanted <= {path.name for path in built["source"].iterdir()}
    # What is made and not kept: build folders, caches, results of the reader's own.
    made = {"build", "dist", "__pycache__", "runs"}
    assert not [p for p in built["source"].rglob("*") if made & set(p.parts[-1:])]


@pytest.mark.parametrize(
    "path", sorted((ROOT / ".github/workflows").glob("*.yml")), ids=os.path.basename
)
def test_workflows_are_what_the_host_reads(path):
    """By a reader of YAML 1.2, to which ``on`` is a word; actionlint knows the rest."""
    workflow = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)
    assert {"name", "on", "permissions", "jobs"} <= set(workflow)
    for job in workflow["jobs"].values():
        assert job["runs-on"] == "ubuntu-latest"
        assert all(("run" in step) != ("uses" in step) for step in job["steps"])


def test_the_matrix_has_the_supported_pythons():
    text = (ROOT / ".github/workflows/ci.yml").read_text(encoding="utf-8")
    versions = yaml.safe_load(text)["jobs"]["everything"]["strategy"]["matrix"]["python"]
    assert versions == ["3.11", "3.12", "3.13"]
    assert '">=3.11,<3.14"' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")
