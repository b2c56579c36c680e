"""The three Lassos against scikit-learn, closed forms and invariants."""

import math

import pytest
import torch
from sklearn.linear_model import Lasso as SklearnLasso

from ganprior.baselines import LassoDCT, LassoPixel, LassoWavelet
from ganprior.baselines.fista import fista, soft_threshold
from ganprior.baselines.linear_map import LinearMap, squared_operator_norm
from ganprior.physics import facts
from ganprior.solution import Status
from tests.cases_baselines import DensePhysics, FourierPhysics, MaskPhysics, gaussian, images

LASSOS = [LassoDCT, LassoWavelet, LassoPixel]
WAVELETS = ["db1", "db4", "sym4", "coif1"]


def dense_dictionary(lasso, physics):
    """A Psi, column by column, from the definition."""
    n = math.prod(physics.shape)
    units = torch.eye(n, dtype=torch.float64).reshape(n, *physics.shape)
    return physics.A(lasso.basis(units).synthesis(units)).T


def objective(lasso, x, y, physics, alpha):
    w = lasso.basis(x).analysis(x).flatten(1)
    return (y - physics.A(x)).square().sum(1) / 2 + alpha * w.abs().sum(1)


PROBLEMS = [
    (make, shape, m, alpha, seed)
    for seed, (shape, m, alpha) in enumerate(
        [((1, 8, 8), 20, 0.1), ((1, 8, 8), 40, 0.01), ((3, 8, 8), 60, 0.03), ((1, 16, 16), 90, 0.3)]
    )
    for make in (
        LassoDCT,
        LassoPixel,
        *(lambda alpha, name=name: LassoWavelet(name, alpha) for name in WAVELETS),
    )
]


@pytest.mark.parametrize(("make", "shape", "m", "alpha", "seed"), PROBLEMS)
def test_objective_is_that_of_scikit_learn(make, shape, m, alpha, seed):
    physics, x = gaussian(m, shape, seed), images(1, shape, seed)
    y = physics.A(x)
    lasso = make(alpha=alpha)
    solution = lasso.solve(y, physics)
    # scikit-learn divides the data term by the number of rows.
    peer = SklearnLasso(alpha=alpha / m, fit_intercept=False, tol=1e-8, max_iter=200_000)
    dictionary = dense_dictionary(lasso, physics).numpy()
    w = torch.from_numpy(peer.fit(dictionary, y[0].numpy()).coef_)
    best = objective(lasso, lasso.basis(x).synthesis(w.reshape(1, *shape)), y, physics, alpha)
    assert solution.status == (Status.CONVERGED,)
    torch.testing.assert_close(solution.objective, best, rtol=1e-4, atol=0)
    torch.testing.assert_close(
        objective(lasso, solution.x, y, physics, alpha), best, rtol=1e-4, atol=0
    )
    torch.testing.assert_close(
        solution.measurement_error, (y - physics.A(solution.x)).square().sum(1)
    )


def test_at_least_twenty_problems_are_compared_with_scikit_learn():
    assert len(PROBLEMS) >= 20


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("alpha", [1.0, 0.1])
def test_duality_gap_bounds_the_distance_to_the_minimum(alpha, dtype):
    physics, x = gaussian(30, (1, 8, 8)), images(5, (1, 8, 8))
    y, matrix = physics.A(x).to(dtype), physics.matrix.to(dtype)
    operator = LinearMap.from_matrix(matrix)
    start = torch.zeros(5, 64, dtype=dtype)
    bound = torch.linalg.matrix_norm(matrix, 2).square().expand(5, 1)

    def run(tolerance, steps):
        weights = torch.full((5, 1), alpha, dtype=dtype)
        return fista(operator, y, weights, bound, start=start, tolerance=tolerance, max_steps=steps)

    best = run(1e-10, 5000).objective
    rough, fine = run(1e-9, 15), run(1e-4, 5000)
    assert (rough.steps == 15).all()
    assert not rough.converged.any()
    slack = 1e-5 * best if dtype == torch.float32 else 1e-10 * best
    assert (rough.objective - best <= rough.gap + slack).all()
    assert (fine.objective - best <= 1e-4 * best + slack).all()
    assert fine.converged.all()
    # The subgradient condition of the Lasso, independent of the certificate.
    gradient = (y - fine.w @ matrix.T) @ matrix
    assert (gradient.abs().amax(1) <= 1.1 * alpha).all()


@pytest.mark.parametrize("make", LASSOS)
def test_identity_soft_thresholds_the_coefficients(make):
    shape, alpha = (1, 8, 8), 0.2
    x = images(3, shape)
    lasso = make(alpha=alpha, tolerance=1e-12)
    basis = lasso.basis(x)
    w = basis.analysis(x)
    expected = basis.synthesis(w.sign() * (w.abs() - alpha).clamp(min=0))
    for physics in [DensePhysics(torch.eye(64).double(), shape), MaskPhysics(torch.ones(1))]:
        solution = lasso.solve(physics.A(x), physics)
        torch.testing.assert_close(solution.x, expected, rtol=0, atol=1e-6)


