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
from ganprior.solvers.engine import Candidates, Effort, Problem, bank, measured
from ganprior.solvers.engine.minimise import minimise
from ganprior.streams import Streams
from tests.cases import Fourier, Mask, gaussian, rng, tiny_dcgan
from tests.test_engine_bank import ENTRIES, STARTS, STEPS
from tests.test_engine_rounds import Unselectable

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


def measured_bank(problem, *neighbourhoods):
    return bank.bank_of(problem, ENTRIES).measured(problem, neighbourhoods)


@pytest.mark.parametrize("neighbours", [5, 60, ENTRIES])
def test_fits_the_ridge_regression_of_scikit_learn(neighbours):
    latents, features = (torch.randn(ENTRIES, n, generator=rng(n)).double() for n in (6, 9))
    targets = torch.randn(COUNT, 9, generator=rng(4)).double()
    error = torch.cdist(features, targets)
    z = measured.regress(latents, error, features, targets, (neighbours, 3))
    assert z.shape == (2, COUNT, 6)
    for i in range(COUNT):
        near = error[:, i].argsort()[:neighbours]
        x = features[near]
        spread = (x - x.mean(0)).square().sum(0)
        fit = Ridge(measured.RIDGE * spread.mean().item(), solver="svd")
        fit.fit(x.numpy(), latents[near].numpy())
        expected = torch.from_numpy(fit.predict(targets[i : i + 1].numpy()))[0]
        torch.testing.assert_close(z[0, i], expected, rtol=1e-6, atol=1e-8)


def test_where_there_is_no_regression_the_nearest_stands_in():
    latents = torch.randn(ENTRIES, 6, generator=rng(1))
    features, targets = torch.full((ENTRIES, 9), torch.nan), torch.ones(COUNT, 9)
    error = torch.arange(float(ENTRIES))[:, None].expand(-1, COUNT)
    z = measured.regress(latents, error, features, targets, (60, 30))
    torch.testing.assert_close(z, latents[:1].expand(2, COUNT, -1))


@pytest.mark.parametrize(("count", "size"), [(50, 20), (20, 50)])
def test_axes_are_the_principal_ones(count, size):
    y = torch.randn(count, size, generator=rng(1)).double() * torch.linspace(3, 1, size)
    axes = measured.Axes.principal(y, 7)
    components = torch.from_numpy(PCA(7, svd_solver="full").fit(y.numpy()).components_)
    torch.testing.assert_close(axes.directions @ axes.directions.T, components.T @ components)
    torch.testing.assert_close(axes.directions.T @ axes.directions, torch.eye(7).double())


@pytest.mark.parametrize("count", [60, 600])
def test_axes_of_measurements_that_are_mostly_zero_or_not_finite(count):
    y = torch.zeros(count, 300)
    y[:, :5] = torch.randn(count, 5, generator=rng(1))
    kept = measured.Axes.principal(y, 20).of(y)
    torch.testing.assert_close(torch.cdist(kept, kept), torch.cdist(y, y), rtol=0, atol=1e-2)
    assert measured.Axes.principal(torch.full_like(y, torch.nan), 20).directions.isfinite().all()


def test_all_of_few_measurements_are_kept():
    y = torch.randn(20, 9, generator=rng(1)).double()
    kept = measured.Axes.principal(y, 12).of(y)
    torch.testing.assert_close(torch.cdist(kept, kept), torch.cdist(y, y))


def test_a_linear_generator_is_inverted(monkeypatch):
    monkeypatch.setattr(measured, "RIDGE", 1e-9)
    module = nn.Linear(6, 64)
    prior = Prior.from_module(nn.Sequential(module, nn.Unflatten(1, (1, 8, 8))), 6).double()
    physics = gaussian(20, (1, 8, 8), dtype=torch.float64)
    z = prior.latent.sample(COUNT, rng(5)).double()
    problem = Problem(prior, CSGMObjective(0.0), torch.zeros(COUNT, 20).double(), physics)
    problem = Problem(prior, CSGMObjective(0.0), physics.A(problem.images(z)), physics)
    # The bank keeps its images in float16.
    torch.testing.assert_close(measured_bank(problem, 100).regressed[0], z, rtol=0, atol=0.02)


