"""The decoder of a diffusers AutoencoderKL of random weights."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from ganprior import CSGM, GaussianLatent
from ganprior.priors.adapters.autoencoder_kl import autoencoder_kl
from ganprior.solvers import LBFGS, Descend, Random
from tests.cases import gaussian, rng


@pytest.fixture(scope="module")
def network():
    """Three resolutions, one step each; latents of 2 channels."""
    diffusers = pytest.importorskip("diffusers")
    with torch.random.fork_rng():
        torch.default_generator.manual_seed(0)
        return diffusers.AutoencoderKL(
            block_out_channels=(8, 8, 8),
            down_block_types=("DownEncoderBlock2D",) * 3,
            up_block_types=("UpDecoderBlock2D",) * 3,
            latent_channels=2,
            norm_num_groups=4,
            scaling_factor=0.5,
            shift_factor=0.25,
        ).eval()


def test_images_and_latents_are_those_of_the_network(network):
    prior = autoencoder_kl(network, (16, 8))
    assert prior.image_shape == (3, 16, 8)
    z = prior.latent.sample(2, rng(1))
    assert z.shape == (2, 2, 4, 2)
    with torch.no_grad():
        wanted = network.decode(z / 0.5 + 0.25).sample
        torch.testing.assert_close(prior.render(z), wanted / 2 + 0.5)
        mean = network.encode(wanted).latent_dist.mean
        assert prior.encoder is not None
        torch.testing.assert_close(prior.encoder(wanted), (mean - 0.25) * 0.5)


def test_latents_may_have_another_law(network):
    law = GaussianLatent((2, 4, 4))
    assert autoencoder_kl(network, 16, latent=law).latent is law


def test_planted_images_are_recovered(network):
    prior = autoencoder_kl(network, 8)
    physics = gaussian(120, prior.image_shape)
    y = physics.A(prior.sample(1, 3))
    effort = (Random(2, tried=4), Descend(LBFGS(curvature=False), 80))
    found = CSGM(prior, 0.0, effort=effort).solve(y, physics)
    assert (found.measurement_error / y.square().sum(1)).max() < 1e-2


@pytest.mark.parametrize("size", [0, 10, (16, 6)])
def test_sizes_are_multiples(network, size):
    with pytest.raises(ValueError, match="size must be multiples of 4, got"):
        autoencoder_kl(network, size)


def test_what_is_none_is_refused():
    with pytest.raises(ValueError, match="AutoencoderKL of diffusers, got Linear"):
        autoencoder_kl(nn.Linear(2, 2), 8)
