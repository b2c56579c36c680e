"""What a prior is worth to a solver: likelihoods beside closed forms, and errors by solver."""

import pytest
import torch

from ganprior import CSGM, Gaussian, Streams, add_noise
from ganprior.evaluation.likelihood import log_likelihood
from ganprior.evaluation.solving import solving_figures
from ganprior.metrics import per_pixel_error
from ganprior.streams import derive_seed
from tests.cases import rng, tiny_dcgan
from tests.cases_density import as_mixture, dense_dcgan, linear_density


def test_likelihood_under_a_linear_generator_is_that_of_the_gaussian_mixture():
    """The proposal is then the posterior itself: every draw has the same weight."""
    prior = linear_density()
    images = torch.rand(4, *prior.image_shape, generator=rng(1))
    expected = as_mixture(prior).log_density(images)
    found = log_likelihood(prior, images, draws=3)
    # Images are float32, and their distance in standard deviations is large.
    torch.testing.assert_close(found, expected, rtol=2e-5, atol=0)


def test_likelihood_is_a_bound_that_rises_with_the_draws():
    prior = dense_dcgan()
    images = (prior.sample(6, rng(2)) + 0.05 * torch.randn(6, 1, 8, 8, generator=rng(3))).clamp(
        0, 1
    )
    few, many = (
        torch.stack([log_likelihood(prior, images, draws=n, seed=s) for s in range(4)]).mean(0)
        for n in (1, 40)
    )
    assert many.mean() > few.mean()


def test_errors_are_those_of_the_solvers_and_likelihoods_need_a_density():
    prior, images = dense_dcgan(), torch.rand(3, 1, 8, 8, generator=rng(4))
    found = solving_figures(prior, images, measurements=(20, 65), seed=3)
    assert list(found["errors"]) == ["csgm", "map"]
    assert list(found["errors"]["csgm"]) == ["20"]  # of 64 values
    physics = Gaussian(20, prior.image_shape, derive_seed(3, "solving") % 2**32)
    noise_std = 0.1 / 20**0.5
    y = add_noise(physics.A(images), noise_std, Streams(3))
    x = CSGM(prior, noise_std=noise_std).solve(y, physics, rng=Streams(3)).x
    expected = float(per_pixel_error(x, images).mean())
    assert found["errors"]["csgm"]["20"] == pytest.approx(expected)
    assert found["log_likelihood"] == pytest.approx(
        float(log_likelihood(prior, images, seed=3).mean())
    )
    assert set(solving_figures(tiny_dcgan(), images, measurements=(20,))) == {"errors"}
