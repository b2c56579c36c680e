"""The solver that averages models, and takes total variation where it predicts better."""

import pytest
import torch

from ganprior import MAP, Auto, TotalVariation
from ganprior.physics import inpainting
from ganprior.solvers import auto as module
from tests.cases import gaussian, rng, tiny_dcgan
from tests.cases_density import SHAPE, as_mixture, linear_density, tiny_density
from tests.test_density_solvers import NOISE, measured


def test_one_model_is_taken_as_it_is():
    prior = linear_density()
    _, y, physics = measured(prior)
    found = Auto(prior, NOISE).solve(y, physics)
    alone = MAP(prior, NOISE).solve(y, physics)
    torch.testing.assert_close(found.x, alone.x)
    torch.testing.assert_close(found.objective, alone.objective)
    assert found.settings["map"].tolist() == [1] * len(y)


def test_models_are_weighted_by_evidence():
    """Of two models one of which is wrong, the right one is taken, and both if they are alike."""
    prior, other = linear_density(), linear_density()
    other.density = tiny_density(5, SHAPE, components=1, spread=0.02)
    _, y, physics = measured(prior, m=30)
    solver = Auto(prior, NOISE)
    solver.models["wrong"] = MAP(other, NOISE)
    assert (solver.solve(y, physics).settings["map"] > 0.99).all()
    solver.models["wrong"] = MAP(prior, NOISE)
    torch.testing.assert_close(
        solver.solve(y, physics).settings["map"], torch.full((len(y),), 0.5).double()
    )


def test_total_variation_takes_over_where_it_predicts_better(monkeypatch):
    monkeypatch.setattr(module, "LEAST", 20)
    prior = linear_density()
    x = torch.zeros(2, *SHAPE).double()
    x[0, :, 2:4, 1:5] = 1  # piecewise constant, and none of the density's
    x[1] = as_mixture(prior).sample(1, rng(2))[0]
    physics = gaussian(30, SHAPE, dtype=torch.float64)
    y = physics.A(x)
    found = Auto(prior, 1e-3).solve(y, physics)
    assert found.settings["tv"].tolist() == [1, 0]
    own = TotalVariation(noise_std=1e-3).solve(y[:1], physics)
    torch.testing.assert_close(found.x[:1], own.x, rtol=0, atol=1e-4)


def test_total_variation_takes_no_image_with_a_hole(monkeypatch):
    """Pixels beside each other predict each other, and not what is in the hole."""
    monkeypatch.setattr(module, "LEAST", 20)
    prior = linear_density()
    x = torch.zeros(1, *SHAPE).double()
    x[0, :, 2:4, 1:5] = 1
    mask = torch.ones(1, 6, 6).double()
    mask[:, 2:4, 2:4] = 0
    physics = inpainting(mask, SHAPE)
    assert Auto(prior, 1e-3).solve(physics.A(x), physics).settings["tv"].tolist() == [0]


def test_models_have_equal_shares_of_an_image_with_a_hole_and_of_no_other():
    prior, other = linear_density(), linear_density()
    other.density = tiny_density(5, SHAPE, components=1, spread=0.02)
    mask = torch.ones(2, 1, 6, 6).double()
    mask[0, :, 2:4, 2:4] = 0
    physics = inpainting(mask, SHAPE)
    y = physics.A(as_mixture(prior).sample(2, rng(2)))
    solver = Auto(prior, NOISE)
    solver.models["wrong"] = MAP(other, NOISE)
    found = solver.solve(y, physics)
    assert found.settings["map"][0] == 0.5
    assert found.settings["map"][1] > 0.99
    first, second = (model.solve(y, physics).x for model in solver.models.values())
    torch.testing.assert_close(found.x[0], (first[0] + second[0]) / 2)


def test_a_prior_with_nothing_to_average_is_refused():
    with pytest.raises(ValueError, match=r"no density and no Gaussian mixture.*fit-density"):
        Auto(tiny_dcgan())
