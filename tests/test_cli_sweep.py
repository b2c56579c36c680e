"""``ganprior sweep``: errors against anything, kept cell by cell."""

import csv
import json

import numpy as np
import pytest

from ganprior.cli import block_work, comparison
from ganprior.cli.sweep_axis import Axis
from ganprior.cli.sweep_report import summary, table
from tests.cli_cases import TINY, read_summary, refuse, run, save_images, save_prior, succeed


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    return save_prior(folder), save_images(folder / "images.npz")


@pytest.fixture
def words(files):
    def make(out, *more, measure="gaussian", over="m=20,60", solvers=("lasso-dct",)):
        return [
            "sweep", files[1], "--prior", files[0], "--measure", measure, "--over", over,
            *(word for solver in solvers for word in ("--solver", solver)), "--out", out, *more,
        ]  # fmt: skip

    return make


def read(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_a_sweep_has_the_errors_of_reconstruct(files, words, tmp_path):
    """At each value, for each solver: those of the command that measures so."""
    out = tmp_path / "sweep"
    succeed(*words(out, "--noise-std", "0.1", "--seed", "3", solvers=("lasso-dct", TINY)))
    assert {path.name for path in out.iterdir()} == {
        "rows.csv", "summary.csv", "figure.png", "figure.pdf", "config.json", "sweep.sqlite"
    }  # fmt: skip
    assert (out / "figure.pdf").read_bytes().startswith(b"%PDF")
    rows = read(out / "rows.csv")
    assert len(rows) == 2 * 2 * 3
    for m in ("20", "60"):
        succeed(
            "reconstruct", files[1], "--prior", files[0], "--measure", f"gaussian:m={m}",
            "--noise-std", "0.1", "--seed", "3", "--solver", "lasso-dct", "--solver", TINY,
            "--out", tmp_path / m,
        )  # fmt: skip
        expected = [row["per_pixel_error"] for row in read_summary(tmp_path / m)["rows"]]
        found = [float(row["per_pixel_error"]) for row in rows if row["m"] == m]
        assert found == pytest.approx(expected, rel=1e-4)
    for line in read(out / "summary.csv"):
        own = [r for r in rows if (r["m"], r["solver"]) == (line["m"], line["solver"])]
        errors = np.array([float(row["per_pixel_error"]) for row in own])
        assert float(line["per_pixel_error"]) == pytest.approx(errors.mean(), rel=1e-4)
        half = 1.96 * errors.std(ddof=1) / np.sqrt(3)
        assert float(line["high"]) == pytest.approx(errors.mean() + half, rel=1e-4)


@pytest.mark.parametrize(
    ("measure", "over", "solver"),
    [
        ("gaussian:m=40", "noise_std=0,0.1", "lasso-dct"),
        ("gaussian:m=40", "lambda=0.01,1", "csgm:restarts=2,steps=5"),
        ("mask", "random=0.2,0.6", "tv"),
        ("identity", "effort=fast,balanced", "csgm:restarts=1,steps=2"),
    ],
)
def test_anything_can_be_varied(words, tmp_path, measure, over, solver):
    name, _, values = over.partition("=")
    succeed(*words(tmp_path, measure=measure, over=over, solvers=(solver,)))
    lines = read(tmp_path / "summary.csv")
    assert [line[name] for line in lines] == values.split(",")
    assert {line["solver"] for line in lines} == {solver}
    assert len({line["per_pixel_error"] for line in lines}) == 2 or name == "effort"
    assert json.loads((tmp_path / "config.json").read_text())["over"] == over


def test_a_solver_that_blends_has_two_curves(words, tmp_path):
    solver = "semantic:restarts=2,steps=5"
    succeed(*words(tmp_path, measure="mask", over="center=0.2,0.4", solvers=(solver,)))
    lines = read(tmp_path / "summary.csv")
    assert {line["solver"] for line in lines} == {solver, "semantic-raw:restarts=2,steps=5"}


def test_what_is_done_is_not_done_again(words, tmp_path, monkeypatch):
    """After Ctrl-C, and with values, solvers and draws added."""
    calls: list[object] = []

    def counted(solvers, *args, **options):
        if len(calls) == 1 and not monkeypatched:
            raise KeyboardInterrupt
        calls.append(solvers)
        return comparison.compare(solvers, *args, **options)

    monkeypatched: list[bool] = []
    monkeypatch.setattr(block_work, "compare", counted)
    assert run(*words(tmp_path)).exit_code == 130
    assert not (tmp_path / "rows.csv").exists()
    assert "holds 1 finished blocks; add --resume" in refuse(*words(tmp_path))
    monkeypatched.append(True)
    succeed(*words(tmp_path, "--resume"))
    assert len(calls) == 2
    succeed(
        *words(tmp_path, "--resume", "--draws", "2", over="m=20,60,90",
               solvers=("lasso-dct", "lasso-pixel"))
    )  # fmt: skip
    assert len(calls) == 3 * 2 * 2
    assert len(read(tmp_path / "rows.csv")) == 12 * 3
    line = refuse(*words(tmp_path, "--resume", "--noise-std", "0.5"))
    assert "another protocol: noise_std is" in line


def test_workers_give_what_this_process_gives(words, tmp_path):
    pytest.importorskip("distributed")
    succeed(*words(tmp_path / "here"))
    succeed(*words(tmp_path / "there", "--workers", "1"))
    here, there = (read(tmp_path / name / "rows.csv") for name in ("here", "there"))
    for row, again in zip(here, there, strict=True):
        assert again["image"] == row["image"]
        assert float(again["per_pixel_error"]) == pytest.approx(
            float(row["per_pixel_error"]), rel=1e-3
        )


@pytest.mark.parametrize(
    ("over", "measure", "solver", "said"),
    [
        ("m", "gaussian", "csgm", "write m=25,50,100"),
        ("m=25,,50", "gaussian", "csgm", "write m=25,50,100"),
        ("m=25,25.0", "gaussian", "csgm", "25.0 is given twice"),
        ("m=25,x", "gaussian", "csgm", "m must be a whole number"),
        ("n=25", "gaussian", "csgm", "unknown thing to vary in --over 'n'"),
        ("m=25", "gaussian:m=5", "csgm", "'m' is given twice"),
        ("alpha=0.1", "identity", "csgm", "unknown thing"),
        ("noise_std=-1", "identity", "csgm", "noise_std must be a number at least 0"),
        ("m=25", "gausian", "csgm", "did you mean 'gaussian'?"),
        ("m=25", "gaussian", "cgsm", "did you mean 'csgm'?"),
    ],
)
def test_what_cannot_be_varied_is_one_line(words, tmp_path, over, measure, solver, said):
    line = refuse(*words(tmp_path / "out", over=over, measure=measure, solvers=(solver,)))
    assert said in line
    assert not (tmp_path / "out").exists()


def test_an_option_that_one_solver_lacks_is_refused(words, tmp_path):
    line = refuse(*words(tmp_path / "out", over="alpha=1", measure="identity",
                         solvers=("lasso-dct", "tv")))  # fmt: skip
    assert "--solver tv has no option 'alpha'" in line


def test_more_measurements_than_pixels_are_refused_before_any_work(words, tmp_path):
    assert "m=5000" in refuse(*words(tmp_path / "out", over="m=20,5000"))
    assert not (tmp_path / "out").exists()


def test_a_solver_of_masks_is_refused_before_any_work(words, tmp_path):
    line = refuse(*words(tmp_path, solvers=("lasso-dct", "low-rank")))
    assert "--solver low-rank fills missing pixels only, and --measure gaussian:m=" in line
    assert not list(tmp_path.iterdir())


def test_draws_of_one_image_are_one_observation():
    rows = [
        {"m": "5", "solver": "s", "image": image, "per_pixel_error": error, "ssim": None,
         "seconds": 1.0}
        for image, error in (("a", 0.1), ("a", 0.3), ("b", 0.4), ("b", 0.4), ("c", None))
    ]  # fmt: skip
    [line] = summary("m", rows)
    assert (line["images"], line["not_finite"]) == (2, 1)
    assert line["per_pixel_error"] == pytest.approx(0.3)
    # Two observations, 0.2 and 0.4: standard error 0.1.
    assert line["high"] == pytest.approx(0.3 + 0.196, rel=1e-5)
    assert "0.300 ± 0.20" in table("m", rows)


def test_labels_are_without_what_is_varied():
    axis = Axis.parse("lambda=0.1,0.2", "mask:center=0.2", ("semantic:steps=3",))
    assert axis.label("semantic:steps=3,lambda=0.1", "0.1", "semantic:steps=3") == (
        "semantic:steps=3"
    )
    assert axis.label("semantic-raw:steps=3,lambda=0.1", "0.1", "semantic:steps=3") == (
        "semantic-raw:steps=3"
    )