def test_soft_threshold():
    w = torch.tensor([[-2.0, -0.5, 0.0, 0.5, 2.0]])
    expected = torch.tensor([[-1.0, 0.0, 0.0, 0.0, 1.0]])
    assert torch.equal(soft_threshold(w, torch.ones(1, 1)), expected)


@pytest.mark.parametrize("make", LASSOS)
def test_alpha_above_the_largest_correlation_gives_zero(make):
    physics, x = gaussian(20, (1, 8, 8)), images(2, (1, 8, 8))
    y = physics.A(x)
    lasso = make()
    largest = (y @ dense_dictionary(lasso, physics)).abs().max().item()
    solution = make(alpha=1.001 * largest).solve(y, physics)
    assert solution.x.abs().max() == 0
    assert solution.steps.tolist() == [0, 0]
    assert make(alpha=0.9 * largest)(y, physics).abs().max() > 0


@pytest.mark.parametrize("hidden", [False, True])
@pytest.mark.parametrize("make", LASSOS)
def test_batch_equals_one_by_one(make, hidden):
    shape = (1, 8, 8)
    physics = gaussian(30, shape, hidden=hidden)
    x = images(3, shape) * torch.tensor([0.2, 1.0, 5.0])[:, None, None, None]
    y = physics.A(x)
    together = make(alpha=0.1).solve(y, physics)
    assert len(set(together.steps.tolist())) == 3
    for i in range(3):
        alone = make(alpha=0.1).solve(y[i : i + 1], physics)
        torch.testing.assert_close(together.x[i : i + 1], alone.x, rtol=0, atol=1e-10)
        torch.testing.assert_close(together.objective[i : i + 1], alone.objective)
        assert together.steps[i] == alone.steps[0]


def test_one_mask_per_image_equals_one_by_one():
    generator = torch.Generator().manual_seed(3)
    mask = (torch.rand(3, 1, 8, 8, generator=generator) > 0.5).double()
    mask[1] *= 3  # its step is nine times shorter
    x = images(3, (1, 8, 8))
    physics = MaskPhysics(mask)
    y = physics.A(x)
    together = LassoDCT(alpha=0.1).solve(y, physics)
    for i in range(3):
        alone = LassoDCT(alpha=0.1).solve(y[i : i + 1], MaskPhysics(mask[i : i + 1]))
        torch.testing.assert_close(together.x[i : i + 1], alone.x, rtol=0, atol=1e-10)
    assert together.status == (Status.CONVERGED,) * 3


@pytest.mark.parametrize("make", LASSOS)
def test_matrix_shortcut_changes_nothing(make):
    shape = (3, 8, 8)
    x = images(2, shape)
    shown, hidden = gaussian(60, shape), gaussian(60, shape, hidden=True)
    y = shown.A(x)
    lasso = make(alpha=0.05, tolerance=1e-10)
    basis = lasso.basis(x)
    w = x.flatten(1)
    one, two = (
        LinearMap.from_physics(p, facts(p, shape, count=2, like=y), basis, y, x)
        for p in (shown, hidden)
    )
    assert one.matrix is not None
    assert two.matrix is None
    torch.testing.assert_close(one.forward(w), two.forward(w), rtol=0, atol=1e-12)
    torch.testing.assert_close(one.transpose(y), two.transpose(y), rtol=0, atol=1e-12)
    # ADMM and FISTA: the same minimum, as far as the gap tells.
    torch.testing.assert_close(lasso(y, shown), lasso(y, hidden), rtol=0, atol=1e-4)


def test_a_buffer_that_is_called_matrix_but_is_not_A_is_not_used():
    class Centred(DensePhysics):
        def A(self, x):
            return super().A(x - x.mean((1, 2, 3), keepdim=True))

        def A_adjoint(self, y):
            x = super().A_adjoint(y)
            return x - x.mean((1, 2, 3), keepdim=True)

    physics = Centred(gaussian(30, (1, 8, 8)).matrix, (1, 8, 8))
    x = images(2, (1, 8, 8))
    solution = LassoDCT(alpha=0.03).solve(physics.A(x), physics)
    assert (solution.measurement_error < 0.05).all()


@pytest.mark.parametrize("bad", [math.nan, math.inf])
@pytest.mark.parametrize("make", LASSOS)
def test_a_signal_that_is_not_finite_disturbs_no_other(make, bad):
    physics, x = gaussian(30, (1, 8, 8)), images(3, (1, 8, 8))
    y = physics.A(x)
    clean = make(alpha=0.1).solve(y, physics)
    y[1, 4] = bad
    solution = make(alpha=0.1).solve(y, physics)
    assert solution.status == (Status.CONVERGED, Status.NONFINITE, Status.CONVERGED)
    assert (solution.x[1] == 0).all()
    assert solution.objective[1].isnan()
    torch.testing.assert_close(solution.x[::2], clean.x[::2], rtol=0, atol=1e-12)
    assert y[1, 4].isnan() if math.isnan(bad) else y[1, 4] == bad


