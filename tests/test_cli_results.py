"""The folder of results: earlier ones stay whole until all new ones are there."""

import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ganprior.cli import outcome
from ganprior.cli.results import check_results, new_results
from tests.cli_cases import read_summary, refuse, run, save_images, save_prior, succeed

NAMES = {"summary.json", "reconstructions.npz", "figure.png"}


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def press_until_it_dies(process: subprocess.Popen, kill: signal.Signals) -> None:
    """As a person does: what a library's callback was about to do may swallow an interrupt."""
    while process.poll() is None:
        process.send_signal(kill)
        with suppress(subprocess.TimeoutExpired):
            process.wait(timeout=5)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    return save_prior(folder), save_images(folder / "images.npz")


@pytest.fixture
def inpaint(files):
    """Arguments of a quick run."""

    def words(out, mask="center=0.25", solver="tv"):
        return (
            "inpaint", files[1], "--prior", files[0], "--mask", mask, "--solver", solver,
            "--out", out,
        )  # fmt: skip

    return words


class TestNewResults:
    def fill(self, folder, names):
        for name in names:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(f"{folder.name} {name}")

    def test_earlier_ones_are_replaced_all_at_once(self, tmp_path):
        out = tmp_path / "out"
        self.fill(out, ["a.txt", "images/x.png"])
        before = contents(out)
        with new_results(out, lambda name: True) as new:
            self.fill(new, ["a.txt", "b.txt"])
            assert {k: v for k, v in contents(out).items() if ".part-" not in k} == before
        assert set(contents(out)) == {"a.txt", "b.txt"}
        assert {path.name for path in out.iterdir()} == {"a.txt", "b.txt"}

    def test_what_is_no_result_stays(self, tmp_path):
        self.fill(tmp_path, ["notes.txt", "a.txt"])
        with new_results(tmp_path, lambda name: name == "a.txt") as new:
            self.fill(new, ["b.txt"])
        assert set(contents(tmp_path)) == {"notes.txt", "b.txt"}

    @pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError("no"), OSError(28, "full")])
    def test_a_failure_leaves_everything_as_it_was(self, tmp_path, error):
        def fail(out):
            with new_results(out, lambda name: True) as new:
                self.fill(new, ["a.txt"])
                raise error

        self.fill(tmp_path / "old", ["a.txt", "images/x.png"])
        before = contents(tmp_path)
        for out in (tmp_path / "old", tmp_path / "deep/new"):
            with pytest.raises((KeyboardInterrupt, ValueError)):
                fail(out)
        assert contents(tmp_path) == before
        assert [path.name for path in tmp_path.iterdir()] == ["old"]

    @pytest.mark.parametrize("moves", range(5))
    def test_so_does_one_while_they_change_places(self, tmp_path, monkeypatch, moves):
        """Two files go out and three come in; the move of each number fails."""
        out = tmp_path / "out"
        self.fill(out, ["a.txt", "images/x.png"])
        before = contents(out)
        rename, done = Path.rename, 0

        def failing(source, target):
            nonlocal done
            done += 1
            if done == moves + 1:
                raise PermissionError(13, "Permission denied")
            return rename(source, target)

        monkeypatch.setattr(Path, "rename", failing)
        with (
            pytest.raises(ValueError, match="Permission denied"),
            new_results(out, lambda name: True) as new,
        ):
            self.fill(new, ["a.txt", "b.txt", "images/x.png"])
        assert contents(out) == before
        assert {path.name for path in out.iterdir()} == {"a.txt", "images"}

    def test_a_folder_with_something_else_in_it_is_refused(self, tmp_path):
        check_results(tmp_path / "none", lambda name: False)
        check_results(tmp_path, lambda name: False)
        self.fill(tmp_path, ["images/.DS_Store", ".part-x/b", "a.txt"])
        check_results(tmp_path, lambda name: name == "a.txt")
        self.fill(tmp_path, ["images/own.png"])
        with pytest.raises(ValueError, match=r"holds images/own\.png, which is not known"):
            check_results(tmp_path, lambda name: name == "a.txt")

    def test_a_link_to_a_folder_is_something_else(self, tmp_path):
        (tmp_path / "elsewhere").mkdir()
        (tmp_path / "out").mkdir()
        (tmp_path / "out/link").symlink_to(tmp_path / "elsewhere")
        with pytest.raises(ValueError, match="holds link"):
            check_results(tmp_path / "out", lambda name: False)


