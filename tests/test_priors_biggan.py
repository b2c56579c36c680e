"""BigGAN of the true architectures, with random weights: classes, truncation, batch norms."""

from __future__ import annotations

import math

import pytest
import torch
from scipy.stats import truncnorm
from torch import nn

from ganprior import CSGM
from ganprior.priors.adapters.biggan import biggan
from ganprior.priors.latent import TruncatedLatent, latent_from_description
from ganprior.solvers import LBFGS, Descend, Polish, Random
from tests.biggan_network import Generator
from tests.cases import gaussian, rng


def of_brock() -> nn.Module:
    with torch.random.fork_rng():
        torch.default_generator.manual_seed(3)
        network = Generator()
        with torch.no_grad():  # spectral norms settle, and batch norms have statistics
            for _ in range(20):
                network.train()(torch.randn(8, 6), network.shared(torch.arange(8) % 5))
    return network.eval()


def of_hugging_face() -> nn.Module:
    """The package's own modules, with statistics that differ from truncation to truncation."""
    package = pytest.importorskip("pytorch_pretrained_biggan", exc_type=ImportError)
    layers = [(True, 16, 8), (False, 8, 8), (True, 8, 4), (False, 4, 2), (False, 2, 1)]
    config = package.BigGANConfig(
        output_dim=16,
        z_dim=6,
        class_embed_dim=6,
        channel_width=8,
        num_classes=5,
        layers=layers,
        attention_layer_position=2,
    )
    with torch.random.fork_rng():
        torch.default_generator.manual_seed(4)
        network = package.BigGAN(config)
        for name, tensor in network.state_dict().items():
            if name.endswith("running_vars"):
                tensor.copy_(torch.rand_like(tensor) + 0.5)
            if name.endswith(("bn.weight", "gamma")):
                tensor.fill_(1.0)
            if name.endswith("bn.bias"):
                tensor.zero_()
        with torch.no_grad():  # spectral norms settle
            for _ in range(20):
                by_hugging_face(network.train(), torch.randn(2, 6), 0, 1.0)
    return network.eval()


def by_brock(network, z, label, psi):
    return network(z, network.shared(torch.full((len(z),), label)))


def by_hugging_face(network, z, label, psi):
    code = torch.zeros(len(z), 5)
    code[:, label] = 1
    return network(z, code, psi)


@pytest.mark.parametrize("psi", [None, 0.4])
@pytest.mark.parametrize(
    ("make", "call"), [(of_brock, by_brock), (of_hugging_face, by_hugging_face)]
)
class TestImages:
    def test_are_those_of_the_network(self, make, call, psi):
        network = make()
        before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
        one = biggan(network, 3, truncation=psi)
        z = one.latent.sample(4, rng(1))
        with torch.no_grad():
            wanted = call(network, z, 3, psi or 1.0) / 2 + 0.5
        assert wanted.std(0).max() > 0.01
        torch.testing.assert_close(one.render(z), wanted, rtol=0, atol=1e-5)
        every = biggan(network, truncation=psi)
        assert every.classes == 5
        torch.testing.assert_close(every.render(z, torch.full((4,), 3)), wanted, rtol=0, atol=1e-5)
        assert (every.given(0).render(z) - wanted).abs().max() > 1e-3
        after = network.state_dict()
        assert before.keys() == after.keys()
        assert all(torch.equal(after[name], tensor) for name, tensor in before.items())


@pytest.mark.parametrize("make", [of_brock, of_hugging_face])
def test_planted_images_are_recovered(make):
    prior = biggan(make(), 1, truncation=0.4)
    physics = gaussian(100, prior.image_shape)
    y = physics.A(prior.sample(2, 3))
    effort = (Random(3, tried=8), Descend(LBFGS(curvature=False), 25), Polish(8))
    found = CSGM(prior, 0.0, effort=effort).solve(y, physics)
    assert (found.measurement_error / y.square().sum(1)).max() < 1e-4


def test_psi_picks_the_statistics_of_batch_norms():
    network = of_hugging_face()
    z = 0.1 * torch.randn(2, 6, generator=rng(1))
    low, high = (biggan(network, 0, truncation=psi).render(z) for psi in (0.2, 1.0))
    assert (low - high).abs().max() > 1e-3


@pytest.mark.parametrize(
    ("make", "options", "match"),
    [
        (lambda: nn.Linear(2, 2), {}, "neither embeddings and generator nor shared, dim_z"),
        (of_brock, {"label": 5}, "label must be"),
        (of_brock, {"truncation": 1.5}, "truncation must be above 0 and at most 1"),
        (of_brock, {"truncation": 0.0}, "truncation must be above 0 and at most 1"),
    ],
)
def test_what_it_cannot_be_is_refused_in_one_line(make, options, match):
    with pytest.raises(ValueError, match=match) as caught:
        biggan(make(), **options)
    assert "\n" not in str(caught.value)


class TestTruncatedLaw:
    law = TruncatedLatent((2, 3), 0.4)

    def test_is_scipys(self):
        oracle = truncnorm(-2, 2, scale=0.4)
        z = self.law.sample(20_000, 1)
        assert z.abs().max() <= 0.8
        assert z.std() == pytest.approx(oracle.std(), rel=0.01)
        wanted = oracle.logpdf(z[:5].numpy()).sum((1, 2))
        torch.testing.assert_close(
            self.law.log_prob(z[:5].double()), torch.from_numpy(wanted), rtol=0, atol=1e-5
        )
        assert self.law.log_prob(torch.full((2, 3), 0.81)) == -math.inf
        moments = self.law.moments()
        torch.testing.assert_close(moments.factor, oracle.std() * torch.eye(6, dtype=torch.float64))

    def test_is_read_back_from_a_card(self):
        again = latent_from_description(self.law.describe())
        assert isinstance(again, TruncatedLatent)
        assert (again.shape, again.truncation) == ((2, 3), 0.4)
