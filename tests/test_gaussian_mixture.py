"""The posterior of a Gaussian mixture against closed forms, SciPy and scikit-learn."""

import math

import numpy as np
import pytest
import torch
from scipy.stats import multivariate_normal
from sklearn.mixture import GaussianMixture as SklearnMixture

from ganprior.baselines import LMMSE, GaussianMixture, measured_rows
from ganprior.physics import downsampling
from ganprior.solution import Status
from tests.cases_baselines import (
    DensePhysics,
    FourierPhysics,
    MaskPhysics,
    covariances,
    gaussian,
    tiny_law,
)

SHAPE = (1, 8, 8)


def by_definition(law, A, y, noise_std):
    """Mean, standard deviation, log p(y) and weights, by dense matrices and their inverses."""
    logs, means, variances = [], [], []
    for w, mu, C in zip(law.weights, law.component_means(), covariances(law), strict=True):
        S = A @ C @ A.T + noise_std**2 * torch.eye(len(A)).double()
        gain = C @ A.T @ torch.linalg.inv(S)
        density = multivariate_normal(A @ mu, S, allow_singular=True).logpdf(y.numpy())
        logs.append(torch.as_tensor(density).reshape(len(y)) + w.log())
        means.append(mu + (y - A @ mu) @ gain.T)
        variances.append((C - gain @ A @ C).diagonal())
    joint = torch.stack(logs, 1)
    weights = joint.softmax(1)
    mean = torch.einsum("bk,kbn->bn", weights, torch.stack(means))
    spread = torch.stack([(m - mean).square() + v for m, v in zip(means, variances, strict=True)])
    std = torch.einsum("bk,kbn->bn", weights, spread).sqrt()
    return mean, std, joint.logsumexp(1), weights


def measured(physics, noise_std, count=4, seed=3):
    y = physics.A(tiny_law().sample(count, torch.Generator().manual_seed(seed)))
    noise = torch.randn(y.shape, generator=torch.Generator().manual_seed(9)).double()
    return y + noise_std * noise


def matrix_free(monkeypatch):
    monkeypatch.setattr(measured_rows, "MOST_ROWS", 3)


@pytest.mark.parametrize("noise_std", [0.01, 0.3])
@pytest.mark.parametrize("hidden", [False, True])
def test_posterior_is_that_of_dense_matrices(hidden, noise_std):
    physics, law = gaussian(20, SHAPE, hidden=hidden), tiny_law()
    y = measured(physics, noise_std)
    found = GaussianMixture(law, noise_std).posterior(y, physics)
    mean, std, evidence, weights = by_definition(law, physics._matrix, y, noise_std)
    torch.testing.assert_close(found.mean.flatten(1), mean, rtol=0, atol=1e-9)
    torch.testing.assert_close(found.std.flatten(1), std, rtol=0, atol=1e-9)
    torch.testing.assert_close(found.log_evidence, evidence, rtol=1e-8, atol=1e-8)
    torch.testing.assert_close(found.component_weights, weights, rtol=0, atol=1e-9)
    solution = GaussianMixture(law, noise_std).solve(y, physics)
    torch.testing.assert_close(solution.x, found.mean)
    torch.testing.assert_close(solution.objective, -found.log_evidence)
    torch.testing.assert_close(
        solution.measurement_error, (y - physics.A(found.mean)).square().sum(1)
    )


def test_evidence_of_the_image_itself_is_the_score_of_scikit_learn():
    rng = np.random.default_rng(0)
    rows = np.concatenate([rng.normal(c, 0.2, (200, 64)) for c in (0.2, 0.8)])
    peer = SklearnMixture(2, reg_covar=1e-4, random_state=0).fit(rows)
    covariance = torch.from_numpy(peer.covariances_)
    law = type(tiny_law())(
        image_shape=SHAPE,
        weights=torch.from_numpy(peer.weights_),
        centre=torch.zeros(64).double(),
        basis=torch.eye(64).double(),
        means=torch.from_numpy(peer.means_),
        factors=torch.linalg.cholesky(covariance - 1e-5 * torch.eye(64)),
        variances=torch.zeros(0).double(),
        diagonal=torch.full((64,), 1e-5).double(),
    )
    expected = torch.from_numpy(peer.score_samples(rows[::40]))
    x = torch.from_numpy(rows[::40]).reshape(-1, *SHAPE)
    physics = DensePhysics(torch.eye(64).double(), SHAPE)
    found = GaussianMixture(law, 0.0).posterior(x.flatten(1), physics)
    torch.testing.assert_close(found.log_evidence, expected, rtol=1e-8, atol=1e-6)
    torch.testing.assert_close(law.log_density(x), expected, rtol=1e-8, atol=1e-6)
    responsibilities = torch.from_numpy(peer.predict_proba(rows[::40]))
    torch.testing.assert_close(found.component_weights, responsibilities, rtol=0, atol=1e-8)
    torch.testing.assert_close(found.mean, x, rtol=0, atol=1e-6)


