"""The Lassos in the box and weighted by frequency, against SciPy and scikit-learn."""

from typing import Any

import pytest
import torch
from scipy.optimize import minimize
from sklearn.linear_model import Lasso as SklearnLasso

from ganprior.baselines import LassoDCT, LassoPixel, LassoWavelet
from ganprior.baselines.dct import DCT
from ganprior.baselines.frequency import frequencies
from ganprior.baselines.wavelet import WaveletTransform, orthogonal_wavelet
from ganprior.solution import Status
from tests.cases_baselines import MaskPhysics, gaussian, images

SHAPE = (1, 6, 6)
LASSOS: dict[str, tuple[Any, Any]] = {
    "dct": (lambda a, **k: LassoDCT(a, box=True, **k), DCT),
    "frequency": (lambda a, **k: LassoDCT(a, box=True, weights="frequency", **k), DCT),
    "wavelet": (
        lambda a, **k: LassoWavelet(alpha=a, box=True, **k),
        lambda x: WaveletTransform(x, orthogonal_wavelet("db1")),
    ),
    "pixel": (lambda a, **k: LassoPixel(a, box=True, **k), None),
}


def coefficients(name, x):
    basis = LASSOS[name][1]
    return x if basis is None else basis(x).analysis(x)


def weights(name, x):
    return frequencies(x) if name == "frequency" else torch.ones(1).double()


def least_in_the_box(objective, smooth):
    """Smallest value by SLSQP: |w| as the sum of parts p, q >= 0 with w = p - q."""
    x = torch.full((1, *SHAPE), 0.5).double()

    def value_and_slope(values):
        point = torch.from_numpy(values).reshape(x.shape).requires_grad_()
        value = objective(point, smooth)
        value.backward()
        return value.item(), point.grad.numpy().ravel()

    found = minimize(
        value_and_slope, x.numpy().ravel(), jac=True, method="L-BFGS-B",
        bounds=[(0, 1)] * x.numel(), options={"maxiter": 5000, "maxfun": 20000, "ftol": 1e-13},
    )  # fmt: skip
    return objective(torch.from_numpy(found.x).reshape(x.shape), 0.0).item()


@pytest.mark.parametrize("alpha", [0.2, 0.02])
@pytest.mark.parametrize("kind", ["dense", "mask"])
@pytest.mark.parametrize("name", LASSOS)
def test_objective_is_that_of_scipy(name, kind, alpha):
    generator = torch.Generator().manual_seed(0)
    mask = (torch.rand(1, *SHAPE, generator=generator) > 0.4).double()
    physics = gaussian(18, SHAPE) if kind == "dense" else MaskPhysics(mask)
    y = physics.A(1.4 * images(1, SHAPE, seed=2) - 0.2)  # the box is met at both ends

    def objective(x, smooth):
        w = coefficients(name, x)
        modulus = (w.square() + smooth**2).sqrt() if smooth else w.abs()
        return (y - physics.A(x)).square().sum() / 2 + alpha * (weights(name, x) * modulus).sum()

    solution = LASSOS[name][0](alpha, tolerance=1e-5, max_steps=50_000).solve(y, physics)
    best = min(least_in_the_box(objective, smooth) for smooth in (1e-4, 1e-5))
    assert solution.status == (Status.CONVERGED,)
    assert solution.objective.item() == pytest.approx(objective(solution.x, 0.0).item())
    assert solution.objective.item() == pytest.approx(best, rel=2e-3)
    assert solution.objective.item() <= best * (1 + 2e-5)


@pytest.mark.parametrize("hidden", [False, True])
@pytest.mark.parametrize("alpha", [0.1, 0.01])
def test_weights_by_frequency_are_those_of_scikit_learn(alpha, hidden):
    """By ADMM and by FISTA: columns divided by the weights, coefficients too."""
    shape, m = (1, 8, 8), 30
    physics, x = gaussian(m, shape, hidden=hidden), images(1, shape)
    y = physics.A(x)
    units = torch.eye(64).double().reshape(64, *shape)
    f = frequencies(x).flatten()
    dictionary = physics.A(DCT(units).synthesis(units)).T / f
    peer = SklearnLasso(alpha=alpha / m, fit_intercept=False, tol=1e-10, max_iter=200_000)
    v = torch.from_numpy(peer.fit(dictionary.numpy(), y[0].numpy()).coef_)
    best = (y[0] - dictionary @ v).square().sum() / 2 + alpha * v.abs().sum()
    solution = LassoDCT(alpha, weights="frequency").solve(y, physics)
    assert solution.objective.item() == pytest.approx(best.item(), rel=1e-4)
    w = DCT(x).analysis(solution.x).flatten()
    own = (y - physics.A(solution.x)).square().sum() / 2 + alpha * (f * w.abs()).sum()
    assert own.item() == pytest.approx(best.item(), rel=1e-4)


def test_starting_at_the_solution_ends_there_at_once():
    physics, x = gaussian(30, (1, 8, 8)), images(2, (1, 8, 8))
    y, lasso = physics.A(x), LassoDCT(0.02, weights="frequency")
    cold = lasso.solve(y, physics)
    assert (lasso.solve(y, physics, start=cold.x).steps == 0).all()
    boxed = LassoDCT(0.02, box=True)
    cold = boxed.solve(y, physics)
    warm = boxed.solve(y, physics, start=cold.x)
    torch.testing.assert_close(warm.objective, cold.objective, rtol=2e-4, atol=0)


def test_frequencies_rise_from_one_along_both_axes():
    f = frequencies(torch.zeros(1, 1, 4, 6).double())
    assert f.shape == (4, 6)
    assert f[0, 0] == 1
    assert f[3, 4] == 6
    assert (f.diff(dim=0) > 0).all()
    assert (f.diff(dim=1) > 0).all()


def test_other_weights_are_refused():
    with pytest.raises(ValueError, match="weights='energy' must be 'uniform' or 'frequency'"):
        LassoDCT(weights="energy")
