"""``ganprior figure``: list, dry run, run, resume, and one line for every mistake."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from experiments import figures
from experiments.rows import ROWS, read_csv
from experiments.sweep import produce
from experiments.sweep.figure import declare
from ganprior import checkout
from tests.cli_cases import refuse, run, succeed
from tests.toy_sweep import Config, toy

ROOT = Path(__file__).parents[1]


@pytest.fixture
def toys(monkeypatch):
    """Put a toy in place of every figure."""
    figure = toy(smoke=Config(cells=4), paper=Config(cells=8))
    monkeypatch.setattr(figures, "load_figure", lambda name: figure)


def test_the_list_has_a_line_per_figure():
    lines = succeed("figure", "--list").stdout.splitlines()
    assert len(lines) == len(figures.FIGURES)
    for line, (name, entry) in zip(lines, figures.FIGURES.items(), strict=True):
        assert line.startswith(f"{name}: {entry.claim} (")
    assert any(line.endswith("(took 22 min)") for line in lines)


def test_the_list_imports_nothing_heavy():
    probe = (
        "import sys; from ganprior.cli.main import cli\n"
        "try: cli.main(['figure', '--list'])\nexcept SystemExit: pass\n"
        "print('heavy:', *({'torch', 'numpy', 'matplotlib'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", probe], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert done.stdout.splitlines()[-1] == "heavy:"


def test_an_unknown_figure_is_refused_with_the_nearest():
    line = refuse("figure", "bora2017/error-vs-m-mnst")
    assert "unknown figure 'bora2017/error-vs-m-mnst'" in line
    assert "did you mean 'bora2017/error-vs-m-mnist'?" in line
    assert "--list" in refuse("figure")
    assert "--preset" in refuse("figure", "bora2017/inpainting", "--preset", "papr")


def test_a_figure_that_no_table_has_yet_is_found_in_its_folder(monkeypatch):
    declared = figures.load_figure("mri/reconstruction")
    monkeypatch.setattr(figures, "FIGURES", {})
    assert figures.load_figure("mri/reconstruction") is declared
    assert "mri/reconstruction" in figures.names_beside("mri/reconstruction")
    assert figures.names_beside("nowhere/reconstruction") == set()
    with pytest.raises(ValueError, match=r"mri\.reconstruction and tests\.toy_sweep both"):
        declare("tests.toy_sweep", "mri/reconstruction", "", paper=None, smoke=Config())
    with pytest.raises(ValueError, match="figure toy/b declares 'colum', which no figure has"):
        declare("tests.toy_sweep", "toy/b", "", paper=None, smoke=Config(), colum="m")
    # The module of a figure, run as a command, is imported once more by its own name.
    declare("__main__", "mri/reconstruction", "", paper=None, smoke=Config())
    assert figures.load_figure("mri/reconstruction") is declared


def test_without_a_checkout_it_says_so_in_one_line(monkeypatch, tmp_path):
    monkeypatch.setattr(checkout, "__file__", str(tmp_path / "a" / "b.py"))
    monkeypatch.chdir(tmp_path)
    line = refuse("figure", "--list")
    assert "ship with the source checkout, and there is none here" in line
    assert list(tmp_path.iterdir()) == []


def test_the_checkout_is_found_from_a_folder_inside_it(monkeypatch, tmp_path):
    monkeypatch.setattr(checkout, "__file__", str(tmp_path / "a" / "b.py"))
    monkeypatch.chdir(ROOT / "experiments" / "bora2017")
    assert checkout.find_checkout() == ROOT


def test_the_figure_is_written_in_further_formats(toys, tmp_path):
    formats = ("--figure-format", "pdf", "--figure-format", "png")
    succeed("figure", "bora2017/inpainting", "--out", tmp_path / "out", *formats)
    written = {path.name for path in (tmp_path / "out").glob("figure.*")}
    assert written == {"figure.png", "figure.pdf"}
    assert "--figure-format" in refuse("figure", "bora2017/inpainting", "--figure-format", "gif")


def test_a_dry_run_prints_cells_and_time_and_writes_nothing(toys, tmp_path):
    out = tmp_path / "out"
    lines = succeed(
        "figure", "bora2017/inpainting", "--preset", "paper", "--out", out, "--dry-run"
    ).stdout.splitlines()
    assert len(lines) == 9
    assert lines[-1].startswith("8 cells, 8 to be done, about 0:16")
    assert not out.exists()


def test_a_run_is_resumed_only_when_told_to(toys, tmp_path):
    out = tmp_path / "out"
    words = ("figure", "bora2017/inpainting", "--out", out)
    done = succeed(*words)
    assert done.stdout == f"holds: a below b\nresults in {out}\n"
    assert "4 of 4 cells" in done.stderr
    assert "add --resume" in run(*words).stderr
    assert run(*words).exit_code == 2
    succeed(*words, "--resume")
    assert len(read_csv(out / ROWS)) == 8


def test_another_preset_in_the_same_folder_is_refused_by_the_field(toys, tmp_path):
    words = ("figure", "bora2017/inpainting", "--out", tmp_path / "out")
    succeed(*words)
    done = run(*words, "--preset", "paper", "--resume")
    assert done.exit_code == 2
    assert "another protocol: config.cells is 4 there and 8 here" in done.stderr


def test_a_quiet_sweep_says_nothing(toys, tmp_path):
    loud = succeed("figure", "bora2017/inpainting", "--preset", "smoke", "--out", tmp_path / "a")
    assert "4 of 4 cells" in loud.stderr
    quiet = succeed(
        "figure", "bora2017/inpainting", "--preset", "smoke", "--out", tmp_path / "b", "-q"
    )
    assert (quiet.stderr, quiet.stdout) == ("", loud.stdout.replace("a\n", "b\n"))


def test_workers_and_scheduler_exclude_each_other(toys, tmp_path):
    line = refuse("figure", "bora2017/inpainting", "--workers", 2, "--scheduler", "tcp://a:1")
    assert "--workers and --scheduler exclude each other" in line
    line = refuse("figure", "bora2017/inpainting", "--workers", 2, "--device", "cuda")
    assert "--device goes without --workers and --scheduler" in line


def test_results_go_beside_the_code_or_to_runs():
    figure = toy()
    assert produce.usual_folder(figure, "smoke") == Path("runs") / "toy" / "toy"
    assert produce.usual_folder(figure, "paper") == ROOT / "experiments/toy/results/toy"


def test_a_figure_without_gpu_code_refuses_a_device(tmp_path):
    figure = figures.load_figure("bora2017/theorem-1-1")
    with pytest.raises(ValueError, match="runs on the CPU alone; leave --device out"):
        produce.produce(figure, "smoke", tmp_path, device=torch.device("cuda"))


@pytest.mark.cuda
def test_errors_of_a_figure_on_a_gpu_are_those_of_the_cpu(tmp_path):
    figure = figures.load_figure("bora2017/error-vs-m-mnist")
    for name in ("cpu", "cuda"):
        produce.produce(figure, "smoke", tmp_path / name, device=torch.device(name))
    here, there = (read_csv(tmp_path / name / ROWS) for name in ("cpu", "cuda"))
    assert {row["device"] for row in here} == {"cpu"}
    assert "cpu" not in {row["device"] for row in there}
    for method in ("csgm", "lasso"):
        a, b = (
            torch.tensor([float(r["per_pixel_error"]) for r in rows if method in r["method"]])
            for rows in (here, there)
        )
        if method == "csgm":  # the paths of single images part; a Lasso has one minimum
            a, b = a.mean(), b.mean()
        torch.testing.assert_close(b, a, rtol=0.2 if method == "csgm" else 0.02, atol=1e-3)
