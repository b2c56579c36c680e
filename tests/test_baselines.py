"""The three Lassos against scikit-learn, closed forms and invariants."""

import csv
import math
from importlib import resources
from pathlib import Path

import pytest
import torch
from sklearn.linear_model import Lasso as SklearnLasso
from torch import nn

from ganprior import baselines
from ganprior.baselines import LassoDCT, LassoPixel, LassoWavelet
from ganprior.baselines.alphas import default_alpha
from ganprior.baselines.fista import fista, soft_threshold
from ganprior.baselines.linear_map import LinearMap, count_and_scale, squared_operator_norm
from ganprior.solution import Status

LASSOS = [LassoDCT, LassoWavelet, LassoPixel]
WAVELETS = ["db1", "db4", "sym4", "coif1"]


class DensePhysics(nn.Module):
    """A(x) = matrix x, as an instrument would have it; ``hidden`` hides the matrix."""

    def __init__(self, matrix, shape, hidden=False):
        super().__init__()
        self.shape = shape
        self._matrix = matrix
        if not hidden:
            self.register_buffer("matrix", matrix)

    def A(self, x):
        return x.flatten(1) @ self._matrix.T

    def A_adjoint(self, y):
        return (y @ self._matrix).reshape(-1, *self.shape)


class MaskPhysics(nn.Module):
    """One mask per image: (B, 1, H, W)."""

    def __init__(self, mask):
        super().__init__()
        self.register_buffer("mask", mask)

    def A(self, x):
        return self.mask * x

    def A_adjoint(self, y):
        return self.mask * y


class FourierPhysics(nn.Module):
    """Some rows of the unitary Fourier transform of real images: complex measurements."""

    def __init__(self, rows):
        super().__init__()
        self.rows = rows

    def A(self, x):
        return torch.fft.fft2(x, norm="ortho")[..., self.rows, :]

    def A_adjoint(self, y):
        full = torch.zeros(*y.shape[:-2], y.shape[-1], y.shape[-1], dtype=y.dtype)
        full[..., self.rows, :] = y
        return torch.fft.ifft2(full, norm="ortho")


def gaussian(m, shape, seed=0, dtype=torch.float64, **kwargs):
    generator = torch.Generator().manual_seed(seed)
    matrix = torch.randn(m, math.prod(shape), generator=generator, dtype=torch.float64)
    return DensePhysics((matrix / math.sqrt(m)).to(dtype), shape, **kwargs)


