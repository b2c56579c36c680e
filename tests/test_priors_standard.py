"""Latents of any law: what goes by ||z||^2 for N(0, I) goes by the law's mean and covariance."""

from __future__ import annotations

import pickle

import pytest
import torch
from torch import nn

from ganprior import CSGM, GaussianLatent, Latent, Prior, UniformLatent
from ganprior.priors.latent import Moments
from ganprior.priors.standard import standardised
from ganprior.solvers import BALANCED, FAST, FromBank
from tests.cases import gaussian, rng, tiny_dcgan

K = 6
MEAN = torch.linspace(3, 5, K, dtype=torch.float64)
FACTOR = torch.diag(torch.linspace(0.2, 3, K, dtype=torch.float64))
FACTOR[3, 1] = -1.5


class W(Latent):
    """N(m, L L^T), which says its moments or not."""

    name = "w"

    def __init__(self, says: bool = True):
        super().__init__(K)
        self.says = says

    def sample(self, count, rng):
        return Moments(MEAN, FACTOR).apply(GaussianLatent(K).sample(count, rng))

    def penalty(self, z):
        return Moments(MEAN, FACTOR).remove(z).square().sum(-1) / 2

    def moments(self):
        return Moments(MEAN, FACTOR) if self.says else super().moments()


class OfW(nn.Module):
    def __init__(self, generator):
        super().__init__()
        self.generator = generator

    def forward(self, w):
        return self.generator(Moments(MEAN, FACTOR).remove(w))


def priors(says=True):
    return tiny_dcgan(), Prior.from_module(OfW(tiny_dcgan().generator), K, latent=W(says))


class TestMoments:
    def test_there_and_back(self):
        own, z = Moments(MEAN, FACTOR), torch.randn(2, 3, K, generator=rng(1))
        torch.testing.assert_close(own.remove(own.apply(z)), z, rtol=1e-4, atol=1e-4)
        torch.testing.assert_close(own.apply(z[0, 0]), own.apply(z)[0, 0])
        torch.testing.assert_close(own.remove(z[0, 0]), own.remove(z)[0, 0])

    def test_are_found_of_a_law_that_does_not_say_them(self):
        found = W(says=False).moments()
        assert found is not None
        torch.testing.assert_close(found.mean, MEAN, rtol=0, atol=0.1)
        covariance = found.factor @ found.factor.T
        torch.testing.assert_close(covariance, FACTOR @ FACTOR.T, rtol=0.1, atol=0.15)

    def test_a_law_in_a_subspace_has_a_factor(self):
        z = torch.randn(500, 2, generator=rng(1)) @ torch.randn(2, 5, generator=rng(2))
        assert Moments.of(z).factor.isfinite().all()
        assert Moments.of(torch.ones(10, 3)).factor.diagonal().min() > 0


@pytest.mark.parametrize("law", [GaussianLatent(K), UniformLatent(K)])
def test_standard_laws_are_searched_as_they_are(law):
    prior = Prior.from_module(tiny_dcgan().generator, K, latent=law)
    assert standardised(prior).prior is prior


class TestStandardised:
    def test_images_penalty_and_encoder_are_the_same(self):
        _, prior = priors()
        prior.encoder = nn.Sequential(nn.Flatten(), nn.Linear(64, K))
        own = standardised(prior)
        u = own.prior.latent.sample(4, 3)
        z = own.back(u)
        torch.testing.assert_close(z, prior.latent.sample(4, 3))
        torch.testing.assert_close(own.prior.render(u), prior.render(z), rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(own.prior.latent.penalty(u), u.square().sum(-1) / 2)
        x = prior.render(z)
        assert own.prior.encoder is not None
        torch.testing.assert_close(own.back(own.prior.encoder(x)), prior.encoder(x))
        assert isinstance(prior.latent, W)
        assert isinstance(prior.generator, OfW)

    @pytest.mark.parametrize("weight", [0.1, None])
    @pytest.mark.parametrize("effort", [BALANCED, FAST], ids=["balanced", "fast"])
    @pytest.mark.parametrize("m", [12, 30])
    def test_other_coordinates_give_the_same_images(self, tmp_path, monkeypatch, weight, effort, m):
        monkeypatch.setenv("GANPRIOR_CACHE", str(tmp_path))
        effort, physics = (
            effort.change(FromBank, entries=300),
            gaussian(m, (1, 8, 8), dtype=torch.float64),
        )
        z_prior, w_prior = priors()
        x = z_prior.sample(3, 8).double()
        y = physics.A(x) + 0.05 * torch.randn(3, m, generator=rng(0), dtype=torch.float64)
        own, other = (
            CSGM(prior, weight, noise_std=0.05, effort=effort).solve(y, physics)
            for prior in (z_prior, w_prior)
        )
        torch.testing.assert_close(other.x, own.x, rtol=0, atol=1e-3)
        torch.testing.assert_close(other.objective, own.objective, rtol=1e-3, atol=1e-6)
        torch.testing.assert_close(w_prior.render(other.z).double(), other.x, rtol=0, atol=1e-4)

    def test_starts_and_warm_starts_are_in_the_users_coordinates(self):
        _, prior = priors()
        physics = gaussian(30, (1, 8, 8))
        planted = prior.latent.sample(2, 4)
        y = physics.A(prior.render(planted))
        for given in ("starts", "warm"):
            options = {given: planted[None]}
            found = CSGM(prior, 0.0, effort=FAST, setup=None).solve(y, physics, **options)
            assert found.measurement_error.max() < 1e-6
            torch.testing.assert_close(found.z, planted, rtol=1e-2, atol=1e-2)

    def test_the_solver_is_pickled_after_it_solved(self):
        _, prior = priors()
        physics = gaussian(30, (1, 8, 8))
        own = CSGM(prior, 0.1, effort=FAST, setup=None, steps=2)
        own.solve(torch.zeros(1, 30), physics)
        assert pickle.loads(pickle.dumps(own)).prior.image_shape == (1, 8, 8)