class TestARerun:
    def test_leaves_no_file_of_the_earlier_run(self, inpaint, tmp_path):
        out = tmp_path / "out"
        succeed(*inpaint(out, solver="tv"))
        assert {"images/images-0-tv.png", *NAMES} <= set(contents(out))
        succeed(*inpaint(out, solver="biharmonic"))
        written = set(contents(out))
        assert written == {*NAMES, *(f"images/images-{i}-biharmonic.png" for i in range(3))}
        assert written == set(read_summary(out)["config"]["files"])

    @pytest.mark.parametrize("name", ["notes.txt", "images/mine.png"])
    def test_is_refused_where_it_would_lose_something(self, inpaint, tmp_path, name):
        out = tmp_path / "out"
        succeed(*inpaint(out))
        (out / name).write_text("mine")
        before = contents(out)
        assert f"holds {name}, which is not known as a result" in refuse(*inpaint(out))
        assert contents(out) == before

    @pytest.mark.parametrize("name", ["figure.png", "images/a.png", "summary.json"])
    def test_so_is_a_first_run(self, inpaint, tmp_path, name):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("mine")
        assert f"holds {name}, which is not known as a result" in refuse(*inpaint(tmp_path))
        assert contents(tmp_path) == {name: b"mine"}

    def test_that_fails_half_way_leaves_the_earlier_results(self, inpaint, tmp_path, monkeypatch):
        succeed(*inpaint(tmp_path))
        before = contents(tmp_path)

        def full(*args, **arrays):
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(np.lib.format, "write_array_header_1_0", full)
        assert "No space left on device" in refuse(*inpaint(tmp_path, mask="half=left"))
        assert contents(tmp_path) == before

        def no_memory(*args, **arrays):
            raise MemoryError

        monkeypatch.setattr(np.lib.format, "write_array_header_1_0", no_memory)
        assert run(*inpaint(tmp_path, mask="half=left")).exit_code == 2
        assert contents(tmp_path) == before

    def test_into_the_current_folder(self, inpaint, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        succeed(*inpaint("."))
        succeed(*inpaint(".", mask="half=left"))
        assert read_summary(Path("."))["config"]["masks"] == ["half=left"]

    @pytest.mark.parametrize("kill", [signal.SIGINT, signal.SIGKILL])
    def test_that_is_killed_leaves_the_earlier_results(self, inpaint, tmp_path, kill):
        """While it writes pictures, which are the last to be written."""
        out = tmp_path / "out"
        succeed(*inpaint(out))
        before = contents(out)
        slow = (
            "import signal, time, ganprior.cli.outcome as o; from ganprior.cli.main import main;"
            # A shell may have started the tests with it ignored.
            "signal.signal(signal.SIGINT, signal.default_int_handler);"
            "o.write_pictures = lambda *a: time.sleep(60); main()"
        )
        words = [str(word) for word in inpaint(out, mask="half=left")]
        process = subprocess.Popen(
            [sys.executable, "-c", slow, *words], stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, cwd=Path(__file__).parents[1],
        )  # fmt: skip
        while not list(out.glob(".part-*/figure.png")) and process.poll() is None:
            time.sleep(0.01)
        press_until_it_dies(process, kill)
        # An interrupt of what is ending already is Python's matter.
        assert process.returncode in ((130, -kill) if kill == signal.SIGINT else (-kill,))
        assert {k: v for k, v in contents(out).items() if not k.startswith(".part-")} == before
        # And what the killed one left is in nobody's way.
        succeed(*inpaint(out, mask="half=left"))
        assert read_summary(out)["config"]["masks"] == ["half=left"]


@pytest.mark.parametrize("broken", ["draw", "write_pictures"])
def test_pictures_that_cannot_be_written_lose_no_result(inpaint, tmp_path, monkeypatch, broken):
    def fail(*args, **options):
        raise ValueError("cannot write a picture")

    monkeypatch.setattr(outcome, broken, fail)
    line = refuse(*inpaint(tmp_path / "out"))
    assert "cannot write a picture; reconstructions.npz and summary.json are in" in line
    assert {"reconstructions.npz", "summary.json"} <= set(contents(tmp_path / "out"))


def test_a_name_as_long_as_names_may_be(files, tmp_path):
    pixels = np.load(files[1])["images"][0, 0]
    paths = [tmp_path / f"{letter * 240}.png" for letter in "ab"]
    paths.append(tmp_path / f"{'ä' * 125}.png")
    for path in paths:
        Image.fromarray((255 * pixels).astype(np.uint8)).save(path)
    out = tmp_path / "out"
    succeed(
        "inpaint", *paths, "--prior", files[0], "--mask", "center=0.25", "--solver", "tv",
        "--out", out,
    )  # fmt: skip
    assert {f"images/{'a' * 100}-tv.png", f"images/{'ä' * 50}-tv.png"} <= set(contents(out))
    assert [row["image"] for row in read_summary(out)["rows"]] == [path.name for path in paths]


def test_a_dollar_in_a_name_begins_no_formula(files, tmp_path):
    folder = tmp_path / "$\\frac$"
    folder.mkdir()
    shutil.copy(files[1], folder / "i.npz")
    succeed(
        "inpaint", files[1], "--prior", files[0], "--mask", "center=0.25",
        "--solver", f"nearest-patch:images={folder / 'i.npz'}", "--out", tmp_path / "out",
    )  # fmt: skip
    assert "figure.png" in contents(tmp_path / "out")


@pytest.mark.parametrize(
    "words",
    [
        ("demo",),
        ("reconstruct", "IMAGES", "--prior", "PRIOR", "--measure", "identity"),
        ("inpaint", "IMAGES", "--prior", "PRIOR", "--mask", "center"),
        ("evaluate", "PRIOR", "--data", "IMAGES"),
        ("figure", "bora2017/inpainting"),
        ("train", "dcgan", "--data", "IMAGES"),
        ("measure", "IMAGES", "--measure", "identity"),
        ("sample", "--prior", "PRIOR"),
        ("interpolate", "--prior", "PRIOR"),
        ("arithmetic", "1", "--prior", "PRIOR"),
        ("train-classifier", "--data", "IMAGES"),
        ("train-context-encoder", "--data", "IMAGES"),
        ("fit-gaussians", "--data", "IMAGES"),
    ],
    ids=lambda words: words[0],
)
def test_out_is_looked_at_before_any_work(files, tmp_path, monkeypatch, words):
    """Empty, or with a name longer than names may be."""
    monkeypatch.chdir(tmp_path)
    words = [{"IMAGES": files[1], "PRIOR": files[0]}.get(word, word) for word in words]
    assert "--out" in refuse(*words, "--out", "")
    suffix = {
        "measure": ".npz", "sample": ".png", "interpolate": ".png", "arithmetic": ".png"
    }.get(words[0], "")  # fmt: skip
    for out in (f"{'x' * 300}{suffix}", f"new/{'x' * 300}/out{suffix}", f"null\0{suffix}"):
        assert "--out" in refuse(*words, "--out", out)
    assert os.listdir(tmp_path) == []


def test_the_rule_is_in_the_help():
    for command in ("demo", "reconstruct", "inpaint", "evaluate"):
        help_text = " ".join(succeed(command, "--help").stdout.split())
        assert "holds the results of an earlier run and nothing else" in help_text
