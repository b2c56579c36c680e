"""``ganprior reconstruct``: what it writes, prints and records."""

import gzip
import struct

import numpy as np
import pytest
import torch
from PIL import Image

import ganprior
from ganprior.cli.comparison import Attempt
from ganprior.cli.comparison_report import rows, summary_lines, table, tally
from ganprior.cli.measure_specs import MeasureSpec
from ganprior.cli.measurements import Measurements, take
from ganprior.cli.outcome import _advise
from ganprior.files import sha256
from ganprior.solution import Status
from tests.cli_cases import (
    SIDE,
    TINY,
    inputs_of,
    read_arrays,
    read_summary,
    refuse,
    run,
    save_images,
    save_prior,
    succeed,
)

KEYS = {
    "image",
    "solver",
    "m",
    "n",
    "per_pixel_error",
    "psnr",
    "ssim",
    "measurement_error",
    "relative_residual",
    "expected_residual",
    "p_value",
    "seconds",
    "steps",
    "status",
}


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """A prior and three images that fit it."""
    folder = tmp_path_factory.mktemp("files")
    return save_prior(folder), save_images(folder / "images.npz")


@pytest.fixture(scope="module")
def results(files, tmp_path_factory):
    """Output of one run with two solvers and noise."""
    prior, images = files
    out = tmp_path_factory.mktemp("results") / "deep" / "out"
    done = succeed(
        "reconstruct", images, "--prior", prior, "--measure", "gaussian:m=60",
        "--solver", TINY, "--solver", "lasso-dct:alpha=0.01",
        "--noise-std", "0.01", "--seed", "5", "--device", "cpu", "--out", out,
    )  # fmt: skip
    return out, done


def test_one_row_per_image_and_solver(results):
    found = read_summary(results[0])["rows"]
    names = [f"images.npz[{i}]" for i in range(3)]
    expected = {(name, s) for name in names for s in (TINY, "lasso-dct:alpha=0.01")}
    assert len(found) == 6
    assert {(row["image"], row["solver"]) for row in found} == expected
    for row in found:
        assert set(row) == KEYS
        assert (row["m"], row["n"]) == (60, SIDE * SIDE)
        assert row["seconds"] > 0
        assert row["status"] in list(Status)


def test_errors_are_those_of_the_images_written(results):
    arrays = read_arrays(results[0])
    original = arrays["original"]
    for row in read_summary(results[0])["rows"]:
        x = arrays[f"solver_{list(arrays['solvers']).index(row['solver'])}"]
        i = int(row["image"][-2])
        error = np.mean((x[i].clip(0, 1) - original[i]) ** 2)
        assert row["per_pixel_error"] == pytest.approx(error, rel=1e-4)
        assert row["psnr"] == pytest.approx(-10 * np.log10(error), rel=1e-4)
        assert -1 <= row["ssim"] <= 1


def test_measurement_error_is_of_the_unclipped_image_and_the_noisy_y(results):
    """A and noise are those that anyone rebuilds from spec and seed."""
    arrays = read_arrays(results[0])
    original = torch.from_numpy(arrays["original"])
    spec = MeasureSpec.parse("gaussian:m=60")
    measured = take(inputs_of(original), spec, 0.01, seed=5).whole()
    for row in read_summary(results[0])["rows"]:
        x = torch.from_numpy(arrays[f"solver_{list(arrays['solvers']).index(row['solver'])}"])
        misfit = (measured.y - measured.physics.A(x)).square().sum(1)[int(row["image"][-2])]
        assert row["measurement_error"] == pytest.approx(float(misfit), rel=1e-3)


def test_config_says_what_is_needed_to_do_it_again(files, results):
    config = read_summary(results[0])["config"]
    assert config["ganprior"] == ganprior.__version__
    assert config["torch"].split("+")[0] == torch.__version__.split("+")[0]
    assert config["deepinv"]
    assert (config["prior"], config["inputs"]) == (files[0], [files[1]])
    assert (config["weights_sha256"], config["data_sha256"]) == (
        sha256(files[0]),
        [sha256(files[1])],
    )
    assert config["measure"] == "gaussian:m=60"
    assert config["solvers"] == [TINY, "lasso-dct:alpha=0.01"]
    assert (config["noise_std"], config["seed"], config["device"]) == (0.01, 5, "cpu")


def test_arrays_and_figure(results):
    out, _ = results
    arrays = read_arrays(out)
    assert set(arrays) == {"original", "solver_0", "solver_1", "solvers"}
    for key in ("original", "solver_0", "solver_1"):
        assert arrays[key].shape == (3, 1, SIDE, SIDE)
        assert arrays[key].dtype == np.float32
    with Image.open(out / "figure.png") as figure:
        assert (figure.format, min(figure.size) > 200) == ("PNG", True)
    assert {path.name for path in out.iterdir()} == {
        "summary.json",
        "reconstructions.npz",
        "figure.png",
        "images",
    }