def test_one_mask_per_image_is_conditioned_on_its_own_pixels():
    law, noise_std = tiny_law(), 0.05
    generator = torch.Generator().manual_seed(1)
    mask = (torch.rand(4, 1, 8, 8, generator=generator) > 0.5).double()
    y = mask * law.sample(4, generator)
    found = GaussianMixture(law, noise_std).posterior(y, MaskPhysics(mask))
    for i in range(4):
        known = mask[i].flatten() == 1
        A = torch.eye(64).double()[known]
        expected = by_definition(law, A, y[i].flatten()[None, known], noise_std)
        torch.testing.assert_close(found.mean[i].flatten(), expected[0][0], rtol=0, atol=1e-9)
        torch.testing.assert_close(found.std[i].flatten(), expected[1][0], rtol=0, atol=1e-9)
        assert found.log_evidence[i].item() == pytest.approx(expected[2].item(), rel=1e-9)


def test_complex_measurements_equal_their_real_and_imaginary_parts():
    law, physics = tiny_law(), FourierPhysics([0, 1, 3])
    y = physics.A(law.sample(3, torch.Generator().manual_seed(0)))
    units = torch.eye(64).double().reshape(64, *SHAPE)
    A = torch.view_as_real(physics.A(units)).flatten(1).T
    kept = A.abs().amax(1) > 1e-12
    A, rows = A[kept], torch.view_as_real(y).flatten(1)[:, kept]
    mean, *_ = by_definition(law, A, rows, 0.1)
    found = GaussianMixture(law, 0.1)(y, physics)
    torch.testing.assert_close(found.flatten(1), mean, rtol=0, atol=1e-9)


@pytest.mark.parametrize("noise_std", [0.0, 0.05])
@pytest.mark.parametrize("kind", ["dense", "masks", "fourier", "downsampling"])
def test_matrix_free_gives_the_same(monkeypatch, kind, noise_std):
    law = tiny_law()
    generator = torch.Generator().manual_seed(2)
    mask = (torch.rand(4, 1, 8, 8, generator=generator) > 0.5).double()
    physics = {
        "dense": lambda: gaussian(20, SHAPE, hidden=True),
        "masks": lambda: MaskPhysics(mask),
        "fourier": lambda: FourierPhysics([0, 1, 3]),
        "downsampling": lambda: downsampling(SHAPE, 2).double(),
    }[kind]()
    y = physics.A(law.sample(4, torch.Generator().manual_seed(0)))
    dense = GaussianMixture(law, noise_std).solve(y, physics)
    matrix_free(monkeypatch)
    free = GaussianMixture(law, noise_std).solve(y, physics)
    assert free.status == (Status.CONVERGED,) * 4
    torch.testing.assert_close(free.x, dense.x, rtol=0, atol=1e-6)
    gap = free.objective - dense.objective
    torch.testing.assert_close(gap, gap[:1].expand(4), rtol=0, atol=1e-3)
    if kind in ("masks", "downsampling") and noise_std:  # where the determinant is known
        assert gap.abs().max() < 1e-6


def test_a_posterior_of_too_many_measurements_is_refused(monkeypatch):
    matrix_free(monkeypatch)
    physics = gaussian(20, SHAPE)
    with pytest.raises(ValueError, match=r"more measurements than a posterior .* take solve"):
        GaussianMixture(tiny_law()).posterior(torch.zeros(2, 20).double(), physics)


def test_rows_that_repeat_others_favour_no_component():
    """Without noise the spectrum of a real image repeats entries; the singular values do not."""
    law, physics = tiny_law(), FourierPhysics([0, 1, 3])
    y = physics.A(law.sample(4, torch.Generator().manual_seed(0)))
    units = torch.eye(64).double().reshape(64, *SHAPE)
    A = torch.view_as_real(physics.A(units)).flatten(1).T
    U, S, V = torch.linalg.svd(A, full_matrices=False)
    rank = int((S > 1e-9).sum())
    assert rank < len(A)
    rows = torch.view_as_real(y).flatten(1) @ U[:, :rank] / S[:rank]
    mean, _, _, weights = by_definition(law, V[:rank], rows, 0.0)
    found = GaussianMixture(law, 0.0).posterior(y, physics)
    torch.testing.assert_close(found.component_weights, weights, rtol=0, atol=1e-4)
    torch.testing.assert_close(found.mean.flatten(1), mean, rtol=0, atol=1e-5)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("m", [20, 64, 200])
