"""Latents on a sphere: any solver stays there, in W as in Z."""

from __future__ import annotations

import pytest
import torch

from ganprior import CSGM
from ganprior.priors import on_sphere, stylegan2
from ganprior.solvers import LBFGS, Descend, Polish, Random
from tests.cases import gaussian, rng, tiny_dcgan
from tests.stylegan2_network import Generator


def test_images_are_those_of_the_projected_latents():
    prior = tiny_dcgan()
    sphere = on_sphere(prior)
    u = torch.randn(3, 6, generator=rng(1))
    z = u / u.norm(dim=1, keepdim=True) * 6**0.5
    torch.testing.assert_close(sphere.render(u), prior.render(z))
    torch.testing.assert_close(sphere.render(7 * u), sphere.render(u))
    drawn = sphere.latent.sample(5, 0)
    torch.testing.assert_close(drawn.square().sum(1), torch.full((5,), 6.0))


@pytest.mark.parametrize("space", ["w", "w+"])
def test_in_w_the_sphere_is_that_of_the_law(space):
    prior = stylegan2(Generator().eval(), space)
    sphere = on_sphere(prior)
    u = sphere.latent.sample(2, 1)
    w = prior.latent.moments().apply(u.flatten(1)).reshape(2, *prior.latent.shape)
    torch.testing.assert_close(sphere.render(u), prior.render(w), rtol=0, atol=1e-4)


def test_planted_images_are_recovered():
    sphere = on_sphere(tiny_dcgan())
    physics = gaussian(60, sphere.image_shape)
    y = physics.A(sphere.sample(2, 3))
    effort = (Random(6, tried=20), Descend(LBFGS(curvature=False), 60), Polish(20))
    found = CSGM(sphere, 0.0, effort=effort).solve(y, physics)
    assert (found.measurement_error / y.square().sum(1)).max() < 1e-6
