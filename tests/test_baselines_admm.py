"""ADMM and the active set for the Lasso: scikit-learn, FISTA and optimality conditions."""

from pathlib import Path

import pytest
import torch
from sklearn.linear_model import Lasso as SklearnLasso

from ganprior import load_images
from ganprior.baselines import LassoDCT, LassoPixel, LassoWavelet, admm
from ganprior.baselines.active_set import active_set
from ganprior.baselines.fista import fista
from ganprior.baselines.linear_map import LinearMap
from ganprior.solution import Status
from tests.cases import rng
from tests.cases_baselines import gaussian, images

ROOT = Path(__file__).parents[1]
SHAPE = (1, 8, 8)


def problem(m=30, alpha=0.03, count=4, dtype=torch.float64):
    matrix = gaussian(m, SHAPE).matrix.to(dtype)
    y = images(count, SHAPE, dtype=dtype).flatten(1) @ matrix.T
    return matrix, y, torch.full((count, 1), alpha, dtype=dtype)


def solve(matrix, y, alpha, tolerance=1e-10, max_steps=20_000, start=None, scale=None):
    start = torch.zeros(len(y), matrix.shape[1], dtype=y.dtype) if start is None else start
    scale = torch.ones_like(matrix[0]) if scale is None else scale
    return admm.admm(
        matrix, y, alpha, start=start, scale=scale, tolerance=tolerance, max_steps=max_steps
    )


@pytest.mark.parametrize("m", [10, 30, 64, 80])
@pytest.mark.parametrize("alpha", [1.0, 0.03, 0.01])
def test_the_minimum_is_that_of_fista_and_the_optimality_conditions_hold(m, alpha):
    matrix, y, alphas = problem(m, alpha)
    found = solve(matrix, y, alphas)
    bound = torch.linalg.matrix_norm(matrix, 2).square().expand(4, 1)
    peer = fista(
        LinearMap.from_matrix(matrix), y, alphas, bound,
        start=torch.zeros_like(found.w), tolerance=1e-7, max_steps=20_000,
    )  # fmt: skip
    assert found.converged.all()
    torch.testing.assert_close(found.objective, peer.objective, rtol=1e-6, atol=0)
    correlation = (y - found.w @ matrix.T) @ matrix
    assert (correlation.abs() <= 1.001 * alpha).all()
    active = found.w.abs() > 1e-6
    torch.testing.assert_close(
        correlation[active], (alpha * found.w.sign())[active], rtol=2e-3, atol=1e-7
    )


@pytest.mark.parametrize("m", [10, 30, 80])
@pytest.mark.parametrize("alpha", [1.0, 0.03, 0.001])
@pytest.mark.parametrize("steps", [0, 3, 8, 20, 50])
def test_the_gap_bounds_the_distance_to_the_minimum_of_scikit_learn_at_any_step(m, alpha, steps):
    matrix, y, alphas = problem(m, alpha)
    found = solve(matrix, y, alphas, tolerance=1e-2, max_steps=steps)
    peer = SklearnLasso(alpha=alpha / m, fit_intercept=False, tol=1e-10, max_iter=200_000)
    w = torch.from_numpy(peer.fit(matrix.numpy(), y.T.numpy()).coef_)
    best = (y - w @ matrix.T).square().sum(1) / 2 + alpha * w.abs().sum(1)
    value = (y - found.w @ matrix.T).square().sum(1) / 2 + alpha * found.w.abs().sum(1)
    torch.testing.assert_close(found.objective, value, rtol=1e-9, atol=0)
    # To what scikit-learn's own tolerance leaves open.
    assert (found.objective - found.gap <= (1 + 1e-6) * best).all()
    assert (found.objective >= (1 - 1e-6) * best).all()
    assert (found.objective <= (1 + 1e-2) * best)[found.converged].all()
    assert steps or not found.converged.any()


def test_a_loose_tolerance_calls_no_active_set(monkeypatch):
    matrix, y, alpha = problem(alpha=0.01)
    monkeypatch.setattr(admm, "active_set", None)
    assert solve(matrix, y, alpha, tolerance=1e-2).converged.all()