def test_without_noise_the_measurements_are_met(dtype, m):
    """Also where the covariance of y has no full rank: repeated rows, more of them than pixels."""
    matrix = gaussian(m, SHAPE).matrix
    matrix[1] = matrix[0]
    physics = DensePhysics(matrix.to(dtype), SHAPE)
    x = tiny_law().sample(3, torch.Generator().manual_seed(0)).to(dtype)
    y = physics.A(x)
    solution = GaussianMixture(tiny_law(), 0.0).solve(y, physics)
    assert solution.status == (Status.CONVERGED,) * 3
    assert (solution.measurement_error < 1e-6 * y.square().sum(1)).all()
    if m > 64:
        torch.testing.assert_close(solution.x, x, rtol=0, atol=1e-3)


def test_lmmse_is_the_mixture_of_one_component():
    law, physics = tiny_law(), gaussian(20, SHAPE)
    y = measured(physics, 0.1)
    one = law.one_gaussian()
    assert len(one.weights) == 1
    linear = LMMSE(law, 0.1)
    torch.testing.assert_close(linear(y, physics), GaussianMixture(one, 0.1)(y, physics))
    # The formula, with mean and covariance of the mixture.
    mu, C = law.mean(), covariances(one)[0]
    A = physics.matrix
    gain = C @ A.T @ torch.linalg.inv(A @ C @ A.T + 0.01 * torch.eye(20).double())
    expected = mu + (y - A @ mu) @ gain.T
    torch.testing.assert_close(linear(y, physics).flatten(1), expected, rtol=0, atol=1e-9)
    # It is linear in y.
    both = linear(y[:1] + y[1:2] - y[2:3], physics)
    parts = linear(y[:3], physics)
    torch.testing.assert_close(both, parts[:1] + parts[1:2] - parts[2:3])


def test_mean_and_covariance_of_the_mixture():
    law = tiny_law()
    away = law.component_means() - law.mean()
    expected = torch.einsum("k,kij->ij", law.weights, covariances(law))
    expected += torch.einsum("k,ki,kj->ij", law.weights, away, away)
    torch.testing.assert_close(covariances(law.one_gaussian())[0], expected)
    torch.testing.assert_close(law.pixel_variances(), expected.diagonal())
    drawn = law.sample(40_000, torch.Generator().manual_seed(0)).flatten(1)
    assert (drawn.mean(0) - law.mean()).abs().max() < 0.02
    assert (drawn.T.cov() - expected).abs().max() < 0.02
    x = law.sample(5, torch.Generator().manual_seed(1))
    logs = [
        math.log(w) + multivariate_normal(mu, C).logpdf(x.flatten(1))
        for w, mu, C in zip(law.weights, law.component_means(), covariances(law), strict=True)
    ]
    torch.testing.assert_close(law.log_density(x), torch.from_numpy(np.logaddexp.reduce(logs)))


def test_the_posterior_mean_has_the_least_error_and_its_std_is_that_of_the_errors():
    """Of signals of the law: below LMMSE, and the variance is calibrated."""
    law, physics = tiny_law(), gaussian(12, SHAPE)
    x = law.sample(3000, torch.Generator().manual_seed(0))
    y = physics.A(x) + 0.05 * torch.randn(3000, 12, generator=torch.Generator().manual_seed(1))
    found = GaussianMixture(law, 0.05).posterior(y, physics)
    error = (found.mean - x).square()
    assert error.mean() < (LMMSE(law, 0.05)(y, physics) - x).square().mean()
    assert error.mean().item() == pytest.approx(found.std.square().mean().item(), rel=0.03)


def test_signals_with_noise_of_their_own():
    class Noise:
        sigma = torch.tensor([0.01, 0.3, 0.01])

    law, physics = tiny_law(), gaussian(20, SHAPE)
    y = measured(physics, 0.1, count=3)
    physics.noise_model = Noise()
    together = GaussianMixture(law)(y, physics)
    for i, sigma in enumerate([0.01, 0.3, 0.01]):
        alone = GaussianMixture(law, sigma)(y[i : i + 1], physics)
        torch.testing.assert_close(together[i : i + 1], alone, rtol=0, atol=1e-7)


def test_images_of_another_size_and_bad_settings_are_refused():
    with pytest.raises(ValueError, match=r"size \(1, 6, 6\) and this .* of size \(1, 8, 8\)"):
        GaussianMixture(tiny_law())(torch.zeros(2, 5).double(), gaussian(5, (1, 6, 6)))
    for bad in (-1, math.nan, math.inf):
        with pytest.raises(ValueError, match="noise_std must be a finite number of at least 0"):
            LMMSE(tiny_law(), bad)
    physics = gaussian(5, SHAPE)
    with pytest.raises(ValueError, match="y holds NaN or infinity"):
        GaussianMixture(tiny_law()).posterior(torch.full((2, 5), math.nan).double(), physics)
