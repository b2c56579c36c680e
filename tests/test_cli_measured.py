"""``ganprior reconstruct --measured``: pictures that are measurements already."""

import numpy as np
import pytest
import torch
from PIL import Image

from ganprior.cli.measure_specs import MeasureSpec
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


def measured(images, spec, channels, seed=0):
    """What the physics of a spec gives of the images in a file, as an array."""
    x = torch.from_numpy(np.load(images)["images"])
    return MeasureSpec.parse(spec).build((channels, SIDE, SIDE), seed).A(x).numpy()


@pytest.mark.parametrize(
    ("spec", "channels"),
    [
        ("downsample:factor=4", 1),
        ("downsample:factor=2", 3),
        ("mask:center=0.25", 1),
        ("mask:random=0.6", 3),
        ("blur:sigma=1", 1),
        ("gray", 3),
        ("identity", 1),
    ],
)
def test_measured_pictures_give_the_images_that_measuring_gives(tmp_path, spec, channels):
    prior = save_prior(tmp_path, channels=channels)
    images = save_images(tmp_path / "images.npz", channels=channels)
    y = measured(images, spec, channels, seed=3)
    if "mask" in spec:
        # A mask hides what a picture shows there: white letters, say.
        y = np.where(y == 0, 1, y)
    np.savez(tmp_path / "y.npz", images=y.clip(0, 1))
    common = ["--prior", prior, "--solver", TINY, "--solver", "lasso-dct:alpha=0.01"]
    common += ["--noise-std", "0", "--seed", "3", "--out"]
    succeed("reconstruct", images, "--measure", spec, *common, tmp_path / "a")
    succeed("reconstruct", tmp_path / "y.npz", "--measured", spec, *common, tmp_path / "b")
    whole, part = read_arrays(tmp_path / "a"), read_arrays(tmp_path / "b")
    for key in ("solver_0", "solver_1"):
        np.testing.assert_array_equal(part[key], whole[key])
    assert "original" not in part
    summary, other = read_summary(tmp_path / "b"), read_summary(tmp_path / "a")
    assert summary["config"]["measure"] == spec
    assert summary["config"]["already_measured"]
    assert not other["config"]["already_measured"]
    for row, full in zip(summary["rows"], other["rows"], strict=True):
        assert set(full) - set(row) == {"per_pixel_error", "psnr", "ssim"}
        assert (row["m"], row["n"]) == (full["m"], full["n"])


def test_a_small_photograph_comes_back_large(tmp_path):
    pixels = np.random.default_rng(0).integers(64, 192, (4, 4, 3), np.uint8)
    Image.fromarray(pixels).save(tmp_path / "small.png")
    out = tmp_path / "out"
    succeed(
        "reconstruct", tmp_path / "small.png", "--prior", save_prior(tmp_path, channels=3),
        "--measured", "downsample:factor=4", "--solver", TINY, "--solver", "tv:weight=0.0001",
        "--out", out,
    )  # fmt: skip
    with Image.open(out / "images" / "small-csgm.png") as picture:
        assert (picture.size, picture.mode) == ((SIDE, SIDE), "RGB")
    # Total variation hardly smooths with such a weight: means of blocks are the small picture.
    with Image.open(out / "images" / "small-tv.png") as picture:
        large = np.asarray(picture, dtype=float)
    blocks = large.reshape(4, 4, 4, 4, 3).mean((1, 3))
    assert np.abs(blocks - pixels).max() < 3
    [row, _] = read_summary(out)["rows"]
    assert (row["image"], row["m"], row["n"]) == ("small.png", 48, 3 * SIDE**2)


def test_pictures_of_another_shape_are_brought_to_that_of_the_measurements(tmp_path):
    Image.new("RGB", (30, 20), (10, 200, 30)).save(tmp_path / "a.png")
    command = [
        "reconstruct", tmp_path / "a.png", "--prior", save_prior(tmp_path),
        "--measured", "downsample:factor=4", "--solver", TINY, "--out", tmp_path / "out",
    ]  # fmt: skip
    line = refuse(*command)
    assert "a.png are 3 x 20 x 30" in line
    assert "--measured downsample:factor=4, of 1 x 16 x 16 images, are 1 x 4 x 4" in line
    assert "--resize" in line
    succeed(*command, "--resize", "--convert")
    assert read_summary(tmp_path / "out")["rows"][0]["m"] == 16