def test_every_result_is_a_picture_of_its_own(results):
    out, _ = results
    arrays = read_arrays(out)
    for i in range(3):
        for number, solver in enumerate(("csgm", "lasso-dct")):
            with Image.open(out / "images" / f"images-{i}-{solver}.png") as picture:
                shown = np.asarray(picture) / 255
            expected = arrays[f"solver_{number}"][i, 0].clip(0, 1)
            assert np.abs(shown - expected).max() <= 0.5001 / 255
    assert len(list((out / "images").iterdir())) == 6


def test_prints_a_line_per_solver_and_what_was_written(results):
    out, done = results
    header, first, second, note, psnr, wrote = done.stdout.splitlines()
    assert header.split("  ")[0] == "solver"
    assert first.startswith(f"{TINY}  ")
    assert second.startswith("lasso-dct:alpha=0.01  ")
    assert "±" in first
    assert note.startswith("±: 95% interval")
    assert psnr.startswith("PSNR: of the mean")
    for name in ("summary.json", "reconstructions.npz", "figure.png"):
        assert str(out / name) in wrote
    # On a slow machine the bank of starts takes so long that the command says so.
    assert [line for line in done.stderr.splitlines() if "to compute, once" not in line] == []


def test_json_prints_the_summary_alone_and_limit_changes_no_image(files, results, tmp_path):
    prior, images = files
    done = succeed(
        "reconstruct", images, "--prior", prior, "--measure", "gaussian:m=60",
        "--solver", TINY, "--solver", "lasso-dct:alpha=0.01",
        "--noise-std", "0.01", "--seed", "5", "--out", tmp_path / "out", "--limit", "2", "--json",
    )  # fmt: skip
    assert done.stdout == (tmp_path / "out" / "summary.json").read_text(encoding="utf-8")
    assert done.stderr == ""
    whole, part = read_arrays(results[0]), read_arrays(tmp_path / "out")
    for key in ("original", "solver_0", "solver_1"):
        np.testing.assert_allclose(part[key], whole[key][:2], atol=2e-3)


def test_several_inputs_a_mask_and_names(files, tmp_path):
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        for name in ("1.png", "2.png"):
            Image.new("L", (SIDE, SIDE), 99).save(tmp_path / folder / name)
    out = tmp_path / "out"
    succeed(
        "reconstruct", tmp_path / "a", tmp_path / "b" / "2.png", "--prior", files[0],
        "--measure", "mask:random=0.8", "--solver", "lasso-pixel", "--out", out,
    )  # fmt: skip
    summary = read_summary(out)
    names = [str(tmp_path / place) for place in ("a/1.png", "a/2.png", "b/2.png")]
    assert [row["image"] for row in summary["rows"]] == names
    assert len(summary["config"]["inputs"]) == len(summary["config"]["data_sha256"]) == 2
    assert summary["rows"][0]["m"] == SIDE * SIDE - round(0.8 * SIDE * SIDE)


def test_a_data_set_gives_its_test_images(files, tmp_path):
    for split, value in (("train", 0), ("t10k", 255)):
        header = struct.pack(">BBBBIII", 0, 0, 8, 3, 2, SIDE, SIDE)
        data = header + bytes([value]) * (2 * SIDE * SIDE)
        (tmp_path / f"{split}-images-idx3-ubyte.gz").write_bytes(gzip.compress(data))
    out = tmp_path / "out"
    succeed(
        "reconstruct", tmp_path, "--prior", files[0], "--measure", "identity",
        "--solver", "lasso-pixel", "--limit", "1", "--out", out,
    )  # fmt: skip
    assert read_arrays(out)["original"].min() == 1
    assert read_summary(out)["rows"][0]["image"] == "t10k-images-idx3-ubyte.gz[0]"


def test_conversion_is_done_when_asked_and_small_images_have_no_ssim(tmp_path):
    Image.new("L", (20, 12), 200).save(tmp_path / "gray.png")
    prior, out = save_prior(tmp_path, size=8, channels=3), tmp_path / "out"
    succeed(
        "reconstruct", tmp_path / "gray.png", "--prior", prior, "--measure", "downsample:factor=2",
        "--solver", TINY, "--resize", "--convert", "--out", out,
    )  # fmt: skip
    [row] = read_summary(out)["rows"]
    assert (row["image"], row["m"], row["n"]) == ("gray.png", 48, 192)
    assert row["ssim"] is None
    assert read_arrays(out)["original"].shape == (1, 3, 8, 8)