def images(count, shape, seed=0, dtype=torch.float64):
    """Smooth images in [0, 1] with an edge, so that no basis has an easy time."""
    generator = torch.Generator().manual_seed(100 + seed)
    coarse = torch.rand(count, shape[0], 3, 3, generator=generator, dtype=torch.float64)
    x = nn.functional.interpolate(coarse, size=shape[1:], mode="bilinear")
    x[..., : shape[1] // 2, : shape[2] // 3] = 0
    return x.to(dtype)


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
    peer = SklearnLasso(alpha=alpha / m, fit_intercept=False, tol=1e-10, max_iter=200_000)
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
    lasso = make(alpha=0.05)
    torch.testing.assert_close(lasso(y, shown), lasso(y, hidden), rtol=0, atol=1e-9)


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
    solution = LassoDCT(alpha=0.01).solve(y, physics)

    units = torch.eye(64, dtype=torch.float64).reshape(64, 1, 8, 8)
    matrix = torch.view_as_real(physics.A(units)).flatten(1).T
    real = LassoDCT(alpha=0.01).solve(
        torch.view_as_real(y).flatten(1), DensePhysics(matrix, (1, 8, 8))
    )
    torch.testing.assert_close(solution.x, real.x, rtol=0, atol=1e-9)
    assert solution.x.dtype == torch.float64
    torch.testing.assert_close(solution.measurement_error, real.measurement_error)


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


class TestDefaultAlpha:
    @pytest.mark.parametrize("basis", ["dct", "wavelet", "pixel"])
    def test_positive_and_rising_with_the_noise(self, basis):
        noise = torch.tensor([0.0, 0.001, 0.01, 0.1, 1.0, 10.0])
        for m in (1, 10, 100, 784, 2000):
            alpha = default_alpha(basis, torch.full((6,), m), 784, noise)
            assert (alpha > 0).all()
            assert alpha[5] / alpha[4] == pytest.approx(10)

    def test_interpolates_the_table(self):
        rows = csv.DictReader(resources.files(baselines).joinpath("alphas.csv").open())
        for row in rows:
            m, noise_std = int(row["m"]), float(row["noise_level"]) / math.sqrt(int(row["m"]))
            at = torch.tensor([m]), int(row["n"]), torch.tensor([noise_std]).double()
            assert default_alpha(row["basis"], *at).item() == pytest.approx(float(row["alpha"]))

    def test_the_table_is_what_the_tuning_found(self):
        folder = Path(__file__).parents[1] / "experiments" / "bora2017" / "results" / "tuning"
        tried = list(csv.DictReader((folder / "lasso.csv").open()))
        for row in csv.DictReader(resources.files(baselines).joinpath("alphas.csv").open()):
            errors = {
                float(t["alpha"]): float(t["mean_per_pixel_error"])
                for t in tried
                if all(t[key] == row[key] for key in ("basis", "m", "n", "noise_level"))
                and float(t["converged"]) >= 0.95
            }
            assert errors[float(row["alpha"])] <= 1.002 * min(errors.values())

    def test_each_signal_has_its_own_count_and_noise(self):
        m, noise = torch.tensor([10, 200, 700]), torch.tensor([0.5, 0.0, 0.01])
        together = default_alpha("dct", m, 784, noise)
        alone = [default_alpha("dct", m[i : i + 1], 784, noise[i : i + 1]) for i in range(3)]
        assert torch.equal(together, torch.cat(alone))

    def test_noise_comes_from_the_argument_else_from_the_physics(self):
        x = images(2, (1, 8, 8))
        stating = gaussian(30, (1, 8, 8))
        stating.noise_model = nn.Module()
        stating.noise_model.register_buffer("sigma", torch.tensor([0.125, 0.125]))
        y = stating.A(x)
        stated = LassoDCT()(y, stating)
        assert torch.equal(stated, LassoDCT(noise_std=0.125)(y, gaussian(30, (1, 8, 8))))
        assert not torch.equal(stated, LassoDCT(noise_std=0)(y, stating))

    def test_noise_of_another_batch_is_refused(self):
        physics = gaussian(30, (1, 8, 8))
        physics.noise_model = nn.Module()
        physics.noise_model.sigma = torch.ones(3)
        with pytest.raises(ValueError, match=r"sigma has 3 entries for 2 signals; give noise_std"):
            LassoDCT()(physics.A(images(2, (1, 8, 8))), physics)

    def test_scale_of_a_dense_matrix_does_not_matter(self):
        x = images(2, (1, 8, 8))
        physics = gaussian(30, (1, 8, 8))
        paper = DensePhysics(physics.matrix * math.sqrt(30), (1, 8, 8))  # N(0, 1) entries
        small = LassoDCT(noise_std=0.02)(physics.A(x), physics)
        large = LassoDCT(noise_std=0.02 * math.sqrt(30))(paper.A(x), paper)
        torch.testing.assert_close(small, large, rtol=0, atol=1e-8)

    def test_masked_pixels_are_no_measurements_and_columns_are_measured(self):
        mask = torch.zeros(2, 1, 8, 8).double()
        mask[0, 0, :2], mask[1] = 3, 1
        m, scale = count_and_scale(MaskPhysics(mask), torch.zeros(2, 1, 8, 8).double())
        assert m.tolist() == [16, 64]
        assert scale[1] == 1
        assert scale[0] == pytest.approx(9 * 16 / 64, rel=math.sqrt(2 / 16))
        physics = gaussian(30, (1, 8, 8))
        m, scale = count_and_scale(physics, torch.zeros(2, 1, 8, 8).double())
        assert m.tolist() == [30, 30]
        assert scale.tolist() == pytest.approx([physics.matrix.square().sum().item() / 64] * 2)


class TestRefusals:
    def refuse(self, match, y=None, physics=None, lasso=None):
        physics = gaussian(30, (1, 8, 8)) if physics is None else physics
        y = torch.zeros(2, 30).double() if y is None else y
        with pytest.raises(ValueError, match=match) as caught:
            (lasso or LassoDCT(alpha=0.1))(y, physics)
        assert "\n" not in str(caught.value)

    def test_lists_of_measurements(self):
        self.refuse("y is a list where one tensor is needed", y=[torch.zeros(2, 30)])

    def test_integers(self):
        self.refuse("give floating-point measurements", y=torch.zeros(2, 30, dtype=torch.int64))

    def test_physics_without_adjoint(self):
        class Saturated(nn.Module):
            def A(self, x):
                return x.tanh()

        self.refuse("Saturated has no A_adjoint", physics=Saturated())

    def test_physics_that_is_not_linear(self):
        class Intensity(DensePhysics):
            def A(self, x):
                return super().A(x).square()

        matrix = gaussian(30, (1, 8, 8)).matrix
        self.refuse("Intensity is not linear", physics=Intensity(matrix, (1, 8, 8)))

    def test_measurements_of_another_size(self):
        self.refuse("y of shape .2, 31. does not fit", y=torch.zeros(2, 31).double())

    def test_wavelets_of_odd_images(self):
        physics = gaussian(30, (1, 7, 8))
        self.refuse("even height and width", physics=physics, lasso=LassoWavelet(alpha=0.1))

    @pytest.mark.parametrize(
        ("arguments", "match"),
        [
            ({"alpha": 0}, "alpha=0 must be positive"),
            ({"alpha": math.nan}, "alpha=nan must be positive"),
            ({"noise_std": -1}, "noise_std=-1 must be at least 0"),
            ({"tolerance": 0}, "tolerance=0 must be positive"),
            ({"max_steps": 0}, "max_steps=0 must be at least 1"),
        ],
    )
    @pytest.mark.parametrize("make", LASSOS)
    def test_settings(self, make, arguments, match):
        with pytest.raises(ValueError, match=match):
            make(**arguments)