@pytest.mark.parametrize(
    ("spec", "channels"),
    [("identity", 1), ("mask:half=left", 3), ("downsample:factor=2", 1), ("gray", 3)],
)
def test_nan_marks_what_is_missing_in_each_picture(tmp_path, spec, channels):
    """What is written where nothing was measured changes nothing; what else is known does."""
    prior = save_prior(tmp_path, channels=channels)
    y = measured(save_images(tmp_path / "images.npz", channels=channels), spec, channels)
    known = np.random.default_rng(0).uniform(size=y.shape) > 0.4
    holes = np.where(known, y, np.nan).astype(np.float32)
    np.savez(tmp_path / "y.npz", images=holes)
    out = tmp_path / "out"
    succeed(
        "reconstruct", tmp_path / "y.npz", "--measured", spec, "--prior", prior,
        "--solver", "lasso-dct:alpha=0.00001", "--solver", TINY, "--out", out,
    )  # fmt: skip
    rows, x = read_summary(out)["rows"][:3], read_arrays(out)["solver_0"]
    hidden = y == 0 if "mask" in spec else np.zeros_like(known)
    counted = known & ~hidden
    assert [row["m"] for row in rows] == counted.sum((1, 2, 3)).tolist()
    physics = MeasureSpec.parse(spec).build((channels, SIDE, SIDE), 0)
    misfit = np.where(counted, physics.A(torch.from_numpy(x)).numpy() - y, 0)
    assert np.abs(misfit).max() < 1e-2
    for i, row in enumerate(rows):
        assert row["measurement_error"] == pytest.approx(np.square(misfit[i]).sum(), rel=0.05)


def test_a_picture_of_nan_alone_is_refused(tmp_path):
    y = np.full((2, 1, SIDE, SIDE), 0.5, np.float32)
    y[1] = np.nan
    np.save(tmp_path / "y.npy", y)
    command = ["reconstruct", tmp_path / "y.npy", "--prior", save_prior(tmp_path)]
    line = refuse(*command, "--measured", "identity", "--out", tmp_path / "out")
    assert "every pixel of y.npy[1] is NaN; leave it out" in line
    inpaint = ["inpaint", *command[1:], "--damaged", "--out", tmp_path / "out"]
    assert "every pixel of y.npy[1] is NaN; leave it out" in refuse(*inpaint)
    line = refuse(*command, "--measure", "identity", "--out", tmp_path / "out")
    assert "holds NaN pixels, in y.npy[1]" in line


@pytest.mark.parametrize("spec", ["gaussian:m=10", "structured:m=10", "mri:acceleration=4"])
def test_what_is_no_picture_is_refused(tmp_path, spec):
    prior, images = save_prior(tmp_path), save_images(tmp_path / "images.npz")
    line = refuse(
        "reconstruct", images, "--prior", prior, "--measured", spec, "--out", tmp_path / "out"
    )
    assert f"--measured {spec}: what it measures is no picture" in line
    assert "--measurements" in line


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--measured", "dwnsample:factor=4"], "--measured dwnsample:factor=4: unknown measure"),
        (["--measured", "downsample:factor=3"], "--measured downsample:factor=3: factor must"),
        (["--measured", "gray"], "--measured gray: gray measures images of three channels"),
        (["--measured", "blur:sigma=1", "--measure", "identity"], "give one of them"),
        (["--measured", "identity", "--measurements", "y.npz"], "drop INPUT and --measured"),
        ([], "--measured to say how they were measured"),
    ],
)
def test_contradictions_are_one_line(tmp_path, options, words):
    prior, images = save_prior(tmp_path), save_images(tmp_path / "images.npz")
    line = refuse("reconstruct", images, "--prior", prior, *options, "--out", tmp_path / "out")
    assert words in line
    assert not (tmp_path / "out").exists()
