"""``ganprior demo``: ten images, six solvers, from any folder."""

import os
import subprocess
import sys
from pathlib import Path

from ganprior.cli import demo as module
from ganprior.cli.output import check_folder
from tests.cli_cases import TINY, read_arrays, read_summary, save_prior, succeed

ROOT = Path(__file__).parents[1]


def test_writes_and_prints_what_reconstruct_does(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "DEMO_PRIOR", save_prior(tmp_path, size=28))
    monkeypatch.setattr(module, "DEMO_SOLVERS", (TINY, *module.DEMO_SOLVERS[3:]))
    monkeypatch.chdir(tmp_path)
    done = succeed("demo")
    out = tmp_path / "ganprior-demo"
    assert {path.name for path in out.iterdir()} == {
        "summary.json",
        "reconstructions.npz",
        "figure.png",
        "images",
    }
    assert len(list((out / "images").iterdir())) == 40
    summary = read_summary(out)
    assert len(summary["rows"]) == 40
    assert {(row["m"], row["n"]) for row in summary["rows"]} == {(100, 784)}
    assert summary["config"]["solvers"] == [TINY, "tv", "lasso-dct", "lasso-wavelet"]
    assert read_arrays(out)["original"].shape == (10, 1, 28, 28)
    assert str(Path("ganprior-demo") / "figure.png") in done.stdout
    assert len(done.stdout.splitlines()) == 9


def test_runs_from_any_folder(tmp_path):
    """The whole demo in a process of its own, with the shipped prior."""
    command = [sys.executable, "-m", "ganprior.cli.main", "demo", "-q", "--out", "here"]
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        command,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    found = read_summary(tmp_path / "here")["rows"]
    errors = {
        solver: [row["per_pixel_error"] for row in found if row["solver"] == solver]
        for solver in module.DEMO_SOLVERS
    }
    assert [len(values) for values in errors.values()] == [10] * 6
    totals = {solver: sum(values) for solver, values in errors.items()}
    assert min(totals, key=lambda name: totals[name]) == "auto"
    assert totals["csgm"] < min(totals["lasso-dct"], totals["lasso-wavelet"])


def test_a_file_called_x_beside_the_output_is_no_hindrance(tmp_path):
    (tmp_path / "x").write_text("mine")
    check_folder("--out", tmp_path / "results")