@pytest.mark.parametrize("make", LASSOS)
def test_colour_penalises_each_channel_in_the_same_basis(make):
    # A that keeps channels apart: the colour problem falls into three grey ones.
    grey = gaussian(30, (1, 8, 8)).matrix
    colour = DensePhysics(torch.block_diag(grey, grey, grey), (3, 8, 8))
    x = images(2, (3, 8, 8))
    y = colour.A(x)
    lasso = make(alpha=0.05, tolerance=1e-6)
    physics = DensePhysics(grey, (1, 8, 8))
    parts = [lasso(y[:, 30 * c : 30 * (c + 1)], physics) for c in range(3)]
    torch.testing.assert_close(lasso(y, colour), torch.cat(parts, 1), rtol=0, atol=2e-3)


def test_complex_measurements_equal_their_real_and_imaginary_parts():
    physics, x = FourierPhysics([0, 1, 2, 6, 7]), images(2, (1, 8, 8))
    y = physics.A(x)
    solution = LassoDCT(alpha=0.01, tolerance=1e-10).solve(y, physics)

    units = torch.eye(64, dtype=torch.float64).reshape(64, 1, 8, 8)
    matrix = torch.view_as_real(physics.A(units)).flatten(1).T
    real = LassoDCT(alpha=0.01, tolerance=1e-10).solve(
        torch.view_as_real(y).flatten(1), DensePhysics(matrix, (1, 8, 8))
    )
    torch.testing.assert_close(solution.x, real.x, rtol=0, atol=1e-5)
    assert solution.x.dtype == torch.float64
    torch.testing.assert_close(
        solution.measurement_error, real.measurement_error, rtol=1e-4, atol=0
    )


@pytest.mark.parametrize("make", LASSOS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_dtype_follows_y_and_inputs_stay(make, dtype):
    physics, x = gaussian(30, (1, 8, 8), dtype=dtype), images(2, (1, 8, 8), dtype=dtype)
    y = physics.A(x)
    before = y.clone()
    solution = make().solve(y, physics)
    assert solution.x.dtype == solution.objective.dtype == dtype
    assert solution.steps.dtype == torch.int64
    assert torch.equal(y, before)


@pytest.mark.parametrize("context", [torch.no_grad, torch.inference_mode, torch.enable_grad])
@pytest.mark.parametrize("make", LASSOS)
def test_works_in_any_gradient_mode(make, context):
    physics, x = gaussian(30, (1, 8, 8)), images(2, (1, 8, 8))
    with context():
        y = physics.A(x)
        inside = make(alpha=0.1)(y, physics)
    assert not inside.requires_grad
    torch.testing.assert_close(inside, make(alpha=0.1)(y, physics))


def test_starting_at_the_solution_ends_there_at_once():
    physics, x = gaussian(30, (1, 8, 8)), images(2, (1, 8, 8))
    y = physics.A(x)
    cold = LassoDCT(alpha=0.02).solve(y, physics)
    warm = LassoDCT(alpha=0.02).solve(y, physics, start=cold.x)
    assert (cold.steps > 0).all()
    assert (warm.steps == 0).all()


def test_step_limit_is_reported():
    physics, x = gaussian(30, (1, 8, 8)), images(2, (1, 8, 8))
    solution = LassoDCT(alpha=1e-4, max_steps=7).solve(physics.A(x), physics)
    assert solution.status == (Status.MAX_STEPS,) * 2
    assert solution.steps.tolist() == [7, 7]


def test_measurements_of_zeros_and_a_physics_of_zeros_give_zeros():
    shape = (1, 8, 8)
    zero = DensePhysics(torch.zeros(5, 64), shape)
    for physics, y in [
        (gaussian(20, shape), torch.zeros(2, 20).double()),
        (zero, torch.ones(2, 5)),
    ]:
        solution = LassoWavelet().solve(y, physics)
        assert (solution.x == 0).all()
        assert Status.NONFINITE not in solution.status


def test_power_method_bounds_the_operator_norm():
    for seed, m in enumerate([5, 20, 60]):
        matrix = gaussian(m, (1, 8, 8), seed).matrix
        start = torch.randn(1, 64, generator=torch.Generator().manual_seed(0)).double()
        found = squared_operator_norm(LinearMap.from_matrix(matrix), start).item()
        exact = torch.linalg.matrix_norm(matrix, 2).item() ** 2
        assert exact <= found <= 1.06 * exact
