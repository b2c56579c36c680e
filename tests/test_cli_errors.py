"""Bad input: one line on stderr that names it, exit status 2, nothing written."""

import io
import json
import shutil
import subprocess
import sys
import zipfile

import numpy as np
import pytest
import torch
from PIL import Image

from tests.cli_cases import SIDE, TINY, refuse, save_images, save_prior

N = SIDE * SIDE


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A prior and images that fit it."""
    folder = tmp_path_factory.mktemp("files")
    return save_prior(folder), save_images(folder / "images.npz")


@pytest.fixture
def attempt(files, tmp_path):
    """Run ``reconstruct`` with something wrong; give the line on stderr."""
    before = set(tmp_path.rglob("*"))

    def run(*more, images=None, prior=None, measure="gaussian:m=30", solver=TINY, out=None):
        nonlocal before
        before = set(tmp_path.rglob("*"))
        inputs = [files[1]] if images is None else images
        line = refuse(
            "reconstruct", *inputs, "--prior", prior or files[0],
            *(["--measure", measure] if measure else []),
            "--solver", solver, "--out", out or tmp_path / "out", *more,
        )  # fmt: skip
        assert set(tmp_path.rglob("*")) == before
        return line

    return run


def assert_has(line, *words):
    for word in words:
        assert str(word) in line, line


def test_a_missing_file(attempt, tmp_path):
    assert_has(attempt(images=[tmp_path / "none.png"]), tmp_path / "none.png", "no file")


@pytest.mark.parametrize(
    "solver", ["semantic", "semantic-raw", "low-rank", "biharmonic", "nearest-patch:images=x"]
)
@pytest.mark.parametrize("measure", ["gaussian:m=30", "blur:sigma=1", "downsample:factor=4"])
def test_a_solver_of_masks_and_other_measurements(attempt, solver, measure):
    line = attempt(solver=solver, measure=measure)
    assert_has(line, f"--solver {solver} fills missing", f"--measure {measure} hides none")


def test_not_an_image(attempt, tmp_path):
    path = tmp_path / "text.png"
    path.write_text("no image")
    assert_has(attempt(images=[path]), path, "cannot be read as an image")


def test_an_empty_folder(attempt, tmp_path):
    (tmp_path / "empty").mkdir()
    assert_has(attempt(images=[tmp_path / "empty"]), "holds no images")


@pytest.mark.parametrize(
    ("mode", "size", "words"),
    [("L", (20, SIDE), "1 x 16 x 20"), ("RGB", (SIDE, SIDE), "3 x 16 x 16")],
)
def test_images_that_do_not_fit_the_prior(attempt, files, tmp_path, mode, size, words):
    path = tmp_path / "image.png"
    Image.new(mode, size).save(path)
    line = attempt(images=[files[1], path])
    assert_has(line, path, words, files[0], "1 x 16 x 16", "--resize", "--convert")


@pytest.mark.parametrize("value", [np.nan, np.inf, 2.0])
def test_pixels_that_are_no_pixels(attempt, tmp_path, value):
    np.savez(tmp_path / "bad.npz", images=np.full((1, SIDE, SIDE), value))
    assert_has(attempt(images=[tmp_path / "bad.npz"]), "bad.npz", "pixels" if value != 2 else "2")


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ("gaussian:m=0", ["m must be", "'0'"]),
        (f"gaussian:m={N + 1}", [f"n={N}", f"m={N + 1}"]),
        (f"structured:m={N + 1}", [f"n={N}", f"m={N + 1}"]),
        ("gaussian", ["'m' is missing"]),
        ("gausian:m=3", ["did you mean 'gaussian'?"]),
        ("gaussian:n=3", ["unknown option 'n'"]),
        ("mask:center=1", ["below 1", "'1'"]),
        ("mask:random=0.9999", ["mask"]),
        ("downsample:factor=3", ["factor"]),
        ("mri:acceleration=99", ["acceleration"]),
    ],
)
def test_measurements_that_cannot_be(attempt, spec, words):
    assert_has(attempt(measure=spec), f"--measure {spec}", *words)


def test_an_unknown_solver_or_option(attempt):
    assert_has(attempt(solver="cgsm"), "--solver cgsm", "did you mean 'csgm'?")
    assert_has(attempt(solver="csgm:step=3"), "did you mean 'steps'?")
    line = attempt("--solver", "lasso-wavelet:wavelet=no")
    assert_has(line, "--solver lasso-wavelet:wavelet=no")


def test_an_unknown_prior(attempt):
    assert_has(attempt(prior="fashion-mnist-dcgna"), "did you mean 'fashion-mnist-dcgan'?")


@pytest.fixture
def prior_copy(files, tmp_path):
    """Paths of the tensors and the card of a copy of the prior, to be damaged."""
    paths = tmp_path / "copy.safetensors", tmp_path / "copy.json"
    shutil.copy(files[0], paths[0])
    shutil.copy(files[0].replace(".safetensors", ".json"), paths[1])
    return paths


@pytest.mark.parametrize("kept", [0, 5, 300, -100])
def test_a_truncated_prior(attempt, prior_copy, kept):
    prior_copy[0].write_bytes(prior_copy[0].read_bytes()[:kept])
    assert_has(attempt(prior=prior_copy[0]), prior_copy[0], "not a whole safetensors file")


def test_a_corrupt_prior(attempt, prior_copy):
    data = bytearray(prior_copy[0].read_bytes())
    data[8:40] = b"\xff" * 32
    prior_copy[0].write_bytes(data)
    assert_has(attempt(prior=prior_copy[0]), prior_copy[0], "not a whole safetensors file")


@pytest.mark.parametrize(
    ("suffix", "words"), [(".safetensors", "Pickles"), (".pt", "--trust-pickle")]
)
def test_a_pickle_is_not_loaded(attempt, prior_copy, suffix, words):
    path = prior_copy[0].with_suffix(suffix)
    torch.save({"weight": torch.zeros(3)}, path)
    assert_has(attempt(prior=path), path, words)


@pytest.mark.parametrize("name", ["colleague:make", "colleague.pt"])
def test_what_to_give_in_python_is_said_as_python_has_it(attempt, tmp_path, name, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "colleague.pt").write_bytes(b"none")
    assert_has(attempt(prior=name), "--trust-", "in Python trust_")


def test_a_prior_without_card_or_with_the_wrong_one(attempt, prior_copy):
    card = json.loads(prior_copy[1].read_text())
    card["architecture"]["filters"] += 1
    prior_copy[1].write_text(json.dumps(card))
    assert_has(attempt(prior=prior_copy[0]), "does not fit")
    prior_copy[1].write_text("{")
    assert_has(attempt(prior=prior_copy[0]), "card")
    prior_copy[1].unlink()
    assert_has(attempt(prior=prior_copy[0]), "no card")


def test_a_folder_that_cannot_be_written(attempt, files, tmp_path):
    (tmp_path / "file").touch()
    out = tmp_path / "file" / "out"
    for line in (attempt(out=out), refuse("demo", "--out", out)):
        assert_has(line, "--out", out, "is not a folder")
    line = refuse("measure", files[1], "--measure", "identity", "--out", out / "y.npz")
    assert_has(line, "--out", "is not a folder")
    line = refuse("measure", files[1], "--measure", "identity", "--out", tmp_path / "y.txt")
    assert_has(line, "--out", "ends in .npz")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--limit", "0"),
        ("--noise-std", "-0.1"),
        ("--noise-std", "nan"),
        ("--noise-std", "inf"),
        ("--seed", "-1"),
        ("--seed", str(2**64)),
        ("--device", "gpu"),
        ("--device", "cuda:99"),
    ],
)
def test_numbers_and_devices_out_of_range(attempt, option, value):
    assert_has(attempt(option, value), option.strip("-").replace("noise-std", "noise"), value)


def test_a_source_of_measurements_is_needed_and_only_one(attempt, tmp_path):
    assert_has(attempt(images=[]), "INPUT", "--measurements")
    assert_has(attempt(measure=None), "--measure")
    line = attempt("--measurements", tmp_path / "y.npz")
    assert_has(line, "drop INPUT and --measure")
    line = attempt("--measurements", tmp_path / "y.npz", "--resize", images=[], measure=None)
    assert_has(line, "drop --resize")


GOOD = {"y": np.ones((2, 5)), "A": np.ones((5, N))}
SPEC = {"y": np.ones((2, 5)), "spec": np.array("gaussian:m=5"), "seed": np.array(0)}


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({"x": np.ones(3)}, ["keys x", "y (signals, m)"]),
        ({"y": GOOD["y"]}, ["keys y", "A (m, n)"]),
        (GOOD | {"y": np.full((2, 5), np.nan)}, ["y holds NaN"]),
        (GOOD | {"y": np.full((2, 5), 1e300)}, ["y holds", "too large"]),
        (GOOD | {"A": np.full((5, N), np.inf)}, ["A holds", "infinite"]),
        (GOOD | {"y": np.ones((2, 5), int)}, ["y must hold real", "int64"]),
        (GOOD | {"y": np.ones((2, 5), complex)}, ["complex128"]),
        (GOOD | {"y": np.ones(5)}, ["(5,)", "(signals, m)"]),
        (GOOD | {"y": np.ones((0, 5))}, ["(0, 5)"]),
        (GOOD | {"y": np.ones((2, 6))}, ["(2, 6)", "(signals, 5)"]),
        (GOOD | {"A": np.ones((N, 5))}, [f"n = 1 x 16 x 16 = {N}", f"({N}, 5)"]),
        (GOOD | {"y": np.array([[None, 1]], object)}, ["Python objects"]),
        (GOOD | {"names": np.array(["a"])}, ["names must be text, one per signal"]),
        (GOOD | {"noise_std": np.array("loud")}, ["--noise-std must be a number"]),
        (GOOD | {"noise_std": np.array(-0.1)}, ["--noise-std must be finite and not negative"]),
        (GOOD | {"noise_std": np.array(np.inf)}, ["--noise-std must be finite and not negative"]),
        (GOOD | {"indices": np.array([0, -1])}, ["indices must be finite and not negative"]),
        (GOOD | {"y": np.array(1.0)}, ["y must be (signals, m)"]),
        (SPEC | {"image_shape": np.array(3)}, ["image_shape must be three whole numbers", "()"]),
        (SPEC | {"image_shape": np.ones(3)}, ["image_shape must be three whole numbers"]),
        (SPEC, ["seed and image_shape"]),
        (SPEC | {"image_shape": np.array([1, 8, 8])}, ["1 x 8 x 8", "1 x 16 x 16"]),
        (
            SPEC | {"image_shape": np.array([1, SIDE, SIDE]), "spec": np.array("gausian:m=5")},
            ["did you mean 'gaussian'?"],
        ),
        (
            SPEC | {"image_shape": np.array([1, SIDE, SIDE]), "spec": np.array("gaussian:m=6")},
            ["(2, 5)", "(signals, 6)"],
        ),
    ],
)
def test_measurement_files_that_cannot_be_used(attempt, tmp_path, arrays, words):
    np.savez(tmp_path / "y.npz", **arrays)
    line = attempt("--measurements", tmp_path / "y.npz", images=[], measure=None)
    assert_has(line, *words)


def test_files_that_hold_no_measurements(attempt, tmp_path):
    def read(path):
        return attempt("--measurements", path, images=[], measure=None)

    assert_has(read(tmp_path / "none.npz"), "no measurement file")
    np.savez(tmp_path / "whole.npz", y=GOOD["y"], A=GOOD["A"])
    (tmp_path / "part.npz").write_bytes((tmp_path / "whole.npz").read_bytes()[:500])
    assert_has(read(tmp_path / "part.npz"), "truncated")
    np.save(tmp_path / "y.npy", np.ones(3))
    assert_has(read(tmp_path / "y.npy"), "no .npz file")
    torch.save({"y": 1}, tmp_path / "y.pt")
    assert_has(read(tmp_path / "y.pt"), "y.pt")
    assert_has(read(tmp_path), "no .npz file")
    with zipfile.ZipFile(tmp_path / "lzma.npz", "w", zipfile.ZIP_LZMA) as archive:
        archive.write(tmp_path / "y.npy", "y.npy")
    assert_has(read(tmp_path / "lzma.npz"), "a zip method that NumPy does not use")


def test_a_damaged_picture_is_one_line_whatever_libraries_print(tmp_path):
    data = io.BytesIO()
    Image.new("L", (28, 28)).save(data, "TIFF", compression="tiff_lzw")
    damaged = bytearray(data.getvalue())
    damaged[8:30] = bytes([255] * 22)
    (tmp_path / "scan.tif").write_bytes(damaged)
    command = [sys.executable, "-m", "ganprior.cli.main", "measure", tmp_path / "scan.tif"]
    # A process of its own: libtiff writes to its stderr past Python.
    result = subprocess.run(
        [*command, "--measure", "identity", "--out", tmp_path / "y.npz"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 2
    [line] = result.stderr.splitlines()
    assert_has(line, "scan.tif cannot be read as an image")
