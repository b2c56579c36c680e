"""Whitening with and without a matrix: the same law, and the same solutions."""

import deepinv
import pytest
import torch

from ganprior import MAP, Posterior
from ganprior.baselines import measured_rows
from ganprior.baselines.linear_map import LinearMap
from ganprior.evaluation.likelihood import log_likelihood
from ganprior.physics import inpainting
from ganprior.solvers.whitened import WhitenedMatrix
from ganprior.solvers.whitened_apart import WhitenedApart
from tests.cases import gaussian, rng
from tests.cases_density import SHAPE, as_mixture, linear_density, tiny_density

NOISE = 0.05
LAW = tiny_density(4).deviation
N = 36


def pixels_kept() -> torch.Tensor:
    """Rows of the identity, and among them some of zeros, as of hidden pixels."""
    kept = (torch.rand(N, generator=rng(2)) > 0.4).double()
    return torch.diag(kept)


def block_means() -> torch.Tensor:
    """Means over blocks of 2 x 2 pixels."""
    rows = torch.zeros(9, 6, 6, dtype=torch.float64)
    for i in range(9):
        row, column = 2 * (i // 3), 2 * (i % 3)
        rows[i, row : row + 2, column : column + 2] = 0.25
    return rows.flatten(1)


def holes(count: int) -> torch.Tensor:
    return (torch.rand(count, 1, 6, 6, generator=rng(8)) > 0.5).double()


@pytest.mark.parametrize("matrix", [pixels_kept(), block_means()], ids=["mask", "means"])
class TestRowsThatShareNoPixel:
    def pair(self, matrix):
        responds = matrix.norm(dim=1) > 0
        y = torch.randn(3, len(matrix), generator=rng(4), dtype=torch.float64) * responds
        with_matrix = WhitenedMatrix.of(LAW, matrix[responds], y[:, responds], NOISE)
        apart = WhitenedApart.of(LAW, LinearMap.from_matrix(matrix), y, NOISE)
        assert apart is not None
        return with_matrix, apart

    def test_what_is_left_is_white(self, matrix):
        _, apart = self.pair(matrix)
        kept = matrix[matrix.norm(dim=1) > 0]
        root = LAW.square_roots()[0].T @ LAW.basis
        covariance = kept @ (root.T @ root + LAW.diagonal.diag()) @ kept.T
        covariance += NOISE**2 * torch.eye(len(kept)).double()
        whitener = apart.whiten(torch.eye(len(kept)).double()).T
        torch.testing.assert_close(
            whitener @ covariance @ whitener.T, torch.eye(len(kept)).double(), rtol=0, atol=1e-10
        )

    def test_laws_and_estimates_are_those_of_the_matrix(self, matrix):
        with_matrix, apart = self.pair(matrix)
        torch.testing.assert_close(apart.log_scale, with_matrix.log_scale, rtol=0, atol=1e-9)
        # The two W differ by a rotation: lengths are the same.
        lengths = with_matrix.y.norm(dim=1)
        torch.testing.assert_close(apart.y.norm(dim=1), lengths, rtol=1e-9, atol=0)
        images = torch.rand(3, *SHAPE, generator=rng(6), dtype=torch.float64)
        got, expected = apart.deviations(images), with_matrix.deviations(images)
        torch.testing.assert_close(got, expected, rtol=0, atol=1e-10)
        seen = apart.physics(images).A(images)
        torch.testing.assert_close(seen, apart.measure(images.flatten(1)), rtol=0, atol=1e-12)

    def test_draws_have_the_covariance_of_the_posterior(self, matrix):
        with_matrix, apart = self.pair(matrix)
        images = torch.rand(1, *SHAPE, generator=rng(6), dtype=torch.float64)
        images = images.expand(20_000, -1, -1, -1)
        drawn = apart.select(slice(0, 1)).drawn_deviations(images, rng(7))
        mean = with_matrix.select(slice(0, 1)).deviations(images[:1])
        root = LAW.square_roots()[0].T @ LAW.basis
        expected = root.T @ root + LAW.diagonal.diag() - with_matrix.gains @ with_matrix.gains.T
        torch.testing.assert_close(drawn.mean(0, keepdim=True), mean, rtol=0, atol=5e-3)
        torch.testing.assert_close(drawn.T.cov(), expected, rtol=0, atol=4e-4)


def test_rows_that_share_pixels_have_no_such_whitening():
    y = torch.zeros(1, 5, dtype=torch.float64)
    matrix = torch.randn(5, N, generator=rng(1), dtype=torch.float64)
    assert WhitenedApart.of(LAW, LinearMap.from_matrix(matrix), y, NOISE) is None


class Whole:
    """Masks of three images that cannot be measured apart."""

    def __init__(self, masks: torch.Tensor) -> None:
        self.masks = list(masks)

    def A(self, x: torch.Tensor) -> torch.Tensor:
        return x * torch.stack(self.masks)

    A_adjoint = A


PHYSICS = {
    "one mask": lambda: inpainting(holes(1)[0], SHAPE),
    "a mask each": lambda: inpainting(holes(3), SHAPE),
    "masks that stay together": lambda: Whole(holes(3)),
    "deepinv's mask": lambda: deepinv.physics.Inpainting(SHAPE, mask=holes(1)[0]),
    "means over blocks": lambda: deepinv.physics.Downsampling(SHAPE, filter=None, factor=3),
}


@pytest.mark.parametrize("name", PHYSICS)
def test_solutions_need_no_matrix(name, monkeypatch):
    """Above the bound on rows, which is lowered here, everything comes out the same."""
    prior, physics = linear_density(), PHYSICS[name]()
    x = as_mixture(prior).sample(3, rng(3))
    y = physics.A(x)

    def solutions():
        return (
            MAP(prior, NOISE, steps=300).solve(y, physics),
            Posterior(prior, NOISE, draws=200).solve(y, physics),
        )

    modes, draws = solutions()
    monkeypatch.setattr(measured_rows, "MOST_ROWS", 2)
    other_modes, other_draws = solutions()
    torch.testing.assert_close(other_modes.x, modes.x, rtol=0, atol=1e-3)
    torch.testing.assert_close(other_modes.z, modes.z, rtol=0, atol=1e-2)
    torch.testing.assert_close(other_modes.objective, modes.objective, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(other_draws.objective, draws.objective, rtol=1e-3, atol=1e-3)
    # Of 200 draws, which differ.
    torch.testing.assert_close(other_draws.std, draws.std, rtol=0.35, atol=0.01)


def test_many_measurements_of_the_same_pixels_are_refused(monkeypatch):
    monkeypatch.setattr(measured_rows, "MOST_ROWS", 2)
    prior, physics = linear_density(), gaussian(5, SHAPE, dtype=torch.float64)
    with pytest.raises(ValueError, match=r"Dense has more measurements .* more than once"):
        MAP(prior, NOISE).solve(physics.A(torch.zeros(1, *SHAPE).double()), physics)


def test_the_likelihood_of_large_images_is_that_of_small_ones(monkeypatch):
    prior = linear_density()
    x = as_mixture(prior).sample(2, rng(3))
    expected = log_likelihood(prior, x, draws=50)
    monkeypatch.setattr(measured_rows, "MOST_ROWS", 2)
    torch.testing.assert_close(log_likelihood(prior, x, draws=50), expected, rtol=1e-3, atol=1e-2)
