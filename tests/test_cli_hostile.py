"""Hostile values for every option of every command: exit status 0 or 2, and one line, whatever."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import click
import numpy as np
import pytest
import torch

from ganprior.cli import devices
from ganprior.cli.main import COMMANDS, cli
from ganprior.cli.measure_specs import MeasureSpec
from ganprior.cli.solver_specs import SolverSpec
from tests.cases_training import tiny_recipe
from tests.cli_cases import SIDE, refuse, run, save_images, save_prior, succeed

HOSTILE = (
    "", " ", "~nobody-here", "~nobody-here/x", "x" * 300, "a/" * 2100, "nul\0", "-1", "0", "1e300",
    "1e-300", "nan", "inf", "-inf", "9" * 21, "9" * 5000, "1.5", "é\udcff", "/", "/dev/null/x",
    "$x$", "a=b", "a:b=c", ",", ":", "=", "cuda:999", "meta", "-", "{}", "[", "%s", "a\nb", "٣",
    str(2**31), str(2**63), "true", "None", "*",
)  # fmt: skip
# How many of them each option gets: others for each, and the same in every run.
TRIED = 6

# Arguments and options with which each command is done in a moment. FOLDER is one of the test's.
SMALL: dict[str, tuple[list[str], dict[str, str]]] = {
    "arithmetic": (
        ["1 - 0"],
        {"--prior": "PRIOR", "--data": "LABELLED", "--count": "1", "--seed": "0",
         "--out": "FOLDER/a.png"},
    ),
    "evaluate": (
        ["PRIOR"],
        {"--data": "LABELLED", "--count": "4", "--fitted": "0", "--solved": "1", "--holdout": "6",
         "--seed": "0", "--out": "FOLDER/a", "--classifier": "none", "--resize": "crop"},
    ),
    "figure": (
        ["bora2017/inpainting"],
        {"--preset": "smoke", "--figure-format": "svg", "--workers": "x", "--device": "x"},
    ),
    "inpaint": (
        ["IMAGES"],
        {"--block": "1", "--figure-format": "svg", "--mask": "center", "--threshold": "x",
         "--prior": "PRIOR", "--solver": "tv", "--compare": "tv", "--seed": "0", "--device": "cpu",
         "--limit": "1", "--resize": "crop", "--out": "FOLDER/a"},
    ),
    "interpolate": (
        [],
        {"--prior": "PRIOR", "--seed": "0", "--pairs": "1", "--frames": "2",
         "--out": "FOLDER/a.png"},
    ),
    "measure": (
        ["IMAGES"],
        {"--measure": "identity", "--noise-std": "0", "--seed": "0", "--limit": "1",
         "--size": "16", "--channels": "1", "--out": "FOLDER/a.npz"},
    ),
    "convert": (["PICKLE"], {"--key": "weights", "--out": "FOLDER/a"}),
    "reconstruct": (
        ["IMAGES"],
        {"--block": "1", "--figure-format": "svg",
         "--prior": "PRIOR", "--measure": "gaussian:m=20", "--noise-std": "0", "--seed": "0",
         "--solver": "csgm:restarts=1,steps=2", "--device": "cpu", "--limit": "1",
         "--resize": "crop", "--out": "FOLDER/a"},
    ),
    "sample": (
        [],
        {"--prior": "PRIOR", "--count": "2", "--seed": "0", "--columns": "1",
         "--out": "FOLDER/a.png"},
    ),
    "sweep": (
        ["IMAGES"],
        {"--block": "1", "--prior": "PRIOR", "--measure": "gaussian",
         "--over": "m=20", "--noise-std": "0", "--seed": "0", "--draws": "1",
         "--solver": "lasso-dct", "--device": "cpu", "--limit": "1", "--resize": "crop",
         "--out": "FOLDER/a"},
    ),
    "train": (
        ["RECIPE"],
        {"--data": "LABELLED", "--out": "FOLDER/a", "--steps": "1", "--device": "cpu",
         "--set": "seed=1", "--resize": "crop", "--licence": "x"},
    ),
    "train-classifier": (
        [],
        {"--data": "LABELLED", "--out": "FOLDER/a", "--images": "20", "--filters": "1",
         "--steps": "1", "--seed": "0", "--name": "a", "--licence": "b"},
    ),
    "fit-density": (
        ["PRIOR"],
        {"--data": "LABELLED", "--out": "FOLDER/a", "--images": "50", "--further": "1",
         "--skip": "0", "--rank": "4", "--latent-weight": "0.02", "--seed": "0"},
    ),
    "fit-gaussians": (
        [],
        {"--data": "LABELLED", "--out": "FOLDER/a", "--components": "1", "--images": "20",
         "--held-out": "4", "--size": "16", "--mixture-rank": "2", "--rank": "4",
         "--reg-covar": "1e-4", "--floor": "1e-4", "--steps": "1", "--seed": "0", "--name": "a",
         "--licence": "b"},
    ),
    "train-context-encoder": (
        [],
        {"--data": "LABELLED", "--out": "FOLDER/a", "--images": "20", "--size": "16",
         "--filters": "1", "--bottleneck": "1", "--steps": "1", "--batch-size": "2",
         "--seed": "0", "--device": "cpu", "--name": "a", "--licence": "b"},
    ),
}  # fmt: skip
# Options that the small command above is better without, until they get a hostile value.
OPTIONAL = {
    "evaluate": {"--classifier", "--holdout"},
    "figure": {"--workers", "--device"},
    "inpaint": {"--threshold"},
}
# These have no option of their own but --out, and demo --device: both are tried elsewhere, as are
# the commands of cache, and studio, which runs until it is stopped.
OTHERS = {"cache", "demo", "priors", "studio"}


@pytest.fixture(scope="module")
def words(tmp_path_factory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("files")
    pixels = np.random.default_rng(0).integers(0, 256, (40, SIDE, SIDE)).astype(np.uint8)
    np.savez(folder / "labelled.npz", images=pixels, labels=np.arange(40) % 2)
    recipe = folder / "recipe.toml"
    recipe.write_text(tiny_recipe(size=SIDE, steps=1, images=32).toml())
    torch.save({"weights": {"a": torch.zeros(2)}}, folder / "net.pt")
    return {
        "PICKLE": str(folder / "net.pt"),
        "PRIOR": save_prior(folder),
        "IMAGES": save_images(folder / "images.npz"),
        "LABELLED": str(folder / "labelled.npz"),
        "RECIPE": str(recipe),
    }


def command_line(command: str, words: dict[str, str], place: int | str, value: str) -> list[str]:
    """The small command with a value in an argument's place, or an option's."""
    arguments, options = SMALL[command]
    left_out = OPTIONAL.get(command, set())
    options = {key: text for key, text in options.items() if key not in left_out}
    arguments = [value if i == place else text for i, text in enumerate(arguments)]
    if isinstance(place, str):
        options[place] = value
    pairs = [text for pair in options.items() for text in pair]
    return [words.get(text, text) for text in [command, *arguments, *pairs]]


def assert_answered(line: list[str]) -> None:
    """Done, or refused in one line; never a trace, and nothing that only Python knows."""
    result = run(*line)
    assert result.exit_code in (0, 2), (line, result.output)
    errors = [text for text in result.stderr.splitlines() if text.startswith("Error: ")]
    assert len(errors) == (result.exit_code == 2), (line, result.output)
    if errors:
        assert len(errors[0]) < 3000
        assert not any(word in errors[0] for word in ("Traceback", "object has no", "RuntimeError"))


@pytest.mark.parametrize(
    ("command", "place"),
    [
        (command, place)
        for command, (arguments, options) in SMALL.items()
        for place in [*range(len(arguments)), *options]
    ],
)
def test_hostile_values(words, tmp_path, monkeypatch, command, place):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(words, "FOLDER", str(tmp_path))
    monkeypatch.setenv("GANPRIOR_TRUST_PICKLE", "1")
    for value in random.Random(f"{command} {place}").sample(HOSTILE, TRIED):
        line = command_line(command, words, place, value)
        assert_answered([text.replace("FOLDER", str(tmp_path)) for text in line])


def test_every_option_of_every_command_is_tried():
    assert SMALL.keys() | OTHERS == COMMANDS.keys()
    for name, (arguments, options) in SMALL.items():
        context = click.Context(cli)
        command: Any = cli.get_command(context, name)
        valued = {
            parameter.opts[0]
            for parameter in command.params
            if isinstance(parameter, click.Option) and not parameter.is_flag
        }
        untried = {"--out", "--workers", "--scheduler", "--measured", "--measurements"}
        assert valued - options.keys() <= untried, name
        assert len(arguments) <= 1


@pytest.mark.parametrize("value", HOSTILE)
def test_hostile_values_in_specs(value):
    """Reading a spec refuses it or gives numbers that every library can take."""
    measurements = {
        "gaussian": ["m"], "structured": ["m"], "downsample": ["factor"], "blur": ["sigma"],
        "mri": ["acceleration"],
        "mask": ["center", "random", "half", "pattern", "grid", "holes", "text"],
    }  # fmt: skip
    solvers = {
        "csgm": ["restarts", "steps", "lambda", "effort", "discriminator"],
        "semantic": ["restarts", "steps", "lambda", "effort", "weights", "loss", "screening"],
        "lasso-pixel": ["alpha"], "tv": ["weight"], "low-rank": ["tau"],
    }  # fmt: skip
    for parse, names in ((MeasureSpec.parse, measurements), (SolverSpec.parse, solvers)):
        for name, keys in names.items():
            for key in keys:
                try:
                    [read] = parse(f"{name}:{key}={value}").options.values()
                except ValueError:
                    continue
                if isinstance(read, int):
                    assert abs(read) < 2**31
                elif isinstance(read, float):
                    assert read == 0 or 1e-18 <= abs(read) <= 1e18


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--measure", "mask:grid=999999999999999999999", "grid must be at most 2147483647"),
        ("--measure", "gaussian:m=99999999999999999999", "m must be at most 2147483647"),
        ("--measure", "blur:sigma=1e300", "sigma must be 0 or between 1e-18 and 1e+18 in size"),
        ("--solver", "lasso-pixel:alpha=1e300", "alpha must be 0 or between"),
        ("--solver", "lasso-pixel:alpha=1e-300", "alpha must be 0 or between"),
        ("--solver", "csgm:steps=99999999999", "steps must be at most"),
        ("--solver", "csgm:steps=2000000000", "steps must be at most 1000000"),
        ("--solver", "csgm:restarts=2000000000", "restarts must be at most 10000"),
        ("--solver", "csgm:discriminator=1,restarts=10001", "restarts must be at most 10000"),
        ("--solver", "semantic:restarts=2000000000", "restarts must be at most 10000"),
        ("--solver", "semantic-raw:steps=2000000000", "steps must be at most 1000000"),
        ("--solver", "map:components=2000000000", "components must be at most 10000"),
        ("--solver", "map:steps=2000000000", "steps must be at most 1000000"),
        ("--solver", "posterior:particles=2000000000", "particles must be at most 10000"),
        ("--solver", "posterior:particles=1", "a whole number of at least 2"),
        ("--solver", "csgm:lambda=1e39", "lambda must be 0 or between"),
        ("--noise-std", "1e39", "--noise-std"),
    ],
)
def test_numbers_that_overflow(words, tmp_path, option, value, said):
    line = command_line("reconstruct", words, option, value)
    assert said in refuse(*[text.replace("FOLDER", str(tmp_path)) for text in line])


@pytest.mark.parametrize(
    "name", ["cuda:999", "cuda:300", "cuda:-1", "cuda:", "mps", "meta", "xla", "cpu:7", "", "CPU"]
)
def test_devices_that_are_none(words, tmp_path, name):
    """torch counts in 8 bits, for which cuda:256 is the first; and meta is a device to it."""
    for line in (
        command_line("reconstruct", words, "--device", name),
        command_line("train", words, "--device", name),
        ["demo", "--device", name],
    ):
        line = [text.replace("FOLDER", str(tmp_path)) for text in line]
        out = [] if "--out" in line else ["--out", str(tmp_path / "a")]
        assert f"--device {name}" in refuse(*line, *out) or f"got {name!r}" in refuse(*line, *out)
    assert list(tmp_path.iterdir()) == []


def test_a_device_that_does_not_work(monkeypatch):
    """A driver that is too old, a card in exclusive use."""

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("CUDA error: all devices are busy\nmore")

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setattr(torch, "zeros", fail)
    for name in ("auto", "cuda", "cuda:0"):
        with pytest.raises(ValueError, match=f"--device {name} cannot be used: CUDA error: all"):
            devices.pick_device(name)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        (["latent_size=99999999999"], "latent_size must be at most 2147483647"),
        (["latent_size=2000000000"], "networks of this size"),
        (["filters=100000"], "networks of this size"),
        (["learning_rate=1e300"], "learning_rate must be at most 1e+18"),
        (["kl_weight=1e39"], "kl_weight must be at most"),
        (["seed=99999999999999999999"], "seed must be at most"),
    ],
)
def test_recipes_that_overflow(words, tmp_path, settings, said):
    line = command_line("train", words, "--set", settings[0])
    line = [text.replace("FOLDER", str(tmp_path)) for text in line]
    assert said in refuse(*line)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("command", "option", "value", "said"),
    [
        ("sample", "--count", "2000000000", "too many at once; the most of this prior are 4194304"),
        ("interpolate", "--pairs", "2000000000", "too many at once"),
        ("interpolate", "--frames", "2000000000", "too many at once"),
        ("arithmetic", "--count", "2000000000", "too many at once"),
        ("train-classifier", "--filters", "2000000000", "networks of this size"),
        ("train-context-encoder", "--bottleneck", "2000000000", "networks of this size"),
        ("measure", "--noise-std", "1e39", "--noise-std"),
        ("measure", "--noise-std", "nan", "'--noise-std': 'nan' is no number"),
        ("inpaint", "--threshold", "nan", "'--threshold': 'nan' is no number"),
        ("fit-gaussians", "--reg-covar", "1e18", "Error: --reg-covar=1e+18 leaves a covariance"),
        ("fit-density", "--latent-weight", "nan", "'--latent-weight': 'nan' is no number"),
        ("fit-density", "--latent-weight", "1e300", "--latent-weight"),
        ("fit-gaussians", "--reg-covar", "1e300", "--reg-covar"),
        ("fit-gaussians", "--floor", "inf", "--floor"),
        ("measure", "--size", "20000", "--size"),
        ("fit-gaussians", "--size", "20000", "--size"),
        ("train-context-encoder", "--size", "20000", "--size"),
        ("sweep", "--draws", "2000000000", "--draws"),
        ("sweep", "--workers", "2000000000", "--workers"),
        ("reconstruct", "--workers", "2000000000", "--workers"),
        ("inpaint", "--workers", "2000000000", "--workers"),
        ("figure", "--workers", "2000000000", "--workers"),
    ],
)
def test_amounts_that_no_memory_holds(words, tmp_path, command, option, value, said):
    line = command_line(command, words, option, value)
    line = [text.replace("FOLDER", str(tmp_path)) for text in line]
    assert said in refuse(*line)


@pytest.mark.parametrize("command", ["train-classifier", "fit-gaussians", "train-context-encoder"])
def test_no_network_takes_the_place_of_another_thing(words, tmp_path, command):
    """A prior, a card of nobody's, a file without a card; an earlier one of its own it may."""
    save_prior(tmp_path)
    (tmp_path / "notes.json").write_text('["mine"]')
    (tmp_path / "weights.safetensors").write_bytes(b"mine")
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    for name in ("tiny-16-1", "tiny-16-1.safetensors", "tiny-16-1.json", "notes", "weights"):
        line = command_line(command, words, "--out", str(tmp_path / name))
        assert "is there already, and of no " in refuse(*line)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
    for _ in range(2):
        succeed(*command_line(command, words, "--out", str(tmp_path / "own")))


