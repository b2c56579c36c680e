"""Invertible flows: their density is that of normflows and of an exact determinant."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.autograd.functional import jacobian

from ganprior import CSGM
from ganprior.priors.adapters.flow import flow
from ganprior.solvers import LBFGS, Descend, Polish, Random
from tests.cases import gaussian, rng

SHAPE = (1, 4, 4)


@pytest.fixture(scope="module")
def normflows():
    return pytest.importorskip("normflows")


def glow(normflows) -> nn.Module:
    """Kingma and Dhariwal's: two scales of two steps, as in the package's example."""
    levels, flows, bases, merges = 2, [], [], []
    for level in range(levels):
        channels = 2 ** (levels + 1 - level)
        blocks = [
            normflows.flows.GlowBlock(channels, 8, split_mode="channel", scale=True)
            for _ in range(2)
        ]
        flows.append([*blocks, normflows.flows.Squeeze()])
        if level:
            merges.append(normflows.flows.Merge())
        inner = channels // 2 if level else channels
        side = 4 // 2 ** (levels - level)
        bases.append(normflows.distributions.DiagGaussian((inner, side, side)))
    return normflows.MultiscaleFlow(bases, flows, merges)


def real_nvp(normflows) -> nn.Module:
    """Of vectors."""
    base = normflows.distributions.DiagGaussian(16)
    flows: list[nn.Module] = []
    for _ in range(3):
        net = normflows.nets.MLP([8, 16, 16], init_zeros=False)
        flows += [normflows.flows.AffineCouplingBlock(net), normflows.flows.Permute(16)]
    return normflows.NormalizingFlow(base, flows)


def prior_of(make, normflows):
    with torch.random.fork_rng():
        torch.default_generator.manual_seed(5)
        network = make(normflows)
        network.inverse_and_log_det(
            torch.rand(8, *SHAPE) if make is glow else torch.rand(8, 16)
        )  # sets activation norms
        for parameter in network.parameters():
            parameter.data += 0.05 * torch.randn_like(parameter)
    # In single precision: normflows keeps its sums of determinants in it.
    return network.eval(), flow(network.eval(), SHAPE)


@pytest.mark.parametrize("make", [glow, real_nvp])
class TestDensity:
    def test_is_that_of_an_exact_determinant(self, normflows, make):
        _, prior = prior_of(make, normflows)
        z = prior.latent.sample(3, 1)
        x = prior.generator(z)
        assert prior.latent.shape == (16,)
        assert prior.density is None
        torch.testing.assert_close(prior.encoder(x), z, rtol=0, atol=1e-4)
        J = torch.stack(
            [jacobian(lambda u: prior.generator(u[None]).flatten(), one) for one in z.detach()]
        )
        wanted = prior.latent.log_prob(z) - torch.linalg.slogdet(J)[1]
        torch.testing.assert_close(prior.generator.log_prob(x), wanted, rtol=0, atol=1e-3)
        normal = torch.distributions.Normal(0, 1).log_prob(z).sum(1)
        torch.testing.assert_close(prior.latent.log_prob(z), normal)

    def test_every_image_is_in_the_range(self, normflows, make):
        """From all pixels any image comes back, and not only the flow's own."""
        _, prior = prior_of(make, normflows)
        x = torch.rand(2, *SHAPE, generator=rng(1))
        torch.testing.assert_close(prior(prior.encoder(x)), x, rtol=0, atol=1e-4)
        physics = gaussian(16, SHAPE)
        y = physics.A(x)
        effort = (Random(1, tried=4), Descend(LBFGS(curvature=False), 30), Polish(10))
        found = CSGM(prior, 0.0, effort=effort).solve(y, physics)
        assert (found.measurement_error / y.square().sum(1)).max() < 1e-5


def test_a_flow_of_vectors_has_the_density_of_its_package(normflows):
    network, prior = prior_of(real_nvp, normflows)
    x = torch.rand(4, *SHAPE, generator=rng(2))
    torch.testing.assert_close(prior.generator.log_prob(x), network.log_prob(x.flatten(1)))


class TestRefused:
    def test_what_is_no_flow(self):
        with pytest.raises(ValueError, match="it has no q0 and flows"):
            flow(nn.Linear(2, 2), SHAPE)

    def test_another_base_or_shape(self, normflows):
        mixture = normflows.distributions.GaussianMixture(2, 16)
        with pytest.raises(ValueError, match="base must be a DiagGaussian, got GaussianMixture"):
            flow(normflows.NormalizingFlow(mixture, []), SHAPE)
        with pytest.raises(ValueError, match="bases have 16 numbers, an image 12"):
            flow(real_nvp(normflows), (3, 2, 2))
