"""Checkpoints and run folders: what is refused, and that refusing changes nothing."""

import shutil
from pathlib import Path

import pytest
import torch

from ganprior.training import RunFolder, Trainer, train
from ganprior.training.checkpoint import read_header
from tests.cases_training import tiny_images, tiny_recipe, tiny_trainer


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> Path:
    out = tmp_path_factory.mktemp("runs") / "finished"
    train(tiny_trainer(steps=2), out, progress=False)
    return out


@pytest.fixture
def folder(finished, tmp_path) -> Path:
    """A run of one's own to damage."""
    return Path(shutil.copytree(finished, tmp_path / "run"))


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def refuse(trainer: Trainer, folder: Path, message: str, *, resume: bool) -> None:
    before = contents(folder)
    with pytest.raises(ValueError, match=message) as caught:
        train(trainer, folder, resume=resume, progress=False)
    assert "\n" not in str(caught.value)
    assert contents(folder) == before


def test_a_folder_that_holds_a_run(folder):
    refuse(tiny_trainer(), folder, "already holds a run.*--resume", resume=False)
    # A prior alone is as dear as a checkpoint.
    (folder / "checkpoint.safetensors").unlink()
    refuse(tiny_trainer(), folder, "already holds a run", resume=False)
    refuse(tiny_trainer(), folder, "no checkpoint at .*; start without --resume", resume=True)


def test_another_recipe(folder):
    refuse(
        tiny_trainer(batch_size=4, seed=3),
        folder,
        "another recipe: batch_size, seed differ",
        resume=True,
    )
    refuse(tiny_trainer("wgan-gp"), folder, "objective, .*critic_steps.* differ", resume=True)


def test_other_data(folder):
    other = Trainer(tiny_recipe(), tiny_images(seed=1), torch.device("cpu"))
    refuse(other, folder, "trained on other data; give the --data", resume=True)


@pytest.mark.parametrize("kept", [0, 5, 100, 0.5, 0.999])
def test_a_truncated_checkpoint(folder, kept):
    checkpoint = folder / "checkpoint.safetensors"
    whole = checkpoint.read_bytes()
    checkpoint.write_bytes(whole[: int(kept * len(whole)) if 0 < kept < 1 else int(kept)])
    refuse(tiny_trainer(), folder, "is not a checkpoint of ganprior", resume=True)


def test_something_else_than_a_checkpoint(folder):
    checkpoint = folder / "checkpoint.safetensors"
    shutil.copy(folder / "prior.safetensors", checkpoint)
    refuse(tiny_trainer(), folder, "is not a checkpoint.*no header", resume=True)
    torch.save({"generator": torch.zeros(2)}, checkpoint)
    refuse(tiny_trainer(), folder, "is not a checkpoint", resume=True)


def test_images_that_do_not_fit_are_refused_before_anything_is_written(tmp_path):
    with pytest.raises(ValueError, match="fewer than a batch"):
        Trainer(tiny_recipe(batch_size=41), tiny_images(), torch.device("cpu"))
    with pytest.raises(ValueError, match="size must be 4 or 7 times a power of two"):
        Trainer(tiny_recipe(size=18), tiny_images(size=18), torch.device("cpu"))


def test_a_place_that_cannot_be_a_folder(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match=r"cannot write .*file/run"):
        train(tiny_trainer(), tmp_path / "file/run", progress=False)


def test_a_full_disk_leaves_the_last_checkpoint(folder):
    """The kernel refuses to write more than a part of it."""
    resource = pytest.importorskip("resource")
    checkpoint = folder / "checkpoint.safetensors"
    before = checkpoint.read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) // 2, limits[1]))
    try:
        with pytest.raises(ValueError, match=r"cannot write .*checkpoint"):
            train(tiny_trainer(steps=3), folder, resume=True, progress=False)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert checkpoint.read_bytes() == before
    assert not list(folder.rglob(".part-*"))
    train(tiny_trainer(steps=3), folder, resume=True, progress=False)
    assert read_header(checkpoint).step == 3


def test_header_is_read_without_tensors_and_leftovers_go(folder):
    run = RunFolder(folder)
    header = read_header(run.checkpoint)
    assert (header.step, header.batches) == (2, 2)
    assert header.recipe == tiny_recipe(steps=2)
    (folder / ".part-abc.safetensors").write_bytes(b"half")
    train(tiny_trainer(steps=3), folder, resume=True, progress=False)
    assert not list(folder.rglob(".part-*"))
    assert read_header(run.checkpoint).step == 3
