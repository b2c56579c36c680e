"""Long work of ``reconstruct`` and ``inpaint``: what is done stays done, and no split shows."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from ganprior.cli import block_work, comparison, inputs
from tests.cli_cases import TINY, read_summary, refuse, run, save_images, save_prior, succeed

ROOT = Path(__file__).parents[1]
COUNT = 5


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    pixels = np.load(save_images(folder / "images.npz", COUNT))["images"]
    holes = pixels.copy()
    for i in range(COUNT):
        holes[i, :, 3 : 5 + i, 3:6] = np.nan
    np.savez(folder / "holes.npz", images=holes)
    succeed(
        "measure", folder / "images.npz", "--measure", "gaussian:m=60", "--noise-std", "0.01",
        "--keep-images", "--out", folder / "y.npz",
    )  # fmt: skip
    return {name: folder / name for name in ("images.npz", "holes.npz", "y.npz")} | {
        "prior": save_prior(folder)
    }


@pytest.fixture
def words(files):
    """A command of two solvers."""

    def make(out, *more, solver=TINY):
        return [
            "reconstruct", files["images.npz"], "--prior", files["prior"],
            "--measure", "gaussian:m=60", "--noise-std", "0.01", "--solver", solver,
            "--solver", "lasso-dct", "--out", out, *more,
        ]  # fmt: skip

    return make


def results(out):
    """Rows without their seconds, and arrays."""
    rows = [{k: v for k, v in row.items() if k != "seconds"} for row in read_summary(out)["rows"]]
    with np.load(out / "reconstructions.npz") as arrays:
        return rows, dict(arrays)


def same(one, other, atol=1e-5):
    (rows, arrays), (other_rows, other_arrays) = results(one), results(other)
    assert len(rows) == len(other_rows)
    for row, again in zip(rows, other_rows, strict=True):
        assert again.keys() == row.keys()
        for key, value in row.items():
            number = isinstance(value, float)
            expected = pytest.approx(value, rel=1e-3, abs=1e-6) if number else value
            assert again[key] == expected, (key, row, again)
    assert arrays.keys() == other_arrays.keys()
    for key, array in arrays.items():
        if key != "solvers":
            np.testing.assert_allclose(other_arrays[key], array, rtol=1e-4, atol=atol)
    names = lambda out: sorted(p.relative_to(out).as_posix() for p in out.rglob("*"))  # noqa: E731
    assert names(one) == names(other)


def kept(out):
    """Cells that the hidden folder holds."""
    path = out / ".unfinished" / "blocks.sqlite"
    if not path.is_file():
        return 0
    with closing(sqlite3.connect(path, timeout=30)) as connection:
        try:
            return connection.execute("SELECT count(*) FROM cells").fetchone()[0]
        except sqlite3.OperationalError:
            return 0


@pytest.mark.parametrize(
    "command",
    [
        ("reconstruct", "images.npz", "--measure", "gaussian:m=60", "--noise-std", "0.01"),
        ("reconstruct", "holes.npz", "--measured", "identity"),
        ("reconstruct", "--measurements", "y.npz"),
        ("inpaint", "images.npz", "--mask", "random=0.5", "--mask-per-image", "--compare", "tv"),
        ("inpaint", "holes.npz", "--damaged", "--compare", "tv"),
        ("inpaint", "images.npz", "--mask", "center", "--compare", "biharmonic"),
    ],
    ids=lambda words: " ".join(words[:3]),
)
def test_the_answer_does_not_depend_on_the_split(files, tmp_path, command):
    solver = TINY if command[0] == "reconstruct" else "semantic:restarts=2,steps=5"
    words = [str(files.get(word, word)) for word in command]
    words += ["--prior", files["prior"], "--solver", solver, "--seed", "3"]
    succeed(*words, "--out", tmp_path / "whole")
    succeed(*words, "--out", tmp_path / "2", "--block", "2")
    same(tmp_path / "whole", tmp_path / "2")
    with np.load(tmp_path / "2" / "reconstructions.npz") as arrays:
        assert arrays["solver_0"].shape == (COUNT, 1, 16, 16)
        assert arrays["solver_0"].dtype == np.float32


def test_settings_are_those_of_every_image(files, tmp_path):
    words = ["inpaint", files["images.npz"], "--mask", "random=0.5", "--mask-per-image"]
    words += ["--prior", files["prior"], "--solver", "semantic-raw:restarts=2,steps=5"]
    found = []
    for size in (2, 100):
        succeed(*words, "--out", tmp_path / str(size), "--block", size)
        found.append(read_summary(tmp_path / str(size))["config"]["settings"])
    assert found[0] == found[1]


class Stopped:
    """Lets some cells be computed, then fails."""

    def __init__(self, monkeypatch, after, error):
        self.calls, self.after, self.error = 0, after, error
        self.compare = comparison.compare
        monkeypatch.setattr(block_work, "compare", self)

    def __call__(self, *args, **options):
        if self.calls == self.after:
            raise self.error
        self.calls += 1
        return self.compare(*args, **options)


def test_ctrl_c_loses_the_block_in_work_alone(words, tmp_path, monkeypatch):
    out, more = tmp_path / "out", ("--block", "2")
    succeed(*words(tmp_path / "whole", *more))
    stopped = Stopped(monkeypatch, 3, KeyboardInterrupt())
    result = run(*words(out, *more))
    assert result.exit_code == 130
    assert "3 of 6 blocks are kept; --resume goes on" in result.stderr
    assert [path.name for path in out.iterdir()] == [".unfinished"]
    assert kept(out) == 3
    # Not taken for results, and not written over by mistake.
    assert "add --resume to go on" in refuse(*words(out, *more))
    stopped.after, stopped.calls = 100, 0
    succeed(*words(out, *more, "--resume"))
    assert stopped.calls == 3
    same(tmp_path / "whole", out)
    # A third time there is nothing to do.
    again = succeed(*words(out, *more, "--resume"))
    assert stopped.calls == 3
    assert "holds the results of this command already" in again.stderr
    assert TINY in again.stdout


def test_earlier_results_stay_until_the_new_ones_are_whole(words, tmp_path, monkeypatch):
    out = tmp_path / "out"
    succeed(*words(out))
    before = results(out)
    Stopped(monkeypatch, 2, KeyboardInterrupt())
    assert run(*words(out, "--block", "2", "--seed", "4")).exit_code == 130
    assert results(out)[0] == before[0]


def test_another_command_does_not_go_on_with_it(words, tmp_path, monkeypatch):
    out = tmp_path / "out"
    stopped = Stopped(monkeypatch, 4, KeyboardInterrupt())
    run(*words(out, "--block", "2"))
    stopped.after = 100
    for more, field in ((("--seed", "1"), "seed"), (("--block", "3"), "block")):
        options = more if "--block" in more else (*more, "--block", "2")
        line = refuse(*words(out, *options, "--resume"))
        assert f"rows of another protocol: {field} is" in line
    assert kept(out) == 4
    # Another solver is no other protocol: the blocks of those that stay are not done again.
    stopped.calls = 0
    succeed(*words(out, "--block", "2", "--resume", "--solver", "lasso-pixel"))
    assert stopped.calls == 5


def test_a_solver_that_does_not_suit_leaves_nothing(words, tmp_path):
    out = tmp_path / "out"
    line = refuse(*words(out, "--block", "2", "--solver", "biharmonic"))
    assert "mask" in line
    assert not out.exists()


def test_no_part_is_larger_than_a_block(words, tmp_path, monkeypatch):
    """Nothing that the command reads, computes or writes is an array of all images."""
    sizes = []
    part = inputs.Inputs.part

    def recording(self, first, last):
        sizes.append(last - first)
        return part(self, first, last)

    monkeypatch.setattr(inputs.Inputs, "part", recording)
    monkeypatch.setattr(block_work.Blockwise, "size", 2)
    monkeypatch.setattr("ganprior.cli.outcome.MOST_COLUMNS", 2)
    succeed(*words(tmp_path / "out", "--block", "2"))
    assert max(sizes) == 2


def test_workers_give_what_this_process_gives_though_one_is_killed(words, tmp_path):
    psutil = pytest.importorskip("psutil")
    pytest.importorskip("distributed")
    solver = "csgm:restarts=2,steps=60,lambda=0.01"
    succeed(*words(tmp_path / "here", "--block", "1", solver=solver))
    before = {child.pid for child in psutil.Process().children(recursive=True)}
    killed = []

    def kill_one():
        deadline = time.monotonic() + 240
        while not kept(tmp_path / "there") and time.monotonic() < deadline:
            time.sleep(0.01)
        for child in psutil.Process().children(recursive=True):
            # Not the process that watches over multiprocessing's resources.
            if child.pid not in before and "spawn_main" in " ".join(child.cmdline()):
                child.kill()
                killed.append(child.pid)
                return

    killer = threading.Thread(target=kill_one)
    killer.start()
    succeed(*words(tmp_path / "there", "--block", "1", "--workers", "2", solver=solver))
    killer.join()
    assert killed
    same(tmp_path / "here", tmp_path / "there")


def start(words, prologue=""):
    code = f"from ganprior.cli.main import main\n{prologue}\nmain()"
    command = [sys.executable, "-c", code, *map(str, words)]
    return subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip


def test_a_run_killed_outright_goes_on(words, tmp_path):
    out, more = tmp_path / "out", ("--block", "1")
    succeed(*words(tmp_path / "whole", *more))
    slow = (
        "import time, ganprior.cli.block_work as b; compare = b.compare\n"
        "def slowly(*a, **k): time.sleep(0.2); return compare(*a, **k)\n"
        "b.compare = slowly"
    )
    process = start(words(out, *more), slow)
    deadline = time.monotonic() + 240
    while kept(out) < 3 and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert [path.name for path in out.iterdir()] == [".unfinished"]
    done = kept(out)
    assert 3 <= done < 2 * COUNT
    succeed(*words(out, *more, "--resume"))
    same(tmp_path / "whole", out)


def test_a_full_disk_keeps_what_is_there(words, tmp_path):
    """No file may grow above 40 KiB: the store cannot take all blocks."""
    out, more = tmp_path / "out", ("--block", "1")
    small = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (40960, 40960))"
    process = start(words(out, *more), small)
    _, errors = process.communicate()
    assert process.returncode == 2, errors
    assert "blocks.sqlite" in errors
    assert "disk" in errors
    assert 2 <= kept(out) < 2 * COUNT
    succeed(*words(out, *more, "--resume"))
    succeed(*words(tmp_path / "whole", *more))
    same(tmp_path / "whole", out)
