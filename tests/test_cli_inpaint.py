"""``ganprior inpaint``: what it writes, known pixels, masks of every kind, damaged pictures."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file

from ganprior.cli.comparison_figure import _strips
from ganprior.cli.mask_inputs import MaskOption
from ganprior.cli.mask_specs import MaskSpec
from ganprior.cli.measure_specs import MeasureSpec
from ganprior.cli.solver_specs import SolverSpec
from ganprior.physics import masks
from ganprior.priors import Prior
from ganprior.registry import entries
from ganprior.streams import Streams
from tests.cli_cases import (
    SIDE,
    read_arrays,
    read_summary,
    refuse,
    save_images,
    save_prior,
    succeed,
)

QUICK = "semantic:restarts=2,steps=5"
RAW = "semantic-raw:restarts=2,steps=5"
SIZE = (1, SIDE, SIDE)
FIELDS = {"per_pixel_error", "psnr", "ssim"}


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A prior and three images that fit it."""
    folder = tmp_path_factory.mktemp("files")
    return save_prior(folder), save_images(folder / "images.npz")


@pytest.fixture
def inpaint(files, tmp_path):
    """Run ``inpaint`` on the three images; give the folder of results."""

    def run(*more, images=None, mask="center=0.25", solver=QUICK):
        out = tmp_path / "out"
        succeed(
            "inpaint", images or files[1], "--prior", files[0], "--device", "cpu",
            *(["--mask", mask] if mask else []), "--solver", solver, "--out", out, *more,
        )  # fmt: skip
        return out

    return run


@pytest.fixture
def attempt(files, tmp_path):
    """Run ``inpaint`` with something wrong; give the line on stderr."""

    def run(*more, images=None, prior=None, mask="center=0.25", solver=QUICK):
        line = refuse(
            "inpaint", images or files[1], "--prior", prior or files[0],
            *(["--mask", mask] if mask else []), "--solver", solver,
            "--out", tmp_path / "out", *more,
        )  # fmt: skip
        assert not (tmp_path / "out").exists()
        return line

    return run


def named(out):
    """Images of each row by the name of its solver."""
    arrays = read_arrays(out)
    return {str(name): arrays[f"solver_{i}"] for i, name in enumerate(arrays["solvers"])}


def hidden(mask) -> np.ndarray:
    return np.broadcast_to(mask.numpy() == 0, (3, *SIZE))


def test_rows_of_every_method_and_known_pixels_of_the_blended(inpaint):
    out = inpaint("--compare", "tv", "--compare", "low-rank", "--seed", "3")
    summary, x = read_summary(out), named(out)
    assert list(x) == [RAW, QUICK, "tv", "low-rank"]
    assert {row["solver"] for row in summary["rows"]} == set(x)
    assert len(summary["rows"]) == 12
    for row in summary["rows"]:
        assert set(row) >= FIELDS
        assert (row["m"], row["n"]) == (SIDE * SIDE * 3 // 4, SIDE * SIDE)
    original, holes = read_arrays(out)["original"], hidden(masks.center(SIZE))
    for name in (QUICK, "tv", "low-rank"):
        assert np.abs(x[name] - original)[~holes].max() <= 1 / 255
    assert np.abs(x[RAW] - original)[~holes].max() > 1 / 255
    config = summary["config"]
    assert (config["measure"], config["masks"]) == ("mask:center=0.25", ["center=0.25"])
    assert (config["seed"], config["damaged"]) == (3, False)
    assert {path.name for path in out.iterdir()} == {
        "summary.json", "reconstructions.npz", "figure.png", "images"
    }  # fmt: skip


def test_without_blending_there_is_the_generators_image_alone(inpaint):
    out = inpaint("--no-blend")
    assert list(named(out)) == [RAW]
    rows = read_summary(out)["rows"]
    assert all(row["measurement_error"] > 0 for row in rows)


def test_semantic_is_the_default_and_plain_names_are_rows(files, tmp_path):
    succeed(
        "inpaint", files[1], "--prior", files[0], "--mask", "half=left", "--limit", "1",
        "--out", tmp_path / "out",
    )  # fmt: skip
    assert list(named(tmp_path / "out")) == ["semantic-raw", "semantic"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("semantic", {"blend": True, "prior_loss": "saturating", "weighting": "weighted"}),
        ("semantic-raw", {"blend": False}),
        (
            "semantic:loss=non-saturating,weights=inverted,lambda=0.2,screening=0.1",
            {
                "prior_loss": "non-saturating",
                "weighting": "inverted",
                "prior_weight": 0.2,
                "screening": 0.1,
            },
        ),
    ],
)
def test_the_options_of_a_spec_arrive(files, text, expected):
    solver = SolverSpec.parse(text).build(Prior.load(files[0]))
    assert {name: getattr(solver, name) for name in expected} == expected


