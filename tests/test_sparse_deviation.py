"""A generator and a sparse deviation, against SciPy, and against what each is without the other."""

import pytest
import torch
from scipy.optimize import minimize

from ganprior import CSGM, SparseDeviation
from ganprior.physics import inpainting
from ganprior.solution import Status, squared_norm
from tests.cases import gaussian, linear_prior, rng

SHAPE = (1, 6, 6)
BASES = ("pixel", "haar", "dct")


def measured(m=30, count=3, deviating=3):
    """Images of a linear generator with some pixels set to one, float64."""
    prior = linear_prior(4, SHAPE).double()
    x = prior.render(prior.latent.sample(count, rng(1)).double()).clamp(0, 1)
    for i in range(count):
        x[i].view(-1)[torch.randperm(36, generator=rng(i))[:deviating]] = 1
    physics = gaussian(m, SHAPE, dtype=torch.float64)
    return prior, x, physics, physics.A(x)


def test_pixels_that_the_generator_cannot_draw_are_found():
    prior, x, physics, y = measured()
    solver = SparseDeviation(prior, 0.0, alpha=1e-3, latent_weight=1e-6, rounds=8)
    found = solver.solve(y, physics)
    without = CSGM(prior, 1e-6).solve(y, physics)
    error, plain = squared_norm(found.x - x), squared_norm(without.x - x)
    assert (error < 0.05 * plain).all()


@pytest.mark.parametrize("basis", BASES)
def test_the_deviation_of_one_round_is_the_least_in_the_box(basis):
    """Of the convex part, by L-BFGS-B on the parts p, q >= 0 of the coefficients in pixels."""
    prior, _, physics, y = measured(12, 1)
    alpha = 0.05
    solver = SparseDeviation(prior, 0.0, basis=basis, alpha=alpha, latent_weight=0.1, rounds=1)
    found = solver.solve(y, physics)
    assert found.z is not None
    drawn = prior(found.z).detach()
    norm = solver._penalty(drawn)

    def value(nu):
        fit = squared_norm(y - physics.A(drawn + nu)) / 2
        return fit + alpha * norm.value(nu)

    def smooth(flat):
        nu = torch.from_numpy(flat).reshape(1, *SHAPE).requires_grad_()
        fit = squared_norm(y - physics.A(drawn + nu)).sum() / 2
        total = fit + alpha * (norm.forward(nu).square() + 1e-10).sqrt().sum()
        total.backward()
        return total.item(), nu.grad.numpy().ravel()

    bounds = list(zip((-drawn).ravel().tolist(), (1 - drawn).ravel().tolist(), strict=True))
    best = minimize(
        smooth, torch.zeros(36).double().numpy(), jac=True, method="L-BFGS-B", bounds=bounds,
        options={"maxiter": 20000, "maxfun": 50000, "ftol": 1e-14},
    )  # fmt: skip
    least = value(torch.from_numpy(best.x).reshape(1, *SHAPE)).item()
    ours = value(found.x - drawn).item()
    assert ours <= least * (1 + 1e-3)
    assert found.x.min() > -1e-9
    assert found.x.max() < 1 + 1e-9
    expected = 2 * ours + 0.1 * squared_norm(found.z).item()
    assert found.objective.item() == pytest.approx(expected, rel=1e-6)


def test_more_rounds_lower_the_objective():
    prior, _, physics, y = measured(20)
    values = [
        SparseDeviation(prior, 0.0, alpha=0.02, latent_weight=0.01, rounds=rounds)
        .solve(y, physics)
        .objective
        for rounds in (1, 2, 6)
    ]
    assert (values[1] <= values[0]).all()
    assert (values[2] <= values[1]).all()
    assert (values[2] < values[0]).any()


def test_a_large_weight_is_csgm():
    prior, _, physics, y = measured(20)
    large = SparseDeviation(prior, 0.0, alpha=1e3, latent_weight=0.01, rounds=1).solve(y, physics)
    # A linear generator leaves the box, which then has the last word.
    alone = CSGM(prior, 0.01, noise_std=0.0).solve(y, physics).x.clamp(0, 1)
    torch.testing.assert_close(large.x, alone, rtol=0, atol=1e-4)


def test_masks_and_signals_that_are_not_finite():
    prior, x, _, _ = measured()
    holes = (torch.rand(3, 1, 6, 6, generator=rng(8)) > 0.3).double()
    physics = inpainting(holes, SHAPE)
    y = physics.A(x)
    solver = SparseDeviation(prior, 0.0, alpha=1e-3, rounds=1)
    clean = solver.solve(y, physics)
    y[1, 0, 0, 0] = torch.nan
    found = solver.solve(y, physics)
    assert found.status[1] is Status.NONFINITE
    assert (found.x[1] == 0).all()
    torch.testing.assert_close(found.x[::2], clean.x[::2], rtol=0, atol=1e-6)


def test_what_csgm_found_may_be_given():
    prior, _, physics, y = measured()
    solver = SparseDeviation(prior, 0.0, alpha=0.01, latent_weight=0.1, rounds=1)
    drawn = CSGM(prior, 0.1, noise_std=0.0).solve(y, physics)
    torch.testing.assert_close(solver.solve(y, physics, drawn=drawn).x, solver(y, physics))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"basis": "db4"}, "one of pixel, haar, dct"),
        ({"alpha": 0.0}, "alpha=0.0 must be positive"),
        ({"rounds": 0}, "rounds must be at least 1"),
        ({"latent_weight": -1.0}, "latent_weight"),
        ({"noise_std": -1.0}, "noise_std"),
    ],
)
def test_wrong_numbers_are_refused(wrong, message):
    with pytest.raises(ValueError, match=message):
        SparseDeviation(linear_prior(), **wrong)