def test_leads_nearer_to_planted_latents_than_the_nearest_entry():
    prior = tiny_dcgan().double()
    z = prior.latent.sample(COUNT, rng(5)).double()
    physics = gaussian(40, prior.image_shape, dtype=torch.float64)
    problem = Problem(prior, CSGMObjective(0.0), physics.A(prior.render(z)), physics)
    found = measured_bank(problem, 60)
    error = (found.regressed[0] - z).square().sum(1)
    assert (error < (found.best(1)[0] - z).square().sum(1)).all()


def physics_of(kind):
    if kind == "per image":
        return Mask((torch.rand(COUNT, 1, 8, 8, generator=rng(4)) > 0.5).double())
    return Fourier() if kind == "complex" else gaussian(40, (1, 8, 8), dtype=torch.float64)


@pytest.mark.parametrize("kind", ["shared", "complex", "per image"])
def test_a_signal_does_not_depend_on_the_others_nor_on_what_is_not_a_number(kind):
    problem = problem_of(physics_of(kind))
    assert problem.alike == (kind != "per image")
    whole = measured_bank(problem, 60, 20)
    assert whole.regressed.shape == (2, COUNT, 6)
    alone = measured_bank(problem.subset(torch.tensor([1])), 60, 20)
    torch.testing.assert_close(alone.regressed[:, 0], whole.regressed[:, 1])
    torch.testing.assert_close(alone.error[:, 0], whole.error[:, 1])
    problem.y[2] = torch.nan
    dirty = measured_bank(problem, 60, 20).regressed
    assert dirty.isfinite().all()
    others = torch.arange(COUNT) != 2
    torch.testing.assert_close(dirty[:, others], whole.regressed[:, others])


def test_a_generator_of_one_image_gives_finite_starts():
    linear = nn.Linear(6, 64)
    nn.init.zeros_(linear.weight)
    module = nn.Sequential(linear, nn.Unflatten(1, (1, 8, 8)))
    problem = gaussian_problem(prior=Prior.from_module(module, 6))
    assert measured_bank(problem, 60).regressed.isfinite().all()


def test_starts_are_the_best_entry_and_the_regressed_ones():
    problem, stage = gaussian_problem(), replace(STARTS, nearest=1, regress=(10, 5))
    found = bank.bank_of(problem, ENTRIES)
    starts = stage.run(problem, Candidates.at(problem, None, Streams(0))).z
    # Neighbours are counted per entry of the latent, of which there are six.
    expected = found.measured(problem, (60, 30)).regressed
    assert starts.shape == (3, COUNT, 6)
    torch.testing.assert_close(starts[1:], expected)
    nearest = found.measured(problem).best(4)
    assert (starts[:1] == nearest).all(-1).any(0).all()


def test_physics_that_cannot_be_cut_down_has_entries_alone():
    physics = Unselectable(gaussian(40, (1, 8, 8), dtype=torch.float64), COUNT)
    problem, stage = problem_of(physics), replace(STARTS, nearest=1, regress=(10, 5), unaided=5)
    assert not problem.alike
    assert not problem.can_leave
    found = minimise(problem, Effort(stage, STEPS), Streams(0))
    alone = minimise(problem, Effort(replace(STARTS, nearest=5), STEPS), Streams(0))
    assert torch.equal(found.z, alone.z)


def test_a_warm_start_has_a_place_where_all_starts_are_regressed():
    prior, physics = tiny_dcgan().double(), gaussian(18, (1, 8, 8), dtype=torch.float64)
    z = prior.latent.sample(COUNT, rng(5)).double()
    effort = Effort(replace(STARTS, nearest=0, regress=(10,)), replace(STEPS, steps=1))
    y = physics.A(prior.render(z))
    found = CSGM(prior, 0.0, effort=effort).solve(y, physics, warm=z[None])
    torch.testing.assert_close(found.x, prior.render(z), rtol=0, atol=1e-6)
