"""The experiments on inpainting at their smoke size, and the ordering that the paper claims."""

from __future__ import annotations

import pytest
import torch

from experiments.rows import read_csv, write_csv
from experiments.yeh2017 import (
    blending,
    filled_region,
    grids,
    methods,
    prior_weight,
    setting,
    speed,
    variants,
    weighting,
)
from ganprior import Prior

ABLATIONS = {"prior_weight": prior_weight, "weighting": weighting, "blending": blending}


@pytest.fixture(scope="module")
def filled():
    return list(methods.fill(methods.PRESETS["smoke"]))


@pytest.fixture(scope="module")
def ablations():
    smoke = variants.PRESETS["smoke"]
    return {name: list(variants.vary(smoke, module.fill)) for name, module in ABLATIONS.items()}


def test_ours_beats_total_variation_and_low_rank_in_ssim(filled):
    rows = [row for part in filled for row in part.rows]
    for holes in methods.PRESETS["smoke"].holes:
        mean = {
            method: setting.column(rows, "ssim", holes=holes, method=method).mean()
            for method in ("ours", "TV", "low rank")
        }
        assert mean["ours"] > mean["TV"] + 0.05
        assert mean["ours"] > mean["low rank"] + 0.05
    assert {row["method"] for row in rows} >= {"context encoder", "biharmonic", "ours, raw"}
    [center, half] = methods.claims(rows)
    assert center["ours - TV"].startswith("+")
    assert half["holes"] == "left half"


def test_the_grid_is_a_picture_of_every_method(filled, tmp_path):
    blocks = [grids.Block(part.holes, part.x, part.mask, part.images) for part in filled]
    grids.draw_grid(tmp_path / "grid.png", blocks, rows=1)
    assert (tmp_path / "grid.png").read_bytes().startswith(b"\x89PNG")


def test_masks_are_those_of_the_image_and_hide_their_share():
    for holes, share in (("center", 0.25), ("pattern", 0.25), ("random 80%", 0.8)):
        mask = setting.draw_masks(holes, (1, 28, 28), 5, 0)
        hidden = (mask == 0).flatten(1).float().mean(1)
        torch.testing.assert_close(hidden, torch.full((5,), share), rtol=0, atol=1e-3)
        assert torch.equal(mask[:3], setting.draw_masks(holes, (1, 28, 28), 3, 0))
    x = torch.rand(5, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    physics = setting.physics_of(mask, (1, 28, 28))
    assert torch.equal(physics.A(x), mask * x)


def test_a_prior_that_is_not_there_is_left_out_in_one_line(monkeypatch, capsys):
    none = setting.DataSet("no-such-prior", "none.npz", "None")
    monkeypatch.setitem(setting.DATA, "None", none)
    assert list(methods.fill(methods.Config(data=("None",)))) == []
    assert capsys.readouterr().out.splitlines()[0].startswith("left out: no prior 'no-such-prior'")


def test_the_interval_of_a_mean_is_that_of_the_normal_law_at_large_n():
    values = torch.randn(1000, generator=torch.Generator().manual_seed(0)).double()
    low, high = setting.interval(values)
    half = 1.96 * values.std() / 1000**0.5
    assert low == pytest.approx(float(values.mean() - half), abs=float(0.15 * half))
    assert high == pytest.approx(float(values.mean() + half), abs=float(0.15 * half))
    assert setting.mean_cell(torch.full((4,), 0.5).double(), ".2f") == "0.50 [0.50, 0.50]"


def test_the_filled_region_of_ours_is_nearest_to_the_originals():
    rows = list(filled_region.run(filled_region.PRESETS["smoke"]))
    distance = {row["method"]: row["frechet_distance"] for row in rows}
    # The smoke images are the prior's own: it gives them back.
    assert distance["ours"] < 0.5 * min(distance["TV"], distance["low rank"])
    assert {row["less_ours"] for row in rows if row["method"] == "ours"} == {0}
    [line] = filled_region.summarise(rows)
    assert line["TV"].startswith(f"{distance['TV']:.2f} (ours -")


def test_what_gives_the_originals_back_is_at_distance_zero():
    real = torch.randn(30, 5, generator=torch.Generator().manual_seed(0))
    found = filled_region.distances(real, {"same": real, "ours": real + 1}, 20)
    assert found["same"]["frechet_distance"] == pytest.approx(0, abs=1e-3)
    assert found["ours"]["frechet_distance"] == pytest.approx(5, rel=1e-3)
    assert found["same"]["high"] < 0


def test_every_setting_has_a_row_for_every_image(ablations):
    expected = {
        "prior_weight": 2 * len(prior_weight.LAMBDAS),
        "weighting": 2 * len(weighting.WEIGHTINGS),
        "blending": 3 + len(blending.SCREENINGS),
    }
    for name, [part] in ablations.items():
        assert len(part.rows) == 4 * expected[name]
        assert set(variants.tables(part.rows)) == {"psnr", "ssim", "discriminator"}


def test_the_prior_loss_makes_images_look_more_real_to_the_discriminator(ablations):
    [part] = ablations["prior_weight"]
    without, most = (
        setting.column(part.rows, "discriminator", setting=f"lambda {weight}", result="raw").mean()
        for weight in ("0", "1.5")
    )
    assert most > without


def test_blending_keeps_known_pixels_and_gradients(ablations):
    [part] = ablations["blending"]
    known = (part.block.mask > 0).expand_as(part.block.x)
    shown = part.block.images
    for name, images in shown.items():
        assert torch.equal(images[known], part.block.x[known]) == (name != "none raw")
    screened, pasted, plain = (
        shown[f"{name} blended"] for name in ("screened 1", "pasted", "plain")
    )
    assert (screened - pasted).abs().mean() < (plain - pasted).abs().mean()


def test_the_default_effort_reaches_the_objective_of_the_papers_protocol():
    rows = list(speed.run(speed.PRESETS["smoke"]))
    ours, paper = speed.summarise(rows)
    assert (ours["images"], paper["images"], ours["of images"]) == (8, 1, 1)
    assert float(ours["mean objective"]) < 1.05 * float(paper["mean objective"])


@pytest.mark.parametrize(
    ("name", "tables"),
    [
        ("methods", methods.tables),
        ("filled_region", lambda rows: {"summary": filled_region.summarise(rows)}),
        ("speed", lambda rows: {"summary": speed.summarise(rows)}),
        *((name, variants.tables) for name in ABLATIONS),
    ],
)
def test_committed_tables_are_those_of_the_committed_rows(name, tables, tmp_path):
    folder = setting.RESULTS / name
    for table, lines in tables(read_csv(folder / "rows.csv")).items():
        write_csv(tmp_path / "table.csv", lines)
        assert read_csv(tmp_path / "table.csv") == read_csv(folder / f"{table}.csv")


@pytest.mark.parametrize("name", ["methods", "filled_region", "speed", *ABLATIONS])
def test_committed_rows_are_of_the_shipped_priors(name):
    shipped = {
        data: Prior.load(setting.DATA[data].prior).card["weights_sha256"][:12]
        for data in setting.DATA
    }
    rows = read_csv(setting.RESULTS / name / "rows.csv")
    for row in rows:
        assert row["prior_sha256"] == shipped[row.get("data", "Fashion-MNIST")]