def test_float32_reaches_what_its_own_rounding_hides():
    """At small alpha float32 alone cannot certify 1e-4; the active set in float64 does."""
    matrix, y, alpha = problem(50, 1e-3, count=2, dtype=torch.float32)
    found = solve(matrix, y, alpha, tolerance=1e-4)
    assert found.converged.all()
    assert found.w.dtype == torch.float32
    for i in range(2):
        peer = SklearnLasso(alpha=1e-3 / 50, fit_intercept=False, tol=1e-8, max_iter=100_000)
        w = torch.from_numpy(peer.fit(matrix.double().numpy(), y[i].double().numpy()).coef_)
        residual = y[i].double() - matrix.double() @ w
        best = residual.square().sum() / 2 + 1e-3 * w.abs().sum()
        assert found.objective[i].item() == pytest.approx(best.item(), rel=1e-4)


def test_without_the_active_set_the_same_minimum_takes_more_steps(monkeypatch):
    matrix, y, alpha = problem(alpha=0.003)
    quick = solve(matrix, y, alpha, tolerance=1e-8)
    monkeypatch.setattr(admm, "NEAR", 0.0)
    slow = solve(matrix, y, alpha, tolerance=1e-8)
    assert (quick.steps < slow.steps).all()
    torch.testing.assert_close(quick.objective, slow.objective, rtol=1e-7, atol=0)


@pytest.mark.parametrize("count", [1, 4, 16, 40])
def test_each_signal_has_its_own_alpha_and_ends_where_it_would_alone(count):
    matrix, y, _ = problem(count=count)
    alpha = torch.logspace(0, -3, count)[:, None].double()
    together = solve(matrix, y, alpha, tolerance=1e-6)
    assert len(set(together.steps.tolist())) >= min(count, 4)
    for i in range(0, count, 3):
        one = slice(i, i + 1)
        alone = solve(matrix, y[one], alpha[one], tolerance=1e-6)
        torch.testing.assert_close(together.w[one], alone.w, rtol=0, atol=1e-10)
        assert together.steps[i] == alone.steps[0]


def test_a_signal_that_is_not_finite_stops_and_leaves_the_others_as_they_are():
    matrix, y, alpha = problem(count=20)
    expected = solve(matrix, y, alpha, tolerance=1e-6)
    y[3] = torch.nan
    found = solve(matrix, y, alpha, tolerance=1e-6)
    others = torch.arange(20) != 3
    assert found.steps[3] == 0
    assert not found.converged[3]
    assert torch.equal(found.steps[others], expected.steps[others])
    torch.testing.assert_close(found.w[others], expected.w[others], rtol=0, atol=1e-10)


@pytest.mark.parametrize("factor", [1e-6, 1.0, 1e6])
def test_the_minimum_does_not_depend_on_the_expected_scale(factor):
    matrix, y, alpha = problem(count=3)
    expected = solve(matrix, y, alpha)
    scale = factor * torch.rand(64, generator=rng(1), dtype=torch.float64).add(0.05)
    start = torch.randn(3, 64, generator=rng(2), dtype=torch.float64)
    found = solve(matrix, y, alpha, scale=scale, start=start)
    assert found.converged.all()
    assert not torch.equal(found.steps, expected.steps)
    torch.testing.assert_close(found.objective, expected.objective, rtol=1e-9, atol=0)
    torch.testing.assert_close(found.w, expected.w, rtol=0, atol=1e-5)


def test_a_scale_that_fits_takes_fewer_steps():
    """Signals whose coefficients fall with their index as the scale says."""
    scale = 1 / torch.arange(1, 257, dtype=torch.float64)
    matrix = torch.randn(60, 256, generator=rng(3), dtype=torch.float64) / 60**0.5
    w = scale * torch.randn(5, 256, generator=rng(4), dtype=torch.float64)
    y, alpha = w @ matrix.T, torch.full((5, 1), 0.003, dtype=torch.float64)
    fitting = solve(matrix, y, alpha, tolerance=1e-2, scale=scale.sqrt())
    flat = solve(matrix, y, alpha, tolerance=1e-2)
    assert (fitting.steps < flat.steps).all()


def test_starting_at_the_minimum_needs_no_step():
    matrix, y, alpha = problem()
    found = solve(matrix, y, alpha, tolerance=1e-6)
    again = solve(matrix, y, alpha, tolerance=1e-5, start=found.w)
    assert again.steps.tolist() == [0] * 4


