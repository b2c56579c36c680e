"""README's demo tables against what the commands print today."""

import json
import subprocess
import sys

import pytest

from experiments import demo_for_readme
from experiments.demo_for_readme import COMMANDS, DOCS, ROOT, TOLERANCE, differences
from experiments.rows import read_csv

# Its error has so many digits that rounding is no part of what a test changes.
CHANGED = "lasso-wavelet"
TITLE = demo_for_readme.COLUMNS["per_pixel_error"][0]


def committed():
    return read_csv(DOCS / "demo.csv")


def changed(factor):
    """The committed means, the error of one of the Lassos times a factor."""
    rows = committed()
    i = [row["solver"] for row in rows].index(CHANGED)
    rows[i] = rows[i] | {TITLE: str(float(rows[i][TITLE]) * factor)}
    return rows


def test_the_committed_table_agrees_with_itself():
    assert differences(committed(), committed()) == []


@pytest.mark.parametrize("factor", [1 - 2 * TOLERANCE, 1 + 2 * TOLERANCE, 1.07])
def test_a_stale_error_is_named(factor):
    (line,) = differences(committed(), changed(factor))
    assert line.startswith(f"{CHANGED}: mean per-pixel error ")


def test_rounding_of_a_processor_passes():
    assert differences(committed(), changed(1 + TOLERANCE / 2)) == []


def test_other_solvers_are_named():
    (line,) = differences(committed(), committed()[:2])
    assert "solvers are auto, csgm; the table has auto, csgm, gaussian-mixture," in line


def test_a_stale_run_ends_in_one_line(tmp_path):
    rows = [
        {"solver": row["solver"], "per_pixel_error": 0.5, "psnr": 3.0, "ssim": 0.1}
        for row in committed()
    ]
    summary = {"config": {"solvers": [row["solver"] for row in rows]}, "rows": rows}
    (tmp_path / "summary.json").write_text(json.dumps(summary), encoding="utf-8")
    with pytest.raises(SystemExit, match=r"docs/demo\.csv is not what the code gives: auto: mean"):
        demo_for_readme.check("demo", tmp_path)


@pytest.mark.slow
def test_the_table_of_faces_is_what_the_command_gives(tmp_path):
    command = [sys.executable, "-m", "ganprior.cli.main", *COMMANDS["faces"].split()]
    subprocess.run([*command, "--out", str(tmp_path / "faces")], check=True, cwd=ROOT)
    demo_for_readme.check("faces", tmp_path / "faces")
