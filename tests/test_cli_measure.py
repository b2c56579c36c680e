"""``ganprior measure``, and ``reconstruct`` from measurements alone."""

import numpy as np
import pytest
import torch

from ganprior.cli.measurements import Measurements, as_matrix
from tests.cli_cases import (
    SIDE,
    TINY,
    read_arrays,
    read_summary,
    refuse,
    save_images,
    save_prior,
    succeed,
)

N = SIDE * SIDE


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A prior and three images that fit it."""
    folder = tmp_path_factory.mktemp("files")
    return save_prior(folder), save_images(folder / "images.npz")


def measure(images, spec, out, *more):
    done = succeed("measure", images, "--measure", spec, "--out", out, *more)
    with np.load(out, allow_pickle=False) as archive:
        return done, {key: archive[key] for key in archive.files}


def reconstruct(out, prior, *source):
    succeed(
        "reconstruct", *source, "--prior", prior, "--solver", TINY,
        "--solver", "lasso-wavelet:alpha=0.01", "--out", out,
    )  # fmt: skip
    return read_summary(out), read_arrays(out)


def test_the_file_holds_y_and_what_rebuilds_the_physics(files, tmp_path):
    out = tmp_path / "new" / "y.npz"
    done, stored = measure(
        files[1], "gaussian:m=40", out, "--seed", "3", "--noise-std", "0.1", "--limit", "2"
    )
    assert done.stdout == f"wrote {out}: 2 signals, m = 40, n = {N}\n"
    assert (stored["y"].shape, stored["y"].dtype) == ((2, 40), np.float32)
    assert not {"A", "x"} & stored.keys()
    assert (str(stored["spec"]), int(stored["seed"])) == ("gaussian:m=40", 3)
    assert float(stored["noise_std"]) == 0.1
    assert stored["image_shape"].tolist() == [1, SIDE, SIDE]
    assert stored["names"].tolist() == ["images.npz[0]", "images.npz[1]"]
    assert stored["indices"].tolist() == [0, 1]


@pytest.mark.parametrize("spec", ["gaussian:m=40", "mask:center=0.25", "mri:acceleration=4"])
def test_measurements_give_the_images_that_the_inputs_give(files, tmp_path, spec):
    prior, images = files
    noise = ("--seed", "3", "--noise-std", "0.02")
    measure(images, spec, tmp_path / "y.npz", *noise)
    stored, from_file = reconstruct(tmp_path / "a", prior, "--measurements", tmp_path / "y.npz")
    direct, from_inputs = reconstruct(tmp_path / "b", prior, images, "--measure", spec, *noise)
    for key in ("solver_0", "solver_1"):
        np.testing.assert_array_equal(from_file[key], from_inputs[key])
    assert "original" not in from_file
    for row, other in zip(stored["rows"], direct["rows"], strict=True):
        assert set(other) - set(row) == {"per_pixel_error", "psnr", "ssim"}
        assert all(row[key] == other[key] for key in set(row) - {"seconds"})
    for key in ("measure", "noise_std", "seed", "weights_sha256", "images"):
        assert stored["config"][key] == direct["config"][key]
    assert stored["config"]["inputs"] == [str(tmp_path / "y.npz")]
    assert (tmp_path / "a" / "figure.png").stat().st_size > 0


@pytest.mark.parametrize(
    ("spec", "m"),
    [
        ("gaussian:m=40", 40),
        ("mask:half=left", N // 2),
        ("structured:m=9", 9),
        # Less the imaginary parts that are zero for every real image.
        ("mri:acceleration=4", 2 * N // 4 - 2),
    ],
)
def test_a_stored_matrix_makes_the_measurements(files, tmp_path, spec, m):
    _, stored = measure(files[1], spec, tmp_path / "y.npz", "--store-matrix")
    images = np.load(files[1])["images"].reshape(3, N)
    assert stored["A"].shape == (m, N)
    np.testing.assert_allclose(stored["y"], images @ stored["A"].T, atol=1e-5)


def test_a_stored_matrix_reconstructs_as_its_spec(files, tmp_path):
    for out, more in (("a", ()), ("b", ("--store-matrix",))):
        measure(files[1], "gaussian:m=40", tmp_path / f"{out}.npz", *more)
    (_, by_spec), (_, by_matrix) = (
        reconstruct(tmp_path / out, files[0], "--measurements", tmp_path / f"{out}.npz")
        for out in ("a", "b")
    )
    for key in ("solver_0", "solver_1"):
        np.testing.assert_allclose(by_matrix[key], by_spec[key], atol=2e-3)


def test_y_and_matrix_of_ones_own(files, tmp_path):
    rng = np.random.default_rng(0)
    matrix = rng.normal(size=(50, N))
    y = np.load(files[1])["images"].reshape(3, N) @ matrix.T
    np.savez(tmp_path / "mine.npz", y=y, A=matrix)
    summary, arrays = reconstruct(
        tmp_path / "out", files[0], "--measurements", tmp_path / "mine.npz", "--limit", "2",
        "--noise-std", "0.5", "--seed", "9",
    )  # fmt: skip
    assert [row["image"] for row in summary["rows"]][:2] == ["mine.npz[0]", "mine.npz[1]"]
    assert all("psnr" not in row and row["m"] == 50 for row in summary["rows"])
    config = summary["config"]
    assert (config["measure"], config["noise_std"], config["seed"]) == (None, 0.5, 9)
    x = arrays["solver_1"].reshape(2, N)
    misfit = np.square(y[0] - matrix @ x[0]).sum()
    assert summary["rows"][2]["measurement_error"] == pytest.approx(misfit, rel=1e-2)


@pytest.mark.parametrize("more", [(), ("--store-matrix",), ("--limit", "2")])
def test_kept_images_give_the_errors_that_the_inputs_give(files, tmp_path, more):
    prior, images = files
    measure(images, "gaussian:m=40", tmp_path / "y.npz", "--keep-images", *more)
    stored, from_file = reconstruct(tmp_path / "a", prior, "--measurements", tmp_path / "y.npz")
    direct, from_inputs = reconstruct(tmp_path / "b", prior, images, "--measure", "gaussian:m=40")
    count = len(from_file["original"])
    assert count == (2 if "2" in more else 3)
    np.testing.assert_array_equal(from_file["original"], from_inputs["original"][:count])
    errors = {(row["image"], row["solver"]): row["per_pixel_error"] for row in direct["rows"]}
    assert len(stored["rows"]) == 2 * count
    for row in stored["rows"]:
        assert row["per_pixel_error"] == pytest.approx(
            errors[row["image"], row["solver"]], rel=5e-2
        )
        assert row["psnr"] == pytest.approx(-10 * np.log10(row["per_pixel_error"]), rel=1e-4)


@pytest.mark.parametrize("shape", [(3, 1, SIDE, SIDE), (3, SIDE, SIDE), (3, N)])
def test_an_x_of_ones_own_gives_errors(files, tmp_path, shape):
    matrix = np.random.default_rng(0).normal(size=(50, N))
    x = np.load(files[1])["images"].reshape(3, N)
    np.savez(tmp_path / "mine.npz", y=x @ matrix.T, A=matrix, x=x.reshape(shape))
    summary, arrays = reconstruct(
        tmp_path / "out", files[0], "--measurements", tmp_path / "mine.npz", "--limit", "2"
    )
    np.testing.assert_array_equal(arrays["original"], x[:2].reshape(2, 1, SIDE, SIDE))
    found = arrays["solver_1"].clip(0, 1).reshape(2, N)
    expected = np.square(found - x[:2]).mean(1)
    errors = [row["per_pixel_error"] for row in summary["rows"][2:]]
    np.testing.assert_allclose(errors, expected, rtol=1e-4)


@pytest.mark.parametrize(
    ("x", "words"),
    [
        (np.zeros((2, 1, SIDE, SIDE)), "x must be the 3 images that y was measured of, 3 x 1 x"),
        (np.zeros((3, SIDE, SIDE + 1)), "got (3, 16, 17)"),
        (np.full((3, N), 1.01), "x must lie in [0, 1], got 1.01 to 1.01"),
        (np.full((3, N), np.nan), "x holds NaN, infinite"),
        (np.zeros((3, N), np.uint8), "x must hold real floating-point numbers, got uint8"),
    ],
)
def test_an_x_that_cannot_be_the_images_is_refused(files, tmp_path, x, words):
    path, matrix = tmp_path / "mine.npz", np.ones((2, N))
    np.savez(path, y=np.ones((3, 2)), A=matrix, x=x)
    out = tmp_path / "out"
    assert words in refuse("reconstruct", "--measurements", path, "--prior", files[0], "--out", out)
    assert not out.exists()


def test_images_are_converted_when_asked(files, tmp_path):
    colour = save_images(tmp_path / "colour.npz", size=8, channels=3)
    assert "--size and --channels" in refuse(
        "measure", files[1], colour, "--measure", "identity", "--out", tmp_path / "y.npz"
    )
    _, stored = measure(colour, "identity", tmp_path / "y.npz", "--size", "12", "--channels", "1")
    assert stored["y"].shape == (3, 1, 12, 12)


def test_a_nonlinear_physics_has_no_matrix():
    class Squares:
        def A(self, x):
            return x.flatten(1).square()

    y = Squares().A(torch.rand(1, 1, 4, 4))
    measured = Measurements(y, Squares(), (1, 4, 4), ("a",), (0,), "squares", 0, 0.0)
    with pytest.raises(ValueError, match="squares is not linear"):
        as_matrix(measured)
