"""The MRI experiment, small, on images of the prior itself: the slices are not committed."""

import pytest
import torch

from experiments.mri import reconstruction
from experiments.mri.drawing import draw_methods, draw_slices
from experiments.rows import read_csv, write_csv
from ganprior import Images, Prior

CONFIG = reconstruction.PRESETS["smoke"]


@pytest.fixture(scope="module")
def run():
    """Prior, rows tried, slices, reconstructions and their rows."""
    prior = Prior.load(CONFIG.prior)
    pixels = prior.sample(4, torch.Generator().manual_seed(3)).clamp(0, 1)
    images = Images(pixels, tuple("0123"), sha256="0" * 64)
    tried = list(reconstruction.tune(CONFIG, prior, images.select(2)))
    weights = reconstruction.chosen_weights(tried)
    test = images.head(CONFIG.images)
    found = reconstruction.reconstruct(CONFIG, prior, test.floats(), weights)
    return tried, test, found, reconstruction.rows_of(CONFIG, prior, test, found, weights)


def test_every_method_has_the_same_number_of_weights(run):
    tried, *_ = run
    assert len(CONFIG.latent_weights) == len(CONFIG.alphas)
    methods = {row["method"] for row in tried}
    assert len(tried) == len(methods) * len(CONFIG.alphas)
    for preset in reconstruction.PRESETS.values():
        assert len(preset.latent_weights) == len(preset.alphas)


def test_images_of_the_prior_come_back_best(run):
    *_, rows = run
    psnr = {line["method"]: float(line["PSNR (dB)"]) for line in reconstruction.summarise(rows)}
    assert max(psnr, key=lambda name: psnr[name]) in (
        reconstruction.OURS,
        reconstruction.PROJECTED,
    )
    assert psnr["pseudo-inverse"] > psnr["zero filling"]


def test_back_projection_agrees_with_the_measurements_and_is_nearer(run):
    _, test, found, _ = run
    physics = reconstruction.mri(CONFIG, (1, 64, 64), CONFIG.seed)
    ours, projected = found[reconstruction.OURS], found[reconstruction.PROJECTED]
    x = test.floats()
    assert (physics.A(projected) - physics.A(x)).abs().max() < 1e-4
    assert ((projected - x).flatten(1).norm(dim=1) <= (ours - x).flatten(1).norm(dim=1)).all()


def test_pictures_are_drawn(run, tmp_path):
    _, test, found, rows = run
    draw_methods(rows, tmp_path / "figure")
    draw_slices(test.floats(), found, tmp_path / "slices.png")
    for name in ("figure.png", "slices.png"):
        assert (tmp_path / name).read_bytes().startswith(b"\x89PNG")


def test_the_weight_of_highest_psnr_is_taken():
    tried = [
        {"method": method, "weight": weight, "psnr": psnr}
        for method, weight, psnr in (("a", 1, "20"), ("a", 2, "21.5"), ("b", 1, "9"), ("b", 2, "8"))
    ]
    assert reconstruction.chosen_weights(tried) == {"a": 2.0, "b": 1.0}


def test_committed_summary_is_that_of_the_committed_rows(tmp_path):
    folder = reconstruction.RESULTS
    rows = read_csv(folder / "rows.csv")
    assert {row["prior_sha256"] for row in rows} == {
        Prior.load(CONFIG.prior).card["weights_sha256"][:12]
    }
    write_csv(tmp_path / "summary.csv", reconstruction.summarise(rows))
    assert read_csv(tmp_path / "summary.csv") == read_csv(folder / "summary.csv")
    tuned = reconstruction.chosen_weights(read_csv(folder / "tuning.csv"))
    used = {row["method"]: float(row["weight"]) for row in rows if row["method"] in tuned}
    assert used == tuned


def test_committed_reconstructions_beat_zero_filling_and_the_wavelet_lasso():
    rows = read_csv(reconstruction.RESULTS / "summary.csv")
    psnr = {row["method"]: float(row["PSNR (dB)"]) for row in rows}
    for method in ("zero filling", "lasso-wavelet"):
        assert psnr[reconstruction.OURS] > psnr[method]
