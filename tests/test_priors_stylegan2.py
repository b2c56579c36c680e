"""StyleGAN2 of the true architecture, with random weights, in all of its spaces."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from ganprior import CSGM, Prior
from ganprior.priors.adapters.stylegan2 import stylegan2
from ganprior.solvers import LBFGS, Descend, Polish, Random
from tests.cases import gaussian, rng
from tests.stylegan2_network import Generator, OfNVlabs


@pytest.fixture(scope="module")
def network() -> Generator:
    return Generator().eval()


def images(network, w):
    """By the network's own call, in [0, 1]."""
    with torch.no_grad():
        return network([w], input_is_latent=True, randomize_noise=False)[0] / 2 + 0.5


@pytest.mark.parametrize("psi", [1.0, 0.7])
class TestSpaces:
    def test_z_and_w_and_w_plus_are_those_of_the_network(self, network, psi):
        z = torch.randn(3, 8, generator=rng(1))
        with torch.no_grad():
            w = network.style(z)
            mean = network.style(torch.randn(200_000, 8, generator=rng(2))).mean(0)
        moved = mean + psi * (w - mean)
        of_z = stylegan2(network, "z", truncation=psi)
        torch.testing.assert_close(of_z.render(z), images(network, moved), rtol=0, atol=0.05)
        of_w = stylegan2(network, "w", truncation=psi)
        torch.testing.assert_close(of_w.render(moved), images(network, moved))
        mixed = torch.stack([moved, moved.flip(0)], 1).repeat(1, 3, 1)
        of_both = stylegan2(network, "w+", truncation=psi)
        assert of_both.latent.shape == (6, 8)
        torch.testing.assert_close(of_both.render(mixed), images(network, mixed))

    @pytest.mark.parametrize("space", ["w", "w+"])
    def test_law_is_that_of_the_mapping(self, network, psi, space):
        law = stylegan2(network, space, truncation=psi).latent
        drawn = law.sample(20_000, rng(3)).reshape(-1, 8).double()
        moments = law.moments()
        torch.testing.assert_close(drawn.mean(0), moments.mean, rtol=0, atol=0.02)
        covariance = moments.factor @ moments.factor.T
        torch.testing.assert_close(drawn.T.cov(), covariance, rtol=0.1, atol=0.03)
        standard = moments.remove(law.sample(2000, rng(4)).flatten(1))
        assert standard.square().mean() == pytest.approx(1, abs=0.05)
        assert law.penalty(law.sample(3, rng(5))).shape == (3,)


def test_nvlabs_is_rosinalitys(network):
    mine, other = stylegan2(network, "w"), stylegan2(OfNVlabs().eval(), "w")
    w = mine.latent.sample(2, 1)
    torch.testing.assert_close(other.render(w), mine.render(w))
    torch.testing.assert_close(other.latent.sample(2, 1), w)


def test_each_class_has_its_w():
    network = OfNVlabs(c_dim=4).eval()
    first, second = (stylegan2(network, "z", label=label) for label in (0, 3))
    z = torch.randn(2, 8, generator=rng(1))
    assert (first.render(z) - second.render(z)).abs().max() > 0.01
    assert first.latent.sample(1, 0).shape == (1, 8)


def without_noise() -> OfNVlabs:
    network = OfNVlabs().eval()
    for name, tensor in dict(network.synthesis.network.noises.named_buffers()).items():
        delattr(network.synthesis.network.noises, name)
        setattr(network.synthesis.network.noises, name, tensor)
    return network


class TestSearchedNoise:
    @pytest.mark.parametrize("space", ["z", "w", "w+"])
    @pytest.mark.parametrize("make", [Generator, OfNVlabs])
    def test_image_is_that_of_the_latent_and_the_noise(self, make, space):
        network = make().eval()
        noisy = stylegan2(network, space, truncation=0.5, noise="optimised")
        fixed = stylegan2(network, space, truncation=0.5)
        own = getattr(network, "synthesis", network)
        maps = [t.flatten() for name, t in own.named_buffers() if "noise_" in name]
        z = fixed.latent.sample(2, 1)
        moments = fixed.latent.moments()
        u = z if moments is None else moments.remove(z.flatten(1))
        latents = torch.cat([u, torch.cat(maps).expand(2, -1)], 1)
        assert noisy.latent.size == latents.shape[1]
        # The checkpoint's own noise gives the checkpoint's own image.
        torch.testing.assert_close(noisy.render(latents), fixed.render(z), rtol=0, atol=1e-4)
        latents[1, u.shape[1] :] = 0
        change = (noisy.render(latents) - fixed.render(z)).abs().amax((1, 2, 3))
        assert change[0] < 1e-4 < 1e-3 < change[1]

    def test_law_is_standard_and_noise_takes_up_what_w_cannot(self, network):
        noisy = stylegan2(network, "w", noise="optimised")
        z = noisy.latent.sample(4000, 1)
        assert z.mean().abs() < 0.01
        assert z.std() == pytest.approx(1, abs=0.02)
        assert noisy.latent.moments() is None
        physics = gaussian(100, noisy.image_shape)
        y = physics.A(noisy.sample(1, 3))
        effort = (Random(2, tried=4), Descend(LBFGS(curvature=False), 40))
        errors = [
            CSGM(prior, 0.0, effort=effort).solve(y, physics).measurement_error.item()
            for prior in (noisy, stylegan2(network, "w"))
        ]
        assert errors[0] < 0.3 * errors[1]


@pytest.mark.parametrize(
    ("make", "options", "match"),
    [
        (Generator, {"space": "s"}, "space must be 'z', 'w' or 'w\\+', got 's'"),
        (Generator, {"truncation": 0}, "truncation must be above 0"),
        (Generator, {"noise": "none"}, "noise must be 'fixed' or 'optimised', got 'none'"),
        (without_noise, {"noise": "optimised"}, "needs a network that has noise maps"),
        (Generator, {"label": 0}, "the network has no classes, got label=0"),
        (lambda: OfNVlabs(4), {}, "label must be one of 0 ... 3, got None"),
        (lambda: OfNVlabs(4), {"label": 4}, "label must be one of 0 ... 3, got 4"),
        (OfNVlabs, {"label": 0}, "the network has no classes"),
        (lambda: nn.Linear(2, 2), {}, "neither mapping and synthesis nor style and n_latent"),
    ],
)
def test_what_it_cannot_be_is_refused_in_one_line(make, options, match):
    with pytest.raises(ValueError, match=match) as caught:
        stylegan2(make(), **options)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("space", ["z", "w", "w+"])
def test_planted_images_are_recovered(network, space):
    prior = stylegan2(network, space)
    physics = gaussian(400, prior.image_shape)
    x = prior.sample(2, 3)
    y = physics.A(x)
    effort = (Random(4, tried=10), Descend(LBFGS(curvature=False), 300), Polish(20))
    found = CSGM(prior, 0.0, effort=effort).solve(y, physics)
    share = found.measurement_error / y.square().sum(1)
    assert share.max() < 1e-3
    assert isinstance(prior, Prior)
    assert found.z is not None
    torch.testing.assert_close(prior.render(found.z), found.x, rtol=0, atol=1e-3)
