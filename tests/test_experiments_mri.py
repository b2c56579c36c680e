"""The MRI figure, small, on images of the prior itself: the slices are not committed."""

import pytest
import torch

from experiments.figures import load_figure
from experiments.mri import reconstruction
from experiments.rows import ROWS, read_csv

FIGURE = load_figure("mri/reconstruction")
CONFIG = FIGURE.presets["smoke"]


@pytest.fixture(scope="module")
def rows():
    """Rows of every cell."""
    return [
        {**cell.columns, **row}
        for cell in FIGURE.cells(CONFIG)
        for row in FIGURE.rows(CONFIG, cell)
    ]


def test_every_method_has_the_same_number_of_weights(rows):
    tried = [row for row in rows if row["slices"] == reconstruction.TUNING]
    assert len(CONFIG.latent_weights) == len(CONFIG.alphas)
    methods = {row["method"] for row in tried}
    assert methods == {*reconstruction.LASSOS, reconstruction.OURS}
    assert len(tried) == len(methods) * len(CONFIG.alphas)
    for preset in FIGURE.presets.values():
        assert len(preset.latent_weights) == len(preset.alphas)


def test_images_of_the_prior_come_back_best(rows):
    lines = FIGURE.tables(rows)["summary"]
    psnr = {line["method"]: float(line["PSNR (dB)"].split()[0]) for line in lines}
    assert max(psnr, key=lambda name: psnr[name]) in (
        reconstruction.OURS,
        reconstruction.PROJECTED,
    )
    assert psnr["pseudo-inverse"] > psnr["zero filling"]


def test_back_projection_agrees_with_the_measurements_and_is_nearer():
    found = reconstruction.measurements(CONFIG, reconstruction.TEST, 0)
    ours, projected = (
        reconstruction.reconstruct(CONFIG, method, 0)[1]
        for method in (reconstruction.OURS, reconstruction.PROJECTED)
    )
    x = found.images.floats()
    assert (found.physics.A(projected) - found.y).abs().max() < 1e-4
    assert ((projected - x).flatten(1).norm(dim=1) <= (ours - x).flatten(1).norm(dim=1)).all()


def test_slices_and_psnrs_are_drawn(rows, tmp_path):
    FIGURE.plot(rows, tmp_path / "figure")
    for name in ("figure.png", "slices.png"):
        assert (tmp_path / name).read_bytes().startswith(b"\x89PNG")


def test_the_weight_of_highest_psnr_is_taken():
    tried = [{"weight": weight, "psnr": psnr} for weight, psnr in ((1, "9"), (2, "21.5"), (3, "8"))]
    assert reconstruction.best_weight(tried) == 2.0


def test_committed_weights_are_the_tuned_ones():
    rows = read_csv(FIGURE.results / ROWS)
    for method in (*reconstruction.LASSOS, reconstruction.OURS):
        own = [row for row in rows if row["method"] == method]
        tried = [row for row in own if row["slices"] == reconstruction.TUNING]
        used = {float(row["weight"]) for row in own if row["slices"] == reconstruction.TEST}
        assert used == {reconstruction.best_weight(tried)}


def test_the_slices_for_tuning_and_those_reported_are_different_draws():
    tuning, test = (
        reconstruction.measurements(CONFIG, part, seed).images.pixels
        for part, seed in ((reconstruction.TUNING, CONFIG.tuning_seed), (reconstruction.TEST, 0))
    )
    assert not torch.equal(tuning, test)
