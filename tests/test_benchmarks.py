"""Benchmarks count what they say they count; no time is asserted, nor a claim that is of times."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from experiments.benchmarks import (
    ablation,
    batch_invariance,
    gpu,
    growth,
    lasso,
    latent_engine,
    planted,
    recipes,
    training,
    utilisation,
)
from experiments.benchmarks.random_prior import random_prior
from experiments.figures import FIGURES, load_figure
from experiments.rows import ROWS, read_csv
from experiments.sweep.clock import timed
from experiments.sweep.device import on_device
from experiments.sweep.produce import produce
from experiments.sweep.provenance import origin
from ganprior import CSGM, LassoDCT, Prior
from ganprior.jobs import Cell
from ganprior.physics import Gaussian
from ganprior.solvers.engine import Problem


def smoke_rows(name, **changes):
    """Rows of the smoke preset of a benchmark, as the runner completes them."""
    figure = load_figure(f"benchmarks/{name}")
    config = replace(figure.presets["smoke"], **changes)
    return [
        {**cell.columns, **row, **origin()}
        for cell in figure.cells(config)
        for row in figure.rows(config, cell)
    ]


def test_every_row_names_the_processor():
    about = origin()
    assert about["processor"].endswith(" cores")
    assert about["threads"] == torch.get_num_threads()


def test_timed_counts_its_runs():
    calls = []
    seconds = timed(lambda: calls.append(1), 3)
    assert len(seconds) == 3
    assert all(value > 0 for value in seconds)
    assert len(calls) == 4


@pytest.mark.cuda
def test_timed_on_a_gpu():
    x = torch.ones(64, 64, device="cuda")
    with on_device(torch.device("cuda")):
        assert min(timed(lambda: x @ x, 2)) > 0


def test_what_needs_a_gpu_says_so_in_one_line(tmp_path):
    names = [name for name in FIGURES if load_figure(name).needs_gpu]
    assert names == ["benchmarks/latent-engine-gpu", "benchmarks/gpu", "benchmarks/training-gpu"]
    for name in names:
        with pytest.raises(ValueError, match="is measured on a GPU; give --device cuda"):
            produce(load_figure(name), "paper", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_images_are_the_same_alone_and_in_a_batch():
    alone, pairs = smoke_rows("batch-invariance")
    assert (alone["batch"], pairs["batch"]) == (1, 2)
    for row in (alone, pairs):
        assert row["objectives within 1%"] == row["objectives equal"] == 1
        assert row["largest difference"] < 1e-5


def test_what_the_batch_has_changed_is_counted():
    objectives = torch.tensor([1.0, 2.0, 4.0, 8.0])
    images = torch.zeros(4, 1, 2, 2)
    others, apart = objectives * torch.tensor([1, 1.005, 1.2, 1]), images.clone()
    apart[1, 0, 1, 1], apart[2, 0, 0, 0] = 0.125, -0.5
    assert batch_invariance.compared((apart, others), (images, objectives)) == {
        "objectives within 1%": 0.75,
        "objectives equal": 0.5,
        "largest difference": 0.5,
        "largest difference of those within 1%": 0.125,
    }


def test_reconstructions_per_second_are_those_of_the_batch():
    [row] = smoke_rows("gpu")
    assert row["n"] == 3 * 8 * 8
    assert float(row[gpu.SPEED]) == pytest.approx(2 / float(row["seconds_per_batch"]), rel=0.1)


def test_training_loops_take_turns_and_are_compared():
    rows = smoke_rows("training")
    loops = [training.PLAIN, training.OURS, training.OURS_FLOAT32]
    assert [row["method"] for row in rows] == 3 * loops
    assert {row["convolutions"] for row in rows if row["method"] != training.OURS} == {"float32"}
    for row, speed in zip(rows, (10, 25, 14, 12, 24, 11, 11, 90, 13), strict=True):
        row[training.SPEED] = speed
    assert [line["times the plain loop"] for line in training.tables(rows)["summary"]] == [
        "1.00", "2.27", "1.18"
    ]  # fmt: skip
    assert training.claims(rows) == {"at least twice the plain loop": True}


def test_both_training_loops_have_networks_of_the_same_size():
    config = training.SMOKE
    pixels = training.random_pixels(config)
    trainer = training.our_trainer(pixels, config)
    plain = training.plain_networks(config)
    for name, network in zip(("generator", "discriminator"), plain, strict=True):
        ours = trainer.networks[name]
        assert [p.shape for p in network.parameters()] == [p.shape for p in ours.parameters()]


def layers_of_the_dcgan() -> int:
    """FLOPs of a forward pass of the shipped 28 x 28 DCGAN, layer by layer."""
    return 2 * (64 * 128 * 7 * 7 + 128 * 64 * 4 * 4 * 7 * 7 + 64 * 1 * 4 * 4 * 14 * 14)


def counted(count: int, m: int = 100) -> tuple[Problem, torch.Tensor]:
    prior = Prior.load("fashion-mnist-dcgan")
    physics = Gaussian(m, prior.image_shape, torch.Generator().manual_seed(0))
    y, z = torch.zeros(count, m), torch.zeros(count, 64)
    return Problem(prior, CSGM(prior).objective_for(y, physics), y, physics), z


def test_flops_of_a_forward_pass_are_those_of_its_layers():
    prior = Prior.load("fashion-mnist-dcgan").eval()
    with torch.no_grad():
        assert utilisation.flops(lambda: prior(torch.zeros(3, 64))) == 3 * layers_of_the_dcgan()


# The engine computes the last layer on a grid of 15 x 15 windows: 0.2% more.
def test_flops_of_objective_and_gradient_are_twice_those_of_a_pass():
    problem, z = counted(32)  # a batch of this size is not filled up
    count = utilisation.flops(lambda: problem.value_and_gradient(z[None])) / len(z)
    assert count == pytest.approx(2 * (layers_of_the_dcgan() + 2 * 784 * 100), rel=5e-3)


def test_flops_of_the_jacobian_are_those_of_a_pass_for_each_latent_entry():
    problem, z = counted(4)
    count = utilisation.flops(lambda: problem.residual_and_jacobian(z)) / len(z)
    # Beside the 64 tangents run the point itself, twice, and a probe of one signal.
    passes = 64 + 2 + 1 / 4
    assert count == pytest.approx(passes * (layers_of_the_dcgan() + 2 * 784 * 100), rel=2e-2)


def test_growth_fits_the_exponent_of_a_power_law():
    rows = [
        {"method": axis, "value": v, "seconds_per_solve": 3 * v**power}
        for axis, power in (("images", 0.75), ("n", 1.5))
        for v in (10, 20, 40)
    ]
    assert growth.exponent(rows[3:]) == pytest.approx(1.5)
    assert [line["exponent"] for line in growth.tables(rows)["summary"]] == ["0.75", "1.50"]
    assert growth.claims(rows) == {
        "seconds grow no worse than linearly in the number of images": True
    }


def test_random_priors_give_images_that_differ():
    images = random_prior(32, 3, 8, filters=4).sample(8, torch.Generator().manual_seed(0))
    assert images.shape == (8, 3, 32, 32)
    assert images.std(0).mean() > 0.01


def test_ablation_takes_away_one_idea_at_a_time():
    rows = smoke_rows("ablation")
    assert [row["method"] for row in rows] == list(ablation.EFFORTS)
    table = {row["engine"]: row for row in ablation.tables(rows)["summary"]}
    assert table[ablation.WHOLE]["times the seconds"] == "1.00"
    passes = {name: int(row["generator passes"]) for name, row in table.items()}
    assert passes["without race"] > passes[ablation.WHOLE] > passes["without polish"]
    # Folding changes no number but rounding: the same steps from the same starts.
    whole, plain = (float(table[name]["error"]) for name in (ablation.WHOLE, ablation.UNFOLDED))
    assert plain == pytest.approx(whole, rel=0.05)


def test_unfolded_priors_stay_unfolded_and_give_the_same_images():
    prior = Prior.load("fashion-mnist-dcgan").eval()
    plain = ablation.unfolded(prior)
    physics = Gaussian(5, prior.image_shape, torch.Generator().manual_seed(0))
    y = torch.zeros(1, 5)
    problem = Problem(plain, CSGM(plain).objective_for(y, physics), y, physics)
    kinds = {type(module) for module in problem._generator.modules()}
    assert torch.nn.BatchNorm2d in kinds
    z = prior.latent.sample(2, torch.Generator().manual_seed(1))
    torch.testing.assert_close(problem.images(z), prior(z), rtol=0, atol=1e-5)


def test_engines_are_compared_with_the_reference_on_the_same_images():
    [task] = latent_engine.SMOKE.tasks
    rows = smoke_rows("latent-engine")
    assert [row["method"] for row in rows] == [*latent_engine.EFFORTS, *task.peers]
    lines = {line["method"]: line for line in latent_engine.tables(rows)["summary"]}
    assert lines["reference"]["times faster"] == "1.0"
    # Peers are compared on the images that they had.
    reference = rows[0]
    [peer] = [row for row in rows if row["method"] == "deepinv CSGMGenerator"]
    assert reference["error_of_first"] != reference["per_pixel_error"]
    ratio = float(peer["per_pixel_error"]) / float(reference["error_of_first"])
    assert float(lines[peer["method"]]["error / reference"]) == pytest.approx(ratio, abs=1e-3)


def test_engines_are_judged_by_errors_alone_on_a_gpu():
    name = "benchmarks/latent-engine"
    ours, there = (read_csv(load_figure(n).results / ROWS) for n in (name, f"{name}-gpu"))
    assert any("times as fast" in claim for claim in latent_engine.claims(ours))
    assert not any("times as fast" in claim for claim in latent_engine.claims(there))


def test_a_planted_signal_is_recovered_from_a_threshold_on():
    figure = load_figure("benchmarks/planted")
    config = figure.presets["smoke"]
    [cell, *_] = figure.cells(config)
    assert (cell.value, cell.last) == (3 * 20, config.images)
    [row] = planted.rows(config, cell)
    assert 0 <= row["recovered"] <= row["error below .002"] <= 1


def test_recipes_are_trained_and_measured():
    config = recipes.SMOKE
    [row] = recipes.rows(config, recipes.cells(config)[0])
    assert row["steps"] == 2
    assert 0 < float(row["representation_error"]) < 1


class TestLasso:
    def test_both_reach_the_minimum(self):
        rows = smoke_rows("lasso")
        assert [row["method"] for row in rows] == [lasso.OURS, lasso.THEIRS]
        for row in rows:
            assert row["n"] == 64
            assert float(row["excess"]) <= lasso.EQUAL
            assert row["alpha"] in lasso.SMOKE.alphas
        [line] = lasso.tables(rows)["summary"]
        assert float(line["alpha"]) == rows[0]["alpha"]

    def test_alpha_is_the_one_of_least_error(self):
        config = lasso.SMOKE
        tuning = lasso.problem(config, 8, lasso.images_of(config).head(4).floats())
        errors = {
            alpha: (LassoDCT(alpha)(tuning.y, tuning.physics) - tuning.x).square().mean().item()
            for alpha in config.alphas
        }
        assert lasso.best_alpha(config, tuning) == min(errors, key=lambda alpha: errors[alpha])

    def test_equal_dictionary_means_equal_objective(self):
        problem = lasso.problem(lasso.SMOKE, 8, lasso.images_of(lasso.SMOKE).head(2).floats())
        w = LassoDCT().basis(problem.x).analysis(problem.x).flatten(1)
        expected = 0.1 * w.abs().sum(1).double()  # measurements without noise: no residual
        assert (problem.objective(w, 0.1) - expected).abs().max() < 1e-4


def test_cells_of_a_benchmark_hold_all_that_is_compared():
    for name in ("lasso", "training", "ablation", "latent-engine"):
        figure = load_figure(f"benchmarks/{name}")
        cells = figure.cells(figure.presets["paper"])
        places = {(cell.panel, cell.value, cell.seed) for cell in cells}
        assert len(places) == len(cells)
        assert isinstance(cells[0], Cell)