def test_the_unblended_spec_can_be_read_again():
    spec = SolverSpec.parse("semantic:steps=5,screening=0.1,lambda=0").unblended()
    assert spec.text == "semantic-raw:steps=5,lambda=0.0"
    assert SolverSpec.parse(spec.text) == spec
    csgm = SolverSpec.parse("csgm:steps=5")
    assert csgm.unblended() == csgm


def test_nearest_patch_and_biharmonic_fill_the_holes(inpaint, files):
    out = inpaint("--compare", f"nearest-patch:images={files[1]}", "--compare", "biharmonic")
    x, original = named(out), read_arrays(out)["original"]
    # The images are their own training set.
    np.testing.assert_allclose(x[f"nearest-patch:images={files[1]}"], original, atol=1e-4)
    assert np.isfinite(x["biharmonic"]).all()


def test_nan_marks_the_holes_of_each_image(files, tmp_path):
    original = np.load(files[1])["images"][:, 0]
    holes = original.copy()
    holes[0, 3:8, 3:8] = holes[1, :, 8:] = holes[2, ::2] = np.nan
    np.save(tmp_path / "holes.npy", holes)
    command = ["--prior", files[0], "--damaged", "--solver", QUICK, "--compare", "tv"]
    succeed("inpaint", tmp_path / "holes.npy", *command, "--out", tmp_path / "a")
    rows, x = read_summary(tmp_path / "a")["rows"], read_arrays(tmp_path / "a")
    counts = (~np.isnan(holes)).sum((1, 2)).tolist()
    assert [row["m"] for row in rows[:3]] == counts
    known = ~np.isnan(holes)
    for key in ("solver_1", "solver_2"):
        np.testing.assert_allclose(x[key][:, 0][known], original[known], atol=1e-5)
        assert np.isfinite(x[key]).all()
    # A mask hides its part as well.
    succeed(
        "inpaint", tmp_path / "holes.npy", *command, "--mask", "half=top", "--out", tmp_path / "b"
    )
    expected = known[:, SIDE // 2 :].sum((1, 2)).tolist()
    assert [row["m"] for row in read_summary(tmp_path / "b")["rows"][:3]] == expected


def test_what_hides_nothing_is_refused(files, tmp_path):
    out = ["--prior", files[0], "--out", tmp_path / "out"]
    assert "give --mask, or --damaged for NaN in INPUT" in refuse("inpaint", files[1], *out)
    assert "no pixel of INPUT is NaN" in refuse("inpaint", files[1], "--damaged", *out)
    holes = np.full((2, SIDE, SIDE), 0.5, np.float32)
    holes[1, 0, 0] = np.nan
    np.save(tmp_path / "holes.npy", holes)
    line = refuse("inpaint", tmp_path / "holes.npy", "--damaged", *out)
    assert "hides no pixel of image 0" in line
    line = refuse("inpaint", tmp_path / "holes.npy", "--mask", "center", *out)
    assert "holds NaN pixels, in holes.npy[1]" in line


def test_a_damaged_picture_gets_pictures_and_no_errors(files, tmp_path):
    original = np.load(files[1])["images"][0, 0]
    stroke = np.zeros((SIDE, SIDE), bool)
    stroke[5:8, 3:12] = True
    Image.fromarray((255 * np.where(stroke, 1, original)).astype(np.uint8)).save(
        tmp_path / "scratched.png"
    )
    Image.fromarray((255 * stroke).astype(np.uint8)).save(tmp_path / "stroke.png")
    done = succeed(
        "inpaint", tmp_path / "scratched.png", "--mask", tmp_path / "stroke.png", "--damaged",
        "--prior", files[0], "--solver", QUICK, "--compare", "tv", "--out", tmp_path / "out",
    )  # fmt: skip
    assert "PSNR" not in done.stdout
    for row in read_summary(tmp_path / "out")["rows"]:
        assert not FIELDS & set(row)
    arrays = read_arrays(tmp_path / "out")
    assert "original" not in arrays
    for name in (QUICK, "tv"):
        x = named(tmp_path / "out")[name][0, 0]
        assert np.abs(x - np.floor(255 * original) / 255)[~stroke].max() < 1e-6
        assert (x[stroke] < 1).all()
    with Image.open(tmp_path / "out" / "figure.png") as figure:
        # One image goes in a row: masked, raw, blended, tv.
        assert figure.width > 2 * figure.height


def test_the_figure_shows_original_masked_raw_blended_and_baselines(inpaint, monkeypatch):
    shown = {}

    def spy(*arguments, **options):
        strips = _strips(*arguments, **options)
        shown.update({strip.label: strip.images for strip in strips})
        return strips

    monkeypatch.setattr("ganprior.cli.comparison_figure._strips", spy)
    inpaint("--compare", "tv", "--limit", "1")
    assert list(shown) == ["original", "masked", RAW, QUICK, "tv"]
    holes = masks.center(SIZE).bool().logical_not()
    assert (shown["masked"][0][holes] == 0.5).all()
    assert torch.equal(shown["masked"][0][~holes], shown["original"][0][~holes])


@pytest.mark.parametrize("text", ["random=0.8", "pattern=0.25", "holes=2", "half=top", "text"])
def test_a_mask_by_name_is_that_of_reconstruct(text):
    option = MaskOption((text,))
    found = option.build(range(3), 3, SIZE, SIZE[1:], seed=5)
    assert option.measure is not None
    physics = MeasureSpec.parse(option.measure).build(SIZE, 5)
    assert torch.equal(found[None], physics.mask)


def test_every_mask_stands_in_the_help():
    text = succeed("inpaint", "--help").stdout
    assert [name for name in entries("mask") if f"{name}=" not in text] == []
    for word in ("low-rank", "--damaged", "--no-blend", "--compare"):
        assert word in text


def test_names_without_a_value_have_the_defaults():
    found = {
        name: MaskSpec.parse(name).value
        for name in entries("mask")
        if name not in ("random", "half")
    }
    assert found == {
        "center": 0.25, "pattern": 0.25, "grid": 4, "holes": 3, "text": "semantic inpainting"
    }  # fmt: skip
    assert MaskSpec.parse("text=hello world").value == "hello world"


def test_a_mask_of_its_own_for_each_image(inpaint):
    out = inpaint("--mask-per-image", "--seed", "4", mask="random=0.5")
    known = masks.per_image(3, lambda rng: masks.random(SIZE, 0.5, rng), Streams(4))
    x, original = named(out)[QUICK], read_arrays(out)["original"]
    assert np.array_equal(x[known.numpy() == 1], original[known.numpy() == 1])
    assert not np.array_equal(x[known.numpy() == 0], original[known.numpy() == 0])
    assert read_summary(out)["config"]["measure"] is None


def test_masks_in_the_order_of_the_images(inpaint):
    out = inpaint(
        "--mask",
        "half=left",
        "--mask",
        "grid=8",
        "--mask",
        "center=0.5",
        mask=None,
        solver="low-rank",
    )
    counts = {row["image"]: row["m"] for row in read_summary(out)["rows"]}
    assert counts == {
        "images.npz[0]": 128, "images.npz[1]": 4, "images.npz[2]": 256 - 11 * 11
    }  # fmt: skip


def test_mask_and_image_are_resized_together(inpaint, tmp_path):
    """A pixel is known only where all that it is made of is known."""
    stroke = np.zeros((2 * SIDE, 2 * SIDE), np.uint8)
    stroke[10, 10] = 255
    Image.fromarray(stroke).save(tmp_path / "stroke.png")
    picture = np.full((2 * SIDE, 2 * SIDE), 100, np.uint8)
    picture[10, 10] = 255
    Image.fromarray(picture).save(tmp_path / "picture.png")
    out = inpaint(
        "--resize", "--damaged", images=tmp_path / "picture.png", mask=tmp_path / "stroke.png",
        solver="tv",
    )  # fmt: skip
    [row] = read_summary(out)["rows"]
    assert 1 <= SIDE * SIDE - row["m"] <= 9
    np.testing.assert_allclose(named(out)["tv"], 100 / 255, atol=2e-3)


def test_a_mask_from_a_file_by_threshold_and_inverted(inpaint, tmp_path):
    soft = np.zeros((SIDE, SIDE), np.uint8)
    soft[:, :4], soft[:, 4:8] = 200, 90
    Image.fromarray(soft).save(tmp_path / "soft.png")
    out = inpaint("--threshold", "0.3", "--invert", mask=tmp_path / "soft.png", solver="tv")
    assert read_summary(out)["rows"][0]["m"] == SIDE * 8
    config = read_summary(out)["config"]
    assert (config["invert"], config["threshold"]) == (True, 0.3)
    assert len(config["masks_sha256"][0]) == 64


class TestBadInput:
    @pytest.fixture
    def picture(self, tmp_path):
        def save(array, name="mask.png"):
            Image.fromarray(np.asarray(array, np.uint8)).save(tmp_path / name)
            return tmp_path / name

        return save

    def test_mask_and_image_of_different_size(self, attempt, picture):
        mask = picture(255 * np.eye(9))
        assert f"--mask {mask}: {mask} is 9 x 9" in attempt(mask=mask)
        assert "the images are 16 x 16" in attempt("--resize", mask=mask)

    @pytest.mark.parametrize(("value", "words"), [(0, "hides no pixel"), (255, "hides all pixels")])
    def test_an_empty_or_a_full_mask(self, attempt, picture, value, words):
        assert words in attempt(mask=picture(np.full((SIDE, SIDE), value)))

    def test_an_empty_or_a_full_mask_by_name(self, attempt):
        assert "--mask center=0: it hides no pixel" in attempt(mask="center=0")
        assert "hides every pixel" in attempt(mask="random=0.9999")

    def test_a_mask_that_is_not_binary(self, attempt, picture):
        line = attempt(mask=picture(np.full((SIDE, SIDE), 100)))
        assert "is not binary" in line
        assert "threshold" in line

    @pytest.mark.parametrize(
        ("mask", "words"),
        [
            ("centre=0.25", "did you mean 'center'?"),
            ("centre=0.25", "nor is there such a file"),
            ("none.png", "unknown mask 'none.png'"),
            ("center=1", "below 1"),
            ("random", "option 'random' is missing"),
            ("half=up", "unknown value of half 'up'"),
            ("grid=1", "at least 2"),
            ("holes=90", "do not fit"),
        ],
    )
    def test_a_mask_that_cannot_be(self, attempt, mask, words):
        line = attempt(mask=mask)
        assert f"--mask {mask}" in line
        assert words in line

    def test_options_that_do_not_suit_the_mask(self, attempt):
        assert "give one mask, or as many as images" in attempt("--mask", "text")
        assert "--mask-per-image needs one mask that is random" in attempt("--mask-per-image")
        assert "--invert and --threshold are for masks from files" in attempt("--invert")

    def test_a_prior_without_a_discriminator(self, attempt, files, tmp_path):
        tensors = load_file(files[0])
        path = tmp_path / "generator.safetensors"
        save_file({k: t for k, t in tensors.items() if k.startswith("generator.")}, path)
        shutil.copy(files[0].replace(".safetensors", ".json"), tmp_path / "generator.json")
        line = attempt(prior=path)
        assert "--solver semantic" in line
        assert "needs a discriminator" in line
        assert "fashion-mnist-dcgan" in line

    def test_baselines(self, attempt):
        assert "--compare tvv: unknown solver 'tvv'; did you mean" in attempt("--compare", "tvv")
        assert "'images' is missing" in attempt("--compare", "nearest-patch")

    def test_a_loss_that_does_not_suit_the_discriminator(self, attempt):
        line = attempt(solver="semantic:loss=critic")
        assert "--solver semantic:loss=critic" in line
        assert "saturating" in line
