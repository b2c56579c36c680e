"""Terms of the evidence lower bound against torch's distributions and hand-computed values."""

import math

import pytest
import torch
from torch import Tensor
from torch.distributions import Normal, kl_divergence

from ganprior.training.objectives import vae
from tests.cases import rng


def moments(seed: int = 0, count: int = 5) -> tuple[Tensor, Tensor]:
    mean, log_variance = torch.randn(2, count, 3, generator=rng(seed), dtype=torch.float64)
    return mean, log_variance


def pictures(seed: int) -> Tensor:
    return torch.rand(5, 2, 3, 4, generator=rng(seed), dtype=torch.float64) * 1.9 - 0.95


def test_divergence_of_the_posterior():
    mean, log_variance = moments()
    posterior = Normal(mean, torch.exp(log_variance / 2))
    expected = kl_divergence(posterior, Normal(torch.zeros_like(mean), torch.ones_like(mean)))
    torch.testing.assert_close(vae.posterior_divergence(mean, log_variance), expected.sum(1))
    # The prior itself, and a shift of it by 3 in one of its entries.
    assert vae.posterior_divergence(torch.zeros(1, 4), torch.zeros(1, 4)).item() == 0
    shifted = torch.tensor([[3.0, 0.0]])
    assert vae.posterior_divergence(shifted, 0 * shifted).item() == pytest.approx(4.5)


def test_samples_of_the_posterior_have_its_moments_and_follow_the_stream():
    mean, log_variance = torch.tensor([[1.0, -2.0]]), torch.tensor([[0.0, 2.0]])
    many = vae.sample_posterior(mean.expand(40000, 2), log_variance.expand(40000, 2), rng(1))
    torch.testing.assert_close(many.mean(0), mean[0], rtol=0, atol=0.07)
    torch.testing.assert_close(many.var(0).log(), log_variance[0], rtol=0, atol=0.04)
    again = vae.sample_posterior(mean.expand(40000, 2), log_variance.expand(40000, 2), rng(1))
    assert torch.equal(many, again)


def test_samples_of_the_posterior_pass_gradients():
    mean, log_variance = (values.requires_grad_() for values in moments())
    assert torch.autograd.gradcheck(
        lambda a, b: vae.sample_posterior(a, b, rng(2)), (mean, log_variance)
    )


def test_reconstruction_is_a_likelihood_up_to_its_constant():
    reconstructed, x = pictures(0), pictures(1)
    expected = -Normal(reconstructed, 1.0).log_prob(x).flatten(1).sum(1)
    constant = x[0].numel() * math.log(2 * math.pi) / 2
    loss = vae.gaussian_reconstruction(reconstructed, x)
    torch.testing.assert_close(loss + constant, expected)


def test_the_bound_lies_below_the_evidence_and_touches_it():
    # x = z + N(0, .5^2) with one entry: p(x) = N(0, 1.25), p(z | x) = N(.8 x, .2).
    x = torch.tensor([[1.3]], dtype=torch.float64)
    evidence = Normal(0.0, math.sqrt(1.25)).log_prob(x).item()

    def bound(mean: float, variance: float) -> float:
        moments = torch.tensor([[mean]]).double(), torch.tensor([[math.log(variance)]]).double()
        # E_q ||x - z||^2 in closed form: the reconstruction at the mean, and the variance.
        squares = vae.gaussian_reconstruction(moments[0], x) + variance / 2
        reconstruction = squares / 0.5**2 + math.log(0.5) + math.log(2 * math.pi) / 2
        return -vae.negative_elbo(reconstruction, vae.posterior_divergence(*moments)).item()

    assert bound(0.8 * 1.3, 0.2) == pytest.approx(evidence, abs=1e-6)
    for mean, variance in [(1.3, 0.2), (0.8 * 1.3, 0.4), (0.0, 1.0)]:
        assert bound(mean, variance) < evidence - 1e-3


def test_negative_elbo_by_hand():
    reconstruction, divergence = torch.tensor([3.0, 5.0]), torch.tensor([1.0, 2.0])
    assert vae.negative_elbo(reconstruction, divergence).item() == pytest.approx(5.5)
    assert vae.negative_elbo(reconstruction, divergence, 4.0).item() == pytest.approx(10)