@pytest.mark.parametrize("shared", [False, True])
def test_active_set_finds_the_minimum_from_near_it_and_nothing_from_afar(shared):
    matrix, y, alpha = problem()
    gram = matrix.T @ matrix if shared else None
    best = solve(matrix, y, alpha)
    starts = torch.where(best.w.abs() > 1e-6, 1.0001 * best.w, 0)
    # More coefficients than measurements: no set of independent columns.
    starts[2] = 1
    w, objective, gap, found = active_set(matrix, y, alpha, starts, 1e-9, gram)
    assert found.tolist() == [True, True, False, True]
    torch.testing.assert_close(w[found], best.w[found], rtol=0, atol=1e-6)
    torch.testing.assert_close(objective[found], best.objective[found])
    assert (gap[found] <= 1e-9 * objective[found]).all()
    assert not active_set(matrix, y, alpha, -starts, 1e-30)[3].any()


def test_single_precision_factors_reach_a_gap_of_double_precision():
    matrix, y, alpha = problem()
    best = solve(matrix, y, alpha)
    starts = torch.where(best.w.abs() > 1e-6, 1.0001 * best.w, 0)
    gram = (matrix.T @ matrix).float()
    w, _, gap, found = active_set(matrix, y, alpha, starts, 1e-9, gram)
    assert found.all()
    assert (gap <= 1e-9 * best.objective).all()
    torch.testing.assert_close(w, best.w, rtol=0, atol=1e-6)


@pytest.mark.parametrize("lasso", [LassoDCT, LassoWavelet, LassoPixel])
def test_every_basis_says_what_size_its_coefficients_have(lasso):
    image = torch.rand(2, 3, 8, 16, generator=rng(), dtype=torch.float64)
    scale = lasso().scale(image).expand(3, 8, 16)
    assert scale.dtype == image.dtype
    assert (scale > 0).all()
    if lasso is LassoPixel:
        assert (scale == scale[0, 0, 0]).all()
    else:
        # Of a smooth image those that are said to be large are, for colour and all sides.
        smooth = torch.linspace(0, 1, 16).double().square().expand(1, 3, 8, 16)
        w = lasso().basis(smooth).analysis(smooth)[0].abs()
        large = scale >= scale.flatten().quantile(0.75)
        assert w[large].mean() > 5 * w[~large].mean()


def test_real_images_take_fewer_steps_with_the_scale_of_the_cosine_basis():
    class Flat(LassoDCT):
        def scale(self, image):
            return image.new_ones(1)

    x = load_images(ROOT / "data" / "fashion_mnist_test_100.npz", limit=8).floats()
    x = torch.nn.functional.interpolate(x, (32, 32), mode="bicubic", antialias=True)
    physics = gaussian(100, x.shape[1:], dtype=torch.float32)
    y = physics.A(x)
    fitting, flat = (kind(alpha=0.3, tolerance=1e-2).solve(y, physics) for kind in (LassoDCT, Flat))
    assert fitting.steps.sum() < flat.steps.sum()
    torch.testing.assert_close(fitting.objective, flat.objective, rtol=1e-2, atol=0)


def test_ones_own_lasso_may_say_the_scale_of_its_coefficients():
    class Falling(LassoPixel):
        def scale(self, image):
            return torch.linspace(2, 1, image.shape[-1]).to(image)

    physics = gaussian(30, SHAPE)
    y = physics.A(images(2, SHAPE))
    flat, falling = (
        kind(alpha=0.05, tolerance=1e-8).solve(y, physics) for kind in (LassoPixel, Falling)
    )
    torch.testing.assert_close(falling.objective, flat.objective, rtol=1e-7, atol=0)
    assert not torch.equal(falling.x, flat.x)


def test_a_matrix_of_many_rows_goes_to_fista(monkeypatch):
    physics = gaussian(30, SHAPE)
    y = physics.A(images(2, SHAPE))
    small = LassoPixel(alpha=0.05).solve(y, physics)
    monkeypatch.setattr("ganprior.baselines.lasso.LARGEST_FACTORISATION", 29)
    large = LassoPixel(alpha=0.05).solve(y, physics)
    assert small.status == large.status == (Status.CONVERGED,) * 2
    assert not torch.equal(small.steps, large.steps)
    torch.testing.assert_close(small.objective, large.objective, rtol=1e-4, atol=0)
