"""Starts by regression on the bank, against scikit-learn's."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from sklearn.decomposition import PCA
from sklearn.linear_model import Ridge
from torch import nn

from ganprior.priors import Prior
from ganprior.solvers import CSGM
from ganprior.solvers.csgm import CSGMObjective
from ganprior.solvers.engine import Problem, bank, measured
from ganprior.solvers.engine.starts import first_starts
from ganprior.streams import Streams
from tests.cases import Fourier, Mask, gaussian, rng, tiny_dcgan
from tests.test_engine_bank import EFFORT, ENTRIES

COUNT = 4


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("GANPRIOR_CACHE", str(tmp_path))
    bank._in_memory.clear()


def problem_of(physics, prior=None, dtype=torch.float64):
    prior = (prior or tiny_dcgan()).to(dtype)
    x = torch.rand(COUNT, *prior.image_shape, generator=rng(2)).to(dtype)
    return Problem(prior, CSGMObjective(0.0), physics.A(x), physics)


def gaussian_problem(m=40, prior=None):
    return problem_of(gaussian(m, (1, 8, 8), dtype=torch.float64), prior)


def measured_bank(problem, components=12):
    return bank.bank_of(problem, ENTRIES).measured(problem, components)


@pytest.mark.parametrize("neighbours", [5, 60, ENTRIES])
def test_fits_the_ridge_regression_of_scikit_learn(neighbours):
    found = measured_bank(gaussian_problem())
    z = found.regressed((neighbours,))[0]
    numbers, _ = found.best(neighbours)
    for i in range(COUNT):
        x = found.features[numbers[:, i]]
        spread = (x - x.mean(0)).square().sum(0)
        fit = Ridge(measured.RIDGE * spread.mean().item(), solver="svd")
        fit.fit(x.numpy(), found.latents[numbers[:, i]].numpy())
        expected = torch.from_numpy(fit.predict(found.targets[i : i + 1].numpy()))[0]
        torch.testing.assert_close(z[i], expected, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize(("count", "size"), [(50, 20), (20, 50)])
def test_axes_are_the_principal_ones(count, size):
    y = torch.randn(count, size, generator=rng(1)).double() * torch.linspace(3, 1, size)
    axes = measured.Axes.principal(y, 7)
    components = torch.from_numpy(PCA(7, svd_solver="full").fit(y.numpy()).components_)
    torch.testing.assert_close(axes.directions @ axes.directions.T, components.T @ components)
    torch.testing.assert_close(axes.directions.T @ axes.directions, torch.eye(7).double())


def test_all_of_few_measurements_are_kept():
    problem = gaussian_problem(m=9)
    found = measured_bank(problem, 12)
    torch.testing.assert_close(found.targets - found.targets[:1], problem.y - problem.y[:1])


def test_a_linear_generator_is_inverted(monkeypatch):
    monkeypatch.setattr(measured, "RIDGE", 1e-9)
    module = nn.Linear(6, 64)
    prior = Prior.from_module(nn.Sequential(module, nn.Unflatten(1, (1, 8, 8))), 6).double()
    physics = gaussian(20, (1, 8, 8), dtype=torch.float64)
    z = prior.latent.sample(COUNT, rng(5)).double()
    problem = Problem(prior, CSGMObjective(0.0), torch.zeros(COUNT, 20).double(), physics)
    problem = Problem(prior, CSGMObjective(0.0), physics.A(problem.images(z)), physics)
    # The bank keeps its images in float16.
    torch.testing.assert_close(measured_bank(problem).regressed((100,))[0], z, rtol=0, atol=0.02)


def test_leads_nearer_to_planted_latents_than_the_nearest_entry():
    prior = tiny_dcgan().double()
    z = prior.latent.sample(COUNT, rng(5)).double()
    physics = gaussian(40, prior.image_shape, dtype=torch.float64)
    problem = Problem(prior, CSGMObjective(0.0), physics.A(prior.render(z)), physics)
    found = measured_bank(problem)
    error = (found.regressed((60,))[0] - z).square().sum(1)
    assert (error < (found.best(1)[1][0] - z).square().sum(1)).all()


@pytest.mark.parametrize("kind", ["shared", "complex"])
def test_a_signal_does_not_depend_on_the_others_nor_on_what_is_not_a_number(kind):
    physics = Fourier() if kind == "complex" else gaussian(40, (1, 8, 8), dtype=torch.float64)
    problem = problem_of(physics)
    whole = measured_bank(problem).regressed((60, 20))
    assert whole.shape == (2, COUNT, 6)
    alone = measured_bank(problem.select(torch.tensor([1]))).regressed((60, 20))
    torch.testing.assert_close(alone[:, 0], whole[:, 1])
    problem.y[2] = torch.nan
    dirty = measured_bank(problem).regressed((60, 20))
    assert dirty.isfinite().all()
    others = torch.arange(COUNT) != 2
    torch.testing.assert_close(dirty[:, others], whole[:, others])


def test_blocks_of_signals_come_out_the_same(monkeypatch):
    found = measured_bank(gaussian_problem())
    whole = found.regressed((60, 20))
    monkeypatch.setattr(measured, "BYTES", 1)
    torch.testing.assert_close(found.regressed((60, 20)), whole)


def test_a_generator_of_one_image_gives_finite_starts():
    linear = nn.Linear(6, 64)
    nn.init.zeros_(linear.weight)
    module = nn.Sequential(linear, nn.Unflatten(1, (1, 8, 8)))
    problem = gaussian_problem(prior=Prior.from_module(module, 6))
    assert measured_bank(problem).regressed((60,)).isfinite().all()


def test_starts_are_the_best_entry_and_the_regressed_ones():
    problem, effort = gaussian_problem(), replace(EFFORT, neighbours=(10, 5))
    found = bank.bank_of(problem, ENTRIES)
    starts = first_starts(problem, effort, Streams(0), found, None)
    # Neighbours are counted per entry of the latent, of which there are six.
    expected = found.measured(problem, measured.COMPONENTS * 6).regressed((60, 30))
    assert starts.shape == (3, COUNT, 6)
    torch.testing.assert_close(starts[1:], expected)
    further = first_starts(problem, effort, Streams(0), found, None, 12)
    assert further.shape == starts.shape
    assert not (further == expected[0]).all(-1).any()


def test_physics_of_each_image_has_entries_alone():
    mask = Mask((torch.rand(COUNT, 1, 8, 8, generator=rng(4)) > 0.5).double())
    problem, effort = problem_of(mask), replace(EFFORT, neighbours=(10, 5))
    found = bank.bank_of(problem, ENTRIES)
    starts = first_starts(problem, effort, Streams(0), found, None)
    assert torch.equal(starts, first_starts(problem, EFFORT, Streams(0), found, None))


def test_a_warm_start_has_a_place_where_all_starts_are_regressed():
    prior, physics = tiny_dcgan().double(), gaussian(18, (1, 8, 8), dtype=torch.float64)
    z = prior.latent.sample(COUNT, rng(5)).double()
    effort = replace(EFFORT, restarts=1, neighbours=(10,), steps=1)
    y = physics.A(prior.render(z))
    found = CSGM(prior, 0.0, effort=effort).solve(y, physics, warm=z[None])
    torch.testing.assert_close(found.x, prior.render(z), rtol=0, atol=1e-6)
