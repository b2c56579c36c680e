"""Benchmarks run at their smoke size and count what they say they count; no time is asserted."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from experiments.benchmarks import (
    ablation,
    command,
    gpu,
    growth,
    latent_engine,
    machine,
    memory,
    planted,
    recipes,
    training,
    utilisation,
)
from experiments.benchmarks.random_prior import random_prior
from experiments.rows import read_csv
from ganprior import CSGM, Prior
from ganprior.physics import Gaussian
from ganprior.solvers.engine import Problem

MACHINE = {"cpu", "cores", "threads", "torch", "device"}


def test_machine_names_processor_and_software():
    about = machine.machine()
    assert set(about) == MACHINE
    assert about["torch"] == torch.__version__
    assert about["cores"] >= 1
    assert about["cpu"]


def test_timed_counts_its_runs():
    calls = []
    seconds = machine.timed(lambda: calls.append(1), 3)
    assert len(seconds) == 3
    assert all(value > 0 for value in seconds)
    assert len(calls) == 4


@pytest.mark.cuda
def test_timed_on_a_gpu():
    x = torch.ones(64, 64, device="cuda")
    assert min(machine.timed(lambda: x @ x, 2, device="cuda")) > 0


@pytest.mark.parametrize("benchmark", [utilisation, growth, memory, planted, training])
def test_smoke_presets_yield_rows_with_their_columns(benchmark):
    rows = list(benchmark.run(benchmark.PRESETS["smoke"]))
    assert rows
    assert len({tuple(row) for row in rows}) == 1
    assert set(rows[0]) >= {*MACHINE, "revision"}


def test_gpu_benchmark_without_a_gpu(monkeypatch, capsys):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert list(gpu.run(gpu.PRESETS["paper"])) == []
    assert capsys.readouterr().out == "no GPU: reconstructions per second are not measured\n"


def test_gpu_benchmark_runs_elsewhere():
    (row,) = gpu.run(replace(gpu.PRESETS["smoke"], device="cpu"))
    assert float(row["reconstructions per second"]) > 0
    assert row["n"] == 3 * 8 * 8


def test_training_loops_take_turns_and_are_compared():
    rows = list(training.run(training.PRESETS["smoke"]))
    loops = [training.PLAIN, training.OURS, training.OURS_FLOAT32]
    assert [row["loop"] for row in rows] == 3 * loops
    assert {row["convolutions"] for row in rows if row["loop"] != training.OURS} == {"float32"}
    for row, speed in zip(rows, (10, 25, 14, 12, 24, 11, 11, 90, 13), strict=True):
        row["images per second"] = speed
    assert [line["times the plain loop"] for line in training.summarise(rows)] == [
        "1.00", "2.27", "1.18"
    ]  # fmt: skip


def test_both_training_loops_have_networks_of_the_same_size():
    config = training.PRESETS["smoke"]
    pixels = training.random_pixels(config)
    trainer = training.our_trainer(pixels, config)
    plain = training.plain_networks(config)
    for name, network in zip(("generator", "discriminator"), plain, strict=True):
        ours = trainer.networks[name]
        assert [p.shape for p in network.parameters()] == [p.shape for p in ours.parameters()]


def test_training_benchmark_without_a_gpu(monkeypatch, capsys):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert list(training.run(training.PRESETS["gpu"])) == []
    assert capsys.readouterr().out.startswith("no GPU: ")


def layers_of_the_dcgan() -> int:
    """FLOPs of a forward pass of the shipped 28 x 28 DCGAN, layer by layer."""
    return 2 * (64 * 128 * 7 * 7 + 128 * 64 * 4 * 4 * 7 * 7 + 64 * 1 * 4 * 4 * 14 * 14)


def counted(m: int = 100) -> tuple[Problem, torch.Tensor]:
    prior = Prior.load("fashion-mnist-dcgan")
    physics = Gaussian(m, prior.image_shape, torch.Generator().manual_seed(0))
    y = torch.zeros(4, m)
    return Problem(prior, CSGM(prior).objective_for(y, physics), y, physics), torch.zeros(4, 64)


def test_flops_of_a_forward_pass_are_those_of_its_layers():
    prior = Prior.load("fashion-mnist-dcgan").eval()
    with torch.no_grad():
        assert utilisation.flops(lambda: prior(torch.zeros(3, 64))) == 3 * layers_of_the_dcgan()


# The engine computes the last layer on a grid of 15 x 15 windows: 0.2% more.
def test_flops_of_objective_and_gradient_are_twice_those_of_a_pass():
    problem, z = counted()
    count = utilisation.flops(lambda: problem.value_and_gradient(z[None])) / len(z)
    assert count == pytest.approx(2 * (layers_of_the_dcgan() + 2 * 784 * 100), rel=5e-3)


def test_flops_of_the_jacobian_are_those_of_a_pass_for_each_latent_entry():
    problem, z = counted()
    count = utilisation.flops(lambda: problem.residual_and_jacobian(z)) / len(z)
    # Beside the 64 tangents run the point itself, twice, and a probe of one signal.
    passes = 64 + 2 + 1 / 4
    assert count == pytest.approx(passes * (layers_of_the_dcgan() + 2 * 784 * 100), rel=2e-2)


def test_growth_fits_the_exponent_of_a_power_law():
    rows = [{"axis": "n", "value": v, "seconds": 3 * v**1.5} for v in (10, 20, 40)]
    assert growth.exponent(rows) == pytest.approx(1.5)
    (line,) = growth.summarise(rows)
    assert line["exponent"] == "1.50"


def test_random_priors_give_images_that_differ():
    images = random_prior(32, 3, 8, filters=4).sample(8, torch.Generator().manual_seed(0))
    assert images.shape == (8, 3, 32, 32)
    assert images.std(0).mean() > 0.01


def test_ablation_takes_away_one_idea_at_a_time():
    config = ablation.PRESETS["smoke"]
    rows = list(ablation.run(config, *ablation.sample_images(config)))
    assert [row["engine"] for row in rows] == list(ablation.EFFORTS)
    assert set(rows[0]) >= {*MACHINE, "revision", "prior_sha256", "data_sha256"}
    table = {row["engine"]: row for row in ablation.summarise(rows)}
    assert table[ablation.WHOLE]["times the seconds"] == "1.00"
    passes = {name: int(row["generator passes"]) for name, row in table.items()}
    assert passes["without race"] > passes[ablation.WHOLE] > passes["without polish"]
    # Folding changes no number but rounding: the same steps from the same starts.
    whole, plain = (float(table[name]["error"]) for name in (ablation.WHOLE, "without folding"))
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


def test_a_preset_is_written(tmp_path, monkeypatch, capsys):
    rows = [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}]
    monkeypatch.setattr(sys, "argv", ["name", "--out", str(tmp_path)])
    command.run_preset("some", "A title.", {"smoke": rows}, iter, lambda rows: rows[:1])
    assert [row["a"] for row in read_csv(tmp_path / "some.csv")] == ["1", "2"]
    assert len(read_csv(tmp_path / "some_summary.csv")) == 1
    assert str(tmp_path) in capsys.readouterr().out


def test_without_a_gpu_nothing_is_written(tmp_path, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(sys, "argv", ["gpu", "--out", str(tmp_path / "none")])
    command.run_preset("gpu", "A title.", gpu.PRESETS, gpu.run)
    assert not (tmp_path / "none").exists()


def test_engines_are_compared_and_a_complete_problem_is_not_run_again(tmp_path, monkeypatch):
    command_line = ["latent_engine", "--preset", "smoke", "--out", str(tmp_path)]
    monkeypatch.setattr(sys, "argv", command_line)
    with pytest.raises(SystemExit) as ended:
        latent_engine.main()
    assert ended.value.code == 0
    rows = read_csv(tmp_path / "latent_engine.csv")
    methods = [*latent_engine.EFFORTS, *latent_engine.PRESETS["smoke"][0].peers]
    assert [row["method"] for row in rows] == methods
    summary = read_csv(tmp_path / "latent_engine_summary.csv")
    assert [row["times faster"] for row in summary if row["method"] == "reference"] == ["1.0"]
    # Peers are compared on the images that they had.
    reference, peer = rows[0], methods.index("deepinv CSGMGenerator")
    assert reference["error_of_first"] != reference["mean_per_pixel_error"]
    ratio = float(rows[peer]["mean_per_pixel_error"]) / float(reference["error_of_first"])
    assert float(summary[peer]["error / reference"]) == pytest.approx(ratio, abs=1e-3)

    monkeypatch.setattr(sys, "argv", [*command_line, "--resume"])
    monkeypatch.setattr(latent_engine, "run", lambda task: pytest.fail("it was run again"))
    with pytest.raises(SystemExit) as ended:
        latent_engine.main()
    assert ended.value.code == 0
    assert read_csv(tmp_path / "latent_engine_summary.csv") == summary


def test_a_problem_that_fails_does_not_stop_the_others(tmp_path, monkeypatch, capsys):
    (task,) = latent_engine.PRESETS["smoke"]
    monkeypatch.setitem(latent_engine.PRESETS, "smoke", (replace(task, prior="absent"), task))
    monkeypatch.setattr(sys, "argv", ["latent_engine", "--out", str(tmp_path)])
    with pytest.raises(SystemExit) as ended:
        latent_engine.main()
    assert ended.value.code == 1
    assert "absent" in capsys.readouterr().err
    assert len(read_csv(tmp_path / "latent_engine.csv")) == task.rows
    assert len(latent_engine.complete(read_csv(tmp_path / "latent_engine.csv")[1:], (task,))) == 0


def test_recipes_are_trained_and_measured(tmp_path):
    smoke, data = recipes.PRESETS["smoke"], Path(__file__).parents[1] / "data"
    [row] = recipes.run(smoke, data, torch.device("cpu"), tmp_path)
    assert (row["recipe"], row["steps"]) == ("hinge", 2)
    assert 0 < float(row["representation_error"]) < 1
    assert (tmp_path / "hinge" / "prior.safetensors").is_file()
