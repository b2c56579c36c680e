"""Runs that are killed at any write: going on gives the same files as never having stopped."""

from pathlib import Path
from typing import Any

import pytest
import torch

from ganprior.files import parts_of
from ganprior.training import TrainingFailed, train
from ganprior.training.checkpoint import load_checkpoint
from ganprior.training.monitor_log import add_row, cut
from ganprior.training.monitors import Snapshot
from ganprior.training.run_folder import RunFolder
from tests.cases_training import tiny_trainer

# Monitors and sheets fall together with checkpoints, between them, and on the last step.
EVERY: dict[str, Any] = {
    "images": 32, "steps": 6, "checkpoint_every": 2, "sheet_every": 2, "monitor_every": 3
}  # fmt: skip


class Killed(BaseException):
    """What SIGKILL does to a process, short of ending the tests'."""


def brightness(run: Snapshot) -> dict[str, float]:
    return {"brightness": float(run.prior.sample(4, run.rng).mean())}


def go(out: Path, *, resume: bool = False, **changes: Any) -> None:
    trainer = tiny_trainer(**{**EVERY, **changes})
    train(trainer, out, resume=resume, monitors=[brightness], progress=False)


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.suffix != ".safetensors"
    }


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> dict[str, bytes]:
    """Files of a run that nothing stopped."""
    folder = tmp_path_factory.mktemp("whole")
    go(folder)
    found = contents(folder)
    assert {f"samples/step-00000{i}.png" for i in (2, 4, 6)} < found.keys()
    assert [row[:2] for row in found["monitors.csv"].decode().splitlines()] == ["st", "3,", "6,"]
    return found


def kill_at(write: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Die at a write, before its file takes the place of the old one."""
    replace, done = Path.replace, 0

    def replace_or_die(source: Path, target: Path) -> Path:
        nonlocal done
        done += 1
        if done == write:
            raise Killed
        return replace(source, target)

    monkeypatch.setattr(Path, "replace", replace_or_die)


@pytest.mark.parametrize("write", range(3, 18))
def test_no_row_and_no_sheet_is_lost(whole, tmp_path, monkeypatch, write):
    """The first two writes are those of the recipe and of the checkpoint of step 0."""
    with monkeypatch.context() as patch:
        kill_at(write, patch)
        try:
            go(tmp_path / "run")
        except Killed:
            pass
        else:
            assert write > 14, "there are more writes than that"
            return
    go(tmp_path / "run", resume=True)
    assert contents(tmp_path / "run") == whole


def test_rows_and_sheets_of_a_lost_future_are_removed(whole, tmp_path):
    """A run of another length goes on from a checkpoint before them, and ends before them too."""
    out = tmp_path / "run"
    go(out, steps=2)
    (out / "samples/step-000004.png").write_bytes(b"of the future")
    (out / "samples/step-by-step.png").write_bytes(b"somebody's")
    add_row(out / "monitors.csv", 3, {"brightness": 1.0})
    go(out, steps=2, resume=True)
    assert not (out / "monitors.csv").exists()
    names = {path.name for path in (out / "samples").iterdir()}
    assert names == {"step-000002.png", "step-by-step.png"}


def test_rows_that_are_none_are_passed_over(tmp_path):
    path = tmp_path / "monitors.csv"
    path.write_bytes(b"step,a\n1,2\n\xff\xfe,\nx,3\n2\n-1,4\n")
    cut(path, 5)
    assert path.read_text() == "step,a\n1,2\n2,\n"
    path.write_text("a,b\n1,2\n")
    add_row(path, 1, {"a": 3.0})
    assert path.read_text() == "step,a\n1,3\n"


def test_only_temporary_files_of_the_run_are_removed(tmp_path):
    run = RunFolder(tmp_path / "run")
    run.sheets.mkdir(parents=True)
    other = tmp_path / "run" / "another run"
    other.mkdir()
    own = [
        run.path / ".part-checkpoint.safetenso-abc.safetensors",
        run.path / ".part-losses.csv-abc.csv",
        run.path / ".part-prior.json-abc.json",
        run.path / ".part-abc.safetensors",
        run.sheets / ".part-step-000010.png-abc.png",
    ]
    others = [
        other / ".part-checkpoint.safetenso-abc.safetensors",
        other / ".part-losses.csv-abc.csv",
        run.path / ".part-notes.txt-abc.txt",
        run.sheets / ".part-mine.png-abc.png",
    ]
    for path in own + others:
        path.touch()
    run.clear_parts()
    assert [path for path in own if path.exists()] == []
    assert [path for path in others if not path.exists()] == []


def test_the_parts_of_every_file_of_a_run_are_known(tmp_path, monkeypatch):
    """By the names that its writers give them."""
    seen: list[Path] = []
    replace = Path.replace

    def watch(source: Path, target: Path) -> Path:
        seen.append(source)
        assert source in parts_of(target)
        return replace(source, target)

    monkeypatch.setattr(Path, "replace", watch)
    go(tmp_path)
    for part in seen:
        part.touch()
    RunFolder(tmp_path).clear_parts()
    assert [part for part in seen if part.exists()] == []


class TestWeightsThatAreNotFinite:
    """A step whose losses are finite can leave weights that are not: no checkpoint keeps them."""

    def broken_at(self, step: int, part: str, **changes: Any) -> Any:
        trainer: Any = tiny_trainer(**{**EVERY, **changes})
        take_step = trainer.train_step

        def break_weights() -> Any:
            taken = take_step()
            if trainer.step == step:
                network = trainer.average if part == "average" else trainer.networks[part]
                with torch.no_grad():
                    next(network.parameters())[0] = torch.nan
            return taken

        trainer.train_step = break_weights
        return trainer

    @pytest.mark.parametrize("part", ["generator", "discriminator", "average"])
    def test_the_last_good_checkpoint_is_good(self, tmp_path, part):
        trainer = self.broken_at(4, part)
        with pytest.raises(TrainingFailed, match=rf"step 4: NaN or infinite numbers in {part}"):
            train(trainer, tmp_path, progress=False)
        state, header = load_checkpoint(tmp_path / "checkpoint.safetensors")
        assert header.step == 2
        assert all(t.isfinite().all() for tensors in state.values() for t in tensors.values())
        assert not (tmp_path / "prior.safetensors").exists()
        # Nor a sheet of them.
        assert {path.name for path in (tmp_path / "samples").iterdir()} == {"step-000002.png"}
        go(tmp_path, resume=True)

    def test_so_is_that_of_a_run_that_ends_between_two(self, tmp_path):
        trainer = self.broken_at(5, "generator", steps=5)
        with pytest.raises(TrainingFailed, match=r"step 5: NaN .*the last good checkpoint is"):
            train(trainer, tmp_path, progress=False)
        assert load_checkpoint(tmp_path / "checkpoint.safetensors")[1].step == 4

    def test_and_the_moments_of_an_optimiser_count(self, tmp_path):
        trainer = tiny_trainer(**EVERY)
        take_step = trainer.train_step

        def overflow() -> Any:
            taken = take_step()
            for moments in trainer.optimizers["generator"].state.values():
                moments["exp_avg_sq"].fill_(torch.inf)
            return taken

        trainer.train_step = overflow  # type: ignore[method-assign]
        with pytest.raises(TrainingFailed, match=r"step 2: .* in generator_optimizer"):
            train(trainer, tmp_path, progress=False)
        assert load_checkpoint(tmp_path / "checkpoint.safetensors")[1].step == 0