def test_names_that_are_no_text_are_written_to_and_shown(words, tmp_path):
    for command in ("evaluate", "measure"):
        out = f"{tmp_path}/\udcff{command}.npz"
        shown = succeed(*command_line(command, words, "--out", out)).stdout_bytes
        assert b"\xff" + command.encode() in shown
        assert Path(out).exists()


def test_a_folder_in_the_place_of_a_file_is_named_without_a_number(words, tmp_path):
    (tmp_path / "y.npz").mkdir()
    for line in (
        command_line("evaluate", words, "--classifier", str(tmp_path / "y.npz")),
        command_line("measure", words, 0, str(tmp_path / "y.npz")),
        ["reconstruct", "--measurements", str(tmp_path / "y.npz"), "--prior", words["PRIOR"],
         "--solver", "tv", "--out", str(tmp_path / "o")],
    ):  # fmt: skip
        said = refuse(*[text.replace("FOLDER", str(tmp_path)) for text in line])
        assert "[Errno" not in said


@pytest.mark.parametrize(
    "spec", ["gaussian:m=1000000000", "structured:m=1000000000", "downsample:factor=1000"]
)
def test_messages_name_no_function_of_python(words, tmp_path, spec):
    said = refuse(*command_line("measure", words, "--measure", spec))
    assert "Gaussian" not in said
    assert "(" not in said.replace("(1, 16, 16)", "")


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        RuntimeError("[enforce fail at alloc_cpu.cpp:127] . DefaultCPUAllocator: can't allocate me"
                     "mory: you tried to allocate 1 bytes."),
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB"),
        PermissionError(13, "Permission denied", "/some/file"),
    ],
    ids=lambda error: type(error).__name__,
)  # fmt: skip
def test_what_the_machine_refuses_is_the_users_matter(words, tmp_path, monkeypatch, error):
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr("ganprior.cli.sample.draw_latents", fail)
    line = command_line("sample", words, "--count", "2")
    line_of = refuse(*[text.replace("FOLDER", str(tmp_path)) for text in line])
    assert ("/some/file: Permission denied" in line_of) or ("not enough memory" in line_of)
    assert not list(Path(tmp_path).iterdir())
