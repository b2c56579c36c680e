"""Checkpoints and run folders: what is refused, and that refusing changes nothing."""

import json
import shutil
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

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


Change = Callable[[dict[str, Any], dict[str, Any]], None]


def rewrite(path: Path, change: Change) -> None:
    """Write a checkpoint again with another header, or other tensors."""
    with safe_open(path, framework="pt") as file:
        tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
        header = json.loads(file.metadata()["header"])
    change(header, tensors)
    save_file(tensors, path, {"header": json.dumps(header)})


def _entry(key: str, value: object) -> Change:
    return lambda header, _: header.update({key: value})


@pytest.mark.parametrize(
    ("key", "values"),
    [
        ("step", (1e30, 10**30, -1, 2.0, "3", None, True, [], float("nan"))),
        ("batches", (1e30, -1, None, {})),
        ("data_sha256", (None, 5, ["a"])),
        ("recipe", (None, [], "dcgan", {}, {"steps": 3}, {"a": {}})),
    ],
)
def test_a_header_that_cannot_be(folder, key, values):
    checkpoint = folder / "checkpoint.safetensors"
    before = read_header(checkpoint)
    for value in values:
        rewrite(checkpoint, _entry(key, value))
        refuse(tiny_trainer(), folder, "is not a checkpoint of ganprior", resume=True)
    rewrite(checkpoint, _entry(key, asdict(before)[key]))
    assert read_header(checkpoint) == before


@pytest.mark.parametrize("key", ["step", "batches", "data_sha256", "recipe"])
def test_a_header_without_an_entry(folder, key):
    rewrite(folder / "checkpoint.safetensors", lambda header, _: header.pop(key))
    refuse(tiny_trainer(), folder, f"is not a checkpoint of ganprior: it has no {key}", resume=True)


@pytest.mark.parametrize("text", ["", "{", "[]", "3", "null", "[" * 100_000, '"a"', "{}"])
def test_a_header_that_is_none(folder, text):
    checkpoint = folder / "checkpoint.safetensors"
    save_file(load_file(checkpoint), checkpoint, {"header": text})
    refuse(tiny_trainer(), folder, "is not a checkpoint of ganprior", resume=True)


@pytest.mark.parametrize(
    "head",
    [
        (2**63 - 1).to_bytes(8, "little"),  # longer than the file
        b"\xff" * 8,
        (7).to_bytes(8, "little") + b"no json",
        (2).to_bytes(8, "little") + b"[]",
        (100_000).to_bytes(8, "little") + b"[" * 100_000,
        b"",
    ],
)
def test_a_file_whose_own_header_is_damaged(folder, head):
    checkpoint = folder / "checkpoint.safetensors"
    checkpoint.write_bytes(head + checkpoint.read_bytes()[len(head) :] if head else b"")
    refuse(tiny_trainer(), folder, "is not a checkpoint of ganprior", resume=True)


def _drop(start: str) -> Change:
    def change(_: dict[str, Any], tensors: dict[str, Any]) -> None:
        for key in [key for key in tensors if key.startswith(start)]:
            del tensors[key]

    return change


def _set(start: str, make: Callable[[Any], Any]) -> Change:
    def change(_: dict[str, Any], tensors: dict[str, Any]) -> None:
        key = next(key for key in tensors if key.startswith(start))
        tensors[key] = make(tensors[key])

    return change


@pytest.mark.parametrize(
    "change",
    [
        *(_drop(start) for start in ("generator/", "average/", "random/", "discriminator/")),
        _drop("generator_optimizer/0.exp_avg_sq"),
        _set("generator/", lambda t: t[:1].clone()),
        _set("generator/", lambda t: t.long()),
        _set("generator/", lambda t: t * float("nan")),
        _set("average/", lambda t: t.float().fill_(float("inf"))),
        _set("generator_optimizer/0.exp_avg", lambda t: t[:1].clone()),
        _set("generator_optimizer/0.exp_avg", lambda t: t * float("nan")),
        _set("generator_optimizer/0.step", lambda t: torch.zeros(3)),
        _set("generator_optimizer/0.step", lambda t: torch.tensor(True)),
        _set("random/", lambda t: t[:-1].clone()),
        _set("random/", lambda t: t.float()),
        lambda _, tensors: tensors.update({"generator/more": torch.zeros(2)}),
        lambda _, tensors: tensors.update({"generator_optimizer/99.step": torch.zeros(())}),
        lambda _, tensors: tensors.update({"generator_optimizer/x.step": torch.zeros(())}),
    ],
)
def test_tensors_that_are_not_those_of_the_run(folder, change):
    rewrite(folder / "checkpoint.safetensors", change)
    refuse(tiny_trainer(), folder, "start again in another folder", resume=True)


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
