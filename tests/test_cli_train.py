"""``ganprior train``: the run folder, bad input, Ctrl-C and kill."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from ganprior import Prior
from ganprior.training import load_recipe, recipe_names
from ganprior.training.checkpoint import load_checkpoint, read_header
from tests.cases_training import save_images, tiny_images, tiny_recipe
from tests.cli_cases import refuse, run, succeed


@pytest.fixture
def files(tmp_path) -> tuple[Path, Path]:
    """A tiny recipe as a file, and images that fit it."""
    recipe, data = tmp_path / "tiny.toml", tmp_path / "images.npz"
    recipe.write_text(tiny_recipe(steps=3).toml())
    save_images(data, tiny_images())
    return recipe, data


def test_a_run_from_a_recipe_of_ones_own(files, tmp_path):
    recipe, data = files
    out = tmp_path / "run"
    args = ("train", recipe, "--data", data, "--out", out, "--licence", "CC0", "--set", "seed=5")
    result = succeed(*args)
    assert result.stdout == f"prior: {out / 'prior.safetensors'}\n"
    assert {path.name for path in out.iterdir()} == {
        "checkpoint.safetensors", "losses.csv", "prior.json", "prior.safetensors", "recipe.toml",
        "samples.png",
    }  # fmt: skip
    prior = Prior.load(out / "prior")
    assert (prior.card["data"], prior.card["licence"]) == ("images.npz", "CC0")
    assert "seed = 5\n" in prior.card["recipe"]
    assert prior.card["steps"] == 3

    refused = refuse(*args)
    assert "already holds a run" in refused
    succeed(*args, "--resume", "--steps", "4")
    assert Prior.load(out / "prior").card["steps"] == 4


def test_shipped_recipes_by_name_with_conversions(tmp_path):
    data = tmp_path / "images.npz"
    save_images(data, tiny_images(size=12, channels=3))
    small = [
        f"--set={setting}"
        for setting in ("size=8", "filters=2", "discriminator_filters=2", "batch_size=4")
    ]
    for name in ("dcgan", "wgan-gp"):
        args = ("train", name, "--data", data, "--steps", 1, *small, "--out", tmp_path / name)
        assert "--resize (size) and --convert (channels)" in refuse(*args)
        assert not (tmp_path / name).exists()
        succeed(*args, "--resize", "--convert")
        assert Prior.load(tmp_path / name / "prior").image_shape == (1, 8, 8)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"recipe": "dcgna"}, ["unknown recipe 'dcgna'", "did you mean 'dcgan'?"]),
        ({"recipe": "none.toml"}, ["cannot read recipe none.toml", "No such file"]),
        ({"more": ["--set", "batchsize=4"]}, ["'batchsize'", "did you mean 'batch_size'?"]),
        ({"more": ["--set", "objective=wgan-pg"]}, ["'wgan-pg'", "did you mean 'wgan-gp'?"]),
        ({"more": ["--set", "architecture=resent"]}, ["'resent'", "did you mean 'resnet'?"]),
        ({"more": ["--set", "classes=10"]}, ["classes = 10", "no labels", "--set classes=0"]),
        ({"more": ["--set", "encoder=yes"]}, ["encoder wants true or false", "'yes'"]),
        ({"more": ["--set", "start_generator=none"]}, ["start_generator", "no prior 'none'"]),
        ({"more": ["--set", "batch_size"]}, ["KEY=VALUE", "'batch_size'"]),
        ({"more": ["--set", "batch_size=many"]}, ["batch_size wants a whole number", "'many'"]),
        ({"more": ["--set", "batch_size=41"]}, ["40 images are fewer than a batch of 41"]),
        ({"more": ["--set", "size=16"]}, ["(1, 16, 16)", "(1, 8, 8)", "--resize"]),
        ({"more": ["--set", "size=9", "--resize"]}, ["size must be", "got 9"]),
        ({"more": ["--steps", "0"]}, ["--steps", "0"]),
        ({"more": ["--device", "tpu"]}, ["--device", "tpu"]),
        ({"more": ["--resume"]}, ["no checkpoint at", "start without --resume"]),
        ({"data": "nothing.npz"}, ["nothing.npz", "give a path"]),
        ({"out": "tiny.toml/run"}, ["--out", "tiny.toml", "is not a folder"]),
        ({"out": "tiny.toml"}, ["--out", "tiny.toml", "is not a folder"]),
    ],
)
def test_bad_input_is_one_line_and_writes_nothing(files, tmp_path, monkeypatch, change, words):
    monkeypatch.chdir(tmp_path)
    given = {"recipe": files[0], "data": files[1], "out": "run", "more": [], **change}
    before = {path: path.read_bytes() for path in tmp_path.rglob("*")}
    line = refuse(
        "train", given["recipe"], "--data", given["data"], "--out", given["out"], *given["more"]
    )
    for word in words:
        assert word in line
    assert {path: path.read_bytes() for path in tmp_path.rglob("*")} == before


def test_pixels_that_are_no_numbers(files, tmp_path):
    np.savez(files[1], images=np.full((40, 8, 8), np.nan))
    assert "images.npz" in refuse("train", files[0], "--data", files[1], "--out", tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_recipes_are_listed_with_what_to_expect():
    lines = succeed("train", "--list").stdout.splitlines()
    assert [line.split()[0] for line in lines] == recipe_names()
    assert all(line.endswith(load_recipe(line.split()[0]).expected) for line in lines)


def test_a_failed_run_ends_with_status_3_and_keeps_its_checkpoint(files, tmp_path):
    recipe, data = files
    args = ("train", recipe, "--data", data, "--out", tmp_path / "run", "--steps", 9)
    # A rate at which Adam's first step overflows float32.
    result = run(*args, "--set", "learning_rate=1e18", "--stop-on-failure")
    assert (result.exit_code, result.stdout) == (3, "")
    assert "not finite; lower the rate" in result.stderr
    assert str(tmp_path / "run/checkpoint.safetensors") in result.stderr
    state, _ = load_checkpoint(tmp_path / "run/checkpoint.safetensors")
    assert all(tensor.isfinite().all() for tensor in state["generator"].values())
    assert not (tmp_path / "run/prior.json").exists()


def test_tensorboard_that_is_not_installed(files, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    args = ("train", files[0], "--data", files[1], "--out", tmp_path / "run", "--tensorboard")
    assert "pip install tensorboard" in refuse(*args)
    assert not (tmp_path / "run").exists()


def test_tensorboard_receives_what_the_tables_hold(files, tmp_path):
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    out = tmp_path / "run"
    args = ("train", files[0], "--data", files[1], "--out", out, "--set", "sheet_every=2")
    succeed(*args, "--tensorboard")
    events = accumulator.EventAccumulator(str(out / "tensorboard")).Reload()
    assert [event.step for event in events.Scalars("generator_loss")] == [1, 2, 3]
    assert {tag.partition("/")[0] for tag in events.Tags()["images"]} == {"samples"}
    row = (out / "losses.csv").read_text().splitlines()[1].split(",")
    assert events.Scalars("discriminator_loss")[0].value == pytest.approx(float(row[1]), rel=1e-5)


def test_a_folder_with_unreadable_files_and_mixed_sizes(files, tmp_path):
    folder, out = tmp_path / "pictures", tmp_path / "run"
    folder.mkdir()
    for i, image in enumerate(tiny_images().pixels):
        Image.fromarray(image[0].numpy()).save(folder / f"{i}.png")
    (folder / "broken.png").write_bytes(b"no picture")
    args = ("train", files[0], "--data", folder, "--out", out)
    line = refuse(*args)
    assert "broken.png" in line
    assert "--skip-unreadable" in line
    assert not out.exists()
    result = succeed(*args, "--skip-unreadable")
    assert "1 unreadable files" in result.stderr
    Image.new("L", (9, 9)).save(folder / "99.png")
    (folder / "broken.png").unlink()
    line = refuse(*args[:-1], tmp_path / "other")
    assert "99.png" in line
    assert not (tmp_path / "other").exists()


def test_where_the_weights_come_from_is_said(files, tmp_path):
    recipe, data = files
    succeed("train", recipe, "--data", data, "--out", tmp_path / "first")
    prior = tmp_path / "first/prior.safetensors"
    args = ("train", recipe, "--data", data, "--out", tmp_path / "second")
    result = succeed(*args, "--set", f"start_generator={prior}")
    assert f"tensors taken from {prior}" in result.stderr
    assert "generator: " in result.stderr


def test_a_run_is_only_resumed_with_its_own_recipe_and_data(files, tmp_path):
    recipe, data = files
    out = tmp_path / "run"
    succeed("train", recipe, "--data", data, "--out", out)
    before = {path: path.read_bytes() for path in out.rglob("*")}
    other = tmp_path / "other.npz"
    save_images(other, tiny_images(seed=1))

    line = refuse("train", recipe, "--data", other, "--out", out, "--resume")
    assert "trained on other data" in line
    # The folder is looked at before the data, which may take long to read.
    args = ("train", recipe, "--data", "none", "--out", out)
    assert "already holds a run" in refuse(*args)
    assert "another recipe: batch_size differ" in refuse(*args, "--resume", "--set", "batch_size=4")
    (out / "checkpoint.safetensors").write_bytes(before[out / "checkpoint.safetensors"][:500])
    assert "is not a checkpoint" in refuse(*args, "--resume")
    (out / "checkpoint.safetensors").write_bytes(before[out / "checkpoint.safetensors"])
    assert {path: path.read_bytes() for path in out.rglob("*")} == before


def start(*args: object) -> "subprocess.Popen[str]":
    """Run the command line in a process of its own."""
    command = [sys.executable, "-m", "ganprior.cli.main", *map(str, args)]
    return subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[1],
        # A shell lets what it puts in the background ignore Ctrl-C, and children inherit that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )


def wait_for_step(process: "subprocess.Popen[str]", out: Path, step: int) -> None:
    checkpoint = out / "checkpoint.safetensors"
    for _ in range(6000):
        if process.poll() is not None:
            raise AssertionError(process.communicate())
        if checkpoint.exists() and read_header(checkpoint).step >= step:
            return
        time.sleep(0.02)
    raise AssertionError("no step within two minutes")


def killed_and_interrupted(files: tuple[Path, Path], tmp_path: Path, kills: int) -> None:
    """Kill a run at random moments, interrupt it once, and let it end: as if never disturbed."""
    recipe, data = files
    rng = np.random.default_rng(0)
    # A checkpoint at every step, so that many a kill comes while one is written.
    args = ["train", recipe, "--data", data, "--set", "checkpoint_every=1"]
    out, step = tmp_path / "run", 0
    resume: list[str] = []
    for kill in range(kills + 1):
        process = start(*args, "--out", out, "--steps", 10**6, *resume)
        wait_for_step(process, out, step + 2)
        time.sleep(rng.uniform(0, 0.1))
        process.send_signal(signal.SIGKILL if kill < kills else signal.SIGINT)
        stdout, stderr = process.communicate(timeout=120)
        state, header = load_checkpoint(out / "checkpoint.safetensors")
        assert header.step >= step + 2
        assert all(t.isfinite().all() for t in state["generator"].values())
        step, resume = header.step, ["--resume"]
    assert (process.returncode, stdout) == (130, "")
    assert stderr == f"stopped at step {step}; go on with --resume\n"

    succeed(*args, "--out", out, "--steps", step + 2, "--resume")
    succeed(*args, "--out", tmp_path / "whole", "--steps", step + 2)
    for name in ("losses.csv", "recipe.toml", "prior.safetensors", "prior.json", "samples.png"):
        assert (out / name).read_bytes() == (tmp_path / "whole" / name).read_bytes(), name
    state, header = load_checkpoint(out / "checkpoint.safetensors")
    undisturbed, same_header = load_checkpoint(tmp_path / "whole/checkpoint.safetensors")
    assert header == same_header
    for part, tensors in undisturbed.items():
        for name, tensor in tensors.items():
            assert torch.equal(state[part][name], tensor), name
    assert not list(tmp_path.rglob(".part-*"))


def test_killed_then_interrupted_then_resumed_is_undisturbed(files, tmp_path):
    killed_and_interrupted(files, tmp_path, kills=1)


@pytest.mark.slow
def test_twenty_kills(files, tmp_path):
    killed_and_interrupted(files, tmp_path, kills=20)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_ctrl_c_while_the_images_are_read(files, tmp_path):
    recipe, _ = files
    pipe = tmp_path / "pipe.npz"
    os.mkfifo(pipe)
    process = start("train", recipe, "--data", pipe, "--out", tmp_path / "run")
    for _ in range(6000):
        try:
            # Fails until the process has opened its end; then it waits for bytes that never come.
            writer = os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
            break
        except OSError:
            time.sleep(0.02)
    time.sleep(0.1)
    for _ in range(4):
        # Python swallows an interrupt that falls into a destructor; a user presses again.
        process.send_signal(signal.SIGINT)
        try:
            stdout, stderr = process.communicate(timeout=30)
            break
        except subprocess.TimeoutExpired:
            continue
    os.close(writer)
    assert (process.returncode, stdout) == (130, "")
    assert stderr == "Error: interrupted\n"
    assert not (tmp_path / "run").exists()


def test_handlers_are_put_back(files, tmp_path):
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    run("train", files[0], "--data", files[1], "--out", tmp_path / "run", "--steps", 1)
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before