def test_resize_crops_pads_or_stretches(files, tmp_path):
    pixels = np.zeros((SIDE, 2 * SIDE), np.uint8)
    pixels[:, : SIDE // 2] = 255  # a quarter of the width, which a centred square leaves out
    Image.fromarray(pixels).save(tmp_path / "wide.png")
    common = ["--prior", files[0], "--measure", "identity", "--solver", "lasso-pixel"]
    white = {}
    for name, resize in (("none", []), ("crop", ["crop"]), ("pad", ["pad"]), ("s", ["stretch"])):
        out = tmp_path / name
        image = tmp_path / "wide.png"
        succeed("reconstruct", *common, "--out", out, "--resize", *resize, image)
        white[name] = float(read_arrays(out)["original"].mean())
    assert white == {"none": 0, "crop": 0, "pad": pytest.approx(0.25), "s": pytest.approx(0.25)}
    line = refuse("reconstruct", *common, "--out", tmp_path / "x", "--resize", "strech", image)
    assert "'strech' is not one of 'crop', 'pad', 'stretch'" in line


def test_ctrl_c_leaves_nothing(files, tmp_path, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("ganprior.cli.block_work.compare", interrupted)
    result = run(
        "reconstruct", files[1], "--prior", files[0], "--measure", "identity",
        "--out", tmp_path / "out",
    )  # fmt: skip
    assert (result.exit_code, result.stderr) == (130, "Error: interrupted\n")
    assert not (tmp_path / "out").exists()


@pytest.fixture
def measured():
    """Two signals measured by the identity."""
    return take(inputs_of(torch.rand(2, 1, 12, 12)), MeasureSpec.parse("identity"), 0.0, 0).whole()


def attempt(measured: Measurements, x: torch.Tensor, status: Status) -> Attempt:
    errors = (measured.y - x).square().flatten(1).sum(1)
    return Attempt("csgm", x, errors, (status, status), 0.5, torch.ones(2), {})


def test_an_exact_image_has_no_finite_psnr(measured):
    found = rows(measured, [attempt(measured, measured.y, Status.CONVERGED)], measured.y)
    assert [row["psnr"] for row in found] == [None, None]
    assert [row["per_pixel_error"] for row in found] == [0, 0]
    assert found[0]["ssim"] == pytest.approx(1)
    assert '"psnr": null' in "".join(summary_lines({}, found))


def test_a_failed_reconstruction_is_null_in_json_and_advised_on_stderr(measured, capsys):
    failed = attempt(measured, torch.full_like(measured.y, torch.nan), Status.NONFINITE)
    found = rows(measured, [failed], measured.y)
    for key in ("per_pixel_error", "psnr", "ssim", "measurement_error"):
        assert found[0][key] is None
    assert found[0]["status"] == "nonfinite"
    assert "2 nonfinite" in table(tally(found))
    _advise(tally(found))
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("csgm: 2 of 2 not reconstructed")


def test_the_interval_is_of_the_mean():
    found = [
        {"solver": "s", "per_pixel_error": e, "psnr": None, "ssim": 0.5,
         "measurement_error": 1.0, "seconds": 2.0, "status": "converged"}
        for e in (0.1, 0.2, 0.3)
    ]  # fmt: skip
    line = table(tally(found)).splitlines()[1]
    # Standard deviation 0.1 of three values: 1.96 * 0.1 / sqrt(3).
    assert "0.200 ± 0.11" in line
    assert "3 converged" in line
    assert "±" not in table(tally(found[:1]))


def test_psnr_is_that_of_the_mean_error():
    errors = {"better": (0.0145, 0.0, 0.0), "worse": (0.0205, 1e-4, 0.007), "exact": (0.0,) * 3}
    found = [
        {"solver": solver, "per_pixel_error": e, "psnr": None, "ssim": 0.5,
         "measurement_error": 1.0, "seconds": 2.0, "status": "converged"}
        for solver, own in errors.items() for e in own
    ]  # fmt: skip
    lines = table(tally(found)).splitlines()
    assert [line.split()[4] for line in lines[1:4]] == ["23.16", "20.36", "inf"]
    assert lines[-1] == "PSNR: of the mean per-pixel error"
    assert "PSNR: of" not in table(tally(found[:1]))


def test_the_figure_in_formats_of_a_paper(files, tmp_path):
    words = [
        "reconstruct", files[1], "--prior", files[0], "--measure", "gaussian:m=60",
        "--solver", "lasso-dct", "--out", tmp_path, "--limit", "1",
    ]  # fmt: skip
    done = succeed(*words, "--figure-format", "pdf", "--figure-format", "svg")
    assert "figure.svg" in done.stdout
    assert (tmp_path / "figure.pdf").read_bytes().startswith(b"%PDF")
    assert "<svg" in (tmp_path / "figure.svg").read_text()
    assert (tmp_path / "figure.png").is_file()
    # They are results of that run, and go with it.
    succeed(*words)
    assert not (tmp_path / "figure.pdf").exists()
