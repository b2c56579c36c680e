"""Parts of the figures of Yeh et al. (2017): holes, distances, settings."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch

from experiments.figures import load_figure
from experiments.rows import ROWS, read_csv
from experiments.yeh2017 import ablations, filled_region, methods, setting, speed
from ganprior import Prior
from ganprior.jobs import Cell

SMALL = replace(load_figure("yeh2017/blending").presets["smoke"], images=3)


def filled(name: str) -> dict[str, torch.Tensor]:
    """Images of every setting of an ablation by name and result."""
    config = replace(SMALL, methods=load_figure(f"yeh2017/{name}").presets["smoke"].methods)
    return {
        f"{cell.method} {result}": images
        for cell in ablations.cells(config)
        if cell.method in config.methods
        for result, images in ablations.filled(
            config, cell, setting.task(*setting.place_of(cell))
        ).items()
    }


def test_masks_are_those_of_the_image_and_hide_their_share():
    for holes, share in (("center", 0.25), ("pattern", 0.25), ("random 80%", 0.8)):
        mask = setting.draw_masks(holes, (1, 28, 28), 5, 0)
        hidden = (mask == 0).flatten(1).float().mean(1)
        torch.testing.assert_close(hidden, torch.full((5,), share), rtol=0, atol=1e-3)
        assert torch.equal(mask[:3], setting.draw_masks(holes, (1, 28, 28), 3, 0))
    x = torch.rand(5, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    physics = setting.physics_of(mask, (1, 28, 28))
    assert torch.equal(physics.A(x), mask * x)


def test_an_image_and_its_measurements_have_pixels_and_no_scores():
    found = setting.task("MNIST", "center", 2, 0)
    for method in ("original", "given"):
        rows = setting.score_rows(found, setting.not_filled(found, method), shown=1, method=method)
        assert [row["ssim"] for row in rows] == ["", ""]
        assert [bool(row["pixels"]) for row in rows] == [True, False]
    [row, _] = setting.score_rows(found, found.x, method="ours")
    assert (row["psnr"], row["ssim"]) == (math.inf, 1.0)


def test_differences_are_those_of_the_same_images():
    rows = [
        {"panel": "MNIST", "holes": "center", "method": method, "image": i, "psnr": 1, "ssim": s}
        for method, scores in (("ours", (0.9, 0.5)), ("TV", (0.8, 0.4)), ("low rank", (1, 0.1)))
        for i, s in enumerate(scores)
    ]
    [line] = methods.tables(rows)["differences"]
    assert line["ours - TV"] == "+0.100 [+0.100, +0.100]"
    assert methods.claims(rows) == {
        "MNIST, center: ours is above TV in SSIM": True,
        "MNIST, center: ours is above low rank in SSIM": False,
    }


def test_the_context_encoder_fills_the_images_that_it_was_trained_on_alone():
    cells = methods.cells(methods.Config())
    assert {cell.panel for cell in cells if cell.method == methods.ENCODER} == {"Fashion-MNIST"}
    with pytest.raises(ValueError, match="context encoder"):
        setting.rival(methods.ENCODER, "MNIST")


def test_what_gives_the_originals_back_is_at_distance_zero():
    real = torch.randn(30, 5, generator=torch.Generator().manual_seed(0))
    found = filled_region.distances(real, {"same": real, "ours": real + 1}, 20)
    assert found["same"]["frechet_distance"] == pytest.approx(0, abs=1e-3)
    assert found["ours"]["frechet_distance"] == pytest.approx(5, rel=1e-3)
    assert found["same"]["high"] < 0


def test_blending_keeps_known_pixels_and_gradients():
    shown = filled("blending")
    found = setting.task("Fashion-MNIST", "center", SMALL.images, 0)
    known = (found.mask > 0).expand_as(found.x)
    for name, images in shown.items():
        assert torch.equal(images[known], found.x[known]) == (name != "none raw")
    screened, pasted, plain = (
        shown[f"{name} blended"] for name in ("screened 1", "pasted", "plain")
    )
    assert (screened - pasted).abs().mean() < (plain - pasted).abs().mean()


def test_every_setting_fills_the_holes_in_another_way():
    for name in ("prior-weight", "weighting"):
        images = list(filled(name).values())
        for i, one in enumerate(images):
            assert not any(torch.equal(one, other) for other in images[:i])


def test_the_default_effort_reaches_the_objective_of_the_papers_protocol():
    config = load_figure("yeh2017/speed").presets["smoke"]
    rows = speed.rows(config, Cell("both"))
    ours, paper = speed.tables(rows)["summary"]
    assert (ours["images"], paper["images"], ours["of images"]) == (8, 1, 1)
    assert float(ours["mean objective"]) < 1.05 * float(paper["mean objective"])


@pytest.mark.parametrize("name", ["methods", "filled-region", "speed", "weighting"])
def test_committed_rows_are_of_the_priors_of_their_data(name):
    rows = read_csv(load_figure(f"yeh2017/{name}").results / ROWS)
    found = {(row.get("panel", "Fashion-MNIST"), row["prior_sha256"]) for row in rows}
    assert found
    for panel, sha256 in found:
        assert sha256 == Prior.load(setting.PRIORS[panel]).card["weights_sha256"][:12]
