"""Noise, dropout, spectral norm and encoder: what they do, and that they are saved."""

import copy

import pytest
import torch
from torch import nn

from ganprior import Prior
from ganprior.priors.architectures import ARCHITECTURES, build_networks, draw_from, initialise
from ganprior.priors.architectures.stochastic import Dropout, GaussianNoise
from tests.cases import rng
from tests.cases_architectures import COMMON, tiny_architecture, tiny_networks, tiny_prior

ENCODER = {"encoder": True, "generator_noise": 0.1, "generator_dropout": 0.2, "spectral_norm": True}


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_every_architecture_is_saved_and_loaded_with_all_options(name, tmp_path):
    prior = tiny_prior(name, **ENCODER)
    prior.save(tmp_path / "prior")
    again = Prior.load(tmp_path / "prior")
    assert again.card["architecture"] == prior.card["architecture"]
    images = prior.sample(6, rng())
    torch.testing.assert_close(again.sample(6, rng()), images, rtol=0, atol=0.05)
    x = prior.from_unit(images)
    for part in ("encoder", "discriminator"):
        got, expected = getattr(again, part)(x), getattr(prior, part)(x)
        torch.testing.assert_close(got, expected, rtol=0.05, atol=0.05)


def test_noise_in_closed_form():
    x = torch.full((200, 100), 3.0)
    noise = GaussianNoise(0.5)
    draw_from(noise, rng())
    drawn = noise(x)
    assert drawn.mean().item() == pytest.approx(3, abs=5 * 0.5 / x.numel() ** 0.5)
    assert drawn.std().item() == pytest.approx(0.5, rel=0.02)
    assert noise.eval()(x) is x


def test_dropout_in_closed_form():
    x = torch.full((200, 100), 3.0)
    for at_test in (False, True):
        dropout = Dropout(0.25, at_test=at_test)
        draw_from(dropout, rng())
        drawn = dropout(x)
        assert set(drawn.unique().tolist()) == {0.0, 4.0}
        assert (drawn == 0).float().mean().item() == pytest.approx(0.25, abs=0.02)
        assert ((dropout.eval()(x) == 0).any() == at_test).item()


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_noise_and_dropout_change_no_name_and_nothing_in_eval_mode(name):
    bare = tiny_networks(tiny_architecture(name)).generator
    noisy = build_networks(tiny_architecture(name, generator_noise=0.3, generator_dropout=0.1))
    noisy.generator.load_state_dict(bare.state_dict())
    z = torch.randn(3, 5, generator=rng())
    assert torch.equal(noisy.generator.eval()(z), bare(z))
    assert isinstance(copy.deepcopy(noisy.generator), type(bare))
    # The image itself stays as tanh gives it.
    images = noisy.generator.train()(z)
    assert not torch.equal(images, bare.train()(z))
    assert name not in COMMON or images.abs().max() <= 1
    hidden = [m for m in noisy.generator.modules() if isinstance(m, GaussianNoise)]
    assert len(hidden) > 1


def test_the_drawing_layers_draw_from_the_generator_they_are_given():
    generator = build_networks(tiny_architecture(generator_noise=0.3, generator_dropout=0.1))[0]
    z = torch.randn(3, 5, generator=rng())
    draws = []
    for _ in range(2):
        draw_from(generator, rng(8))
        draws.append(generator(z))
    assert torch.equal(*draws)
    # A copy goes its own way from the state that it was made in.
    other = copy.deepcopy(generator)
    expected = other(z)
    assert torch.equal(generator(z), expected)


def test_dropout_at_test_time_is_drawn_from_the_samples_generator():
    prior = tiny_prior(generator_dropout=0.5, dropout_at_test=True)
    first = prior.sample(4, rng(1))
    assert torch.equal(first, prior.sample(4, rng(1)))
    z = prior.latent.sample(4, rng(1))
    assert not torch.equal(prior.render(z), prior.render(z))
    off = tiny_prior(generator_dropout=0.5)
    assert torch.equal(off.render(z), off.render(z))


@pytest.mark.parametrize("name", ["dcgan", "mlp", "resnet"])
@pytest.mark.parametrize("classes", [0, 3])
def test_spectral_norm_makes_every_layer_of_norm_one(name, classes):
    architecture = tiny_architecture(
        name, spectral_norm=True, classes=classes, conditioning="auxiliary"
    )
    discriminators = [build_networks(architecture).discriminator for _ in range(2)]
    for network in discriminators:
        initialise(network, rng(2), 0.2)
    # torch's own draws are gone: the generator decides about every number.
    x = torch.rand(2, 1, 28, 28, generator=rng()) * 2 - 1
    assert torch.equal(*(network.eval()(x) for network in discriminators))
    layers = [m for m in discriminators[0].modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    for layer in layers:
        # Fifteen power iterations come within some per cent.
        norm = torch.linalg.matrix_norm(layer.weight.flatten(1), 2).item()
        assert norm == pytest.approx(1, abs=0.1)
    assert not any(
        "parametrizations" in key for key in build_networks(architecture)[0].state_dict()
    )


def test_spectral_norm_trains_through_two_passes():
    discriminator = build_networks(tiny_architecture(spectral_norm=True)).discriminator
    initialise(discriminator, rng())
    x = torch.rand(4, 1, 28, 28, generator=rng()) * 2 - 1
    (discriminator(x) - discriminator(-x)).sum().backward()
    assert all(p.grad is not None for p in discriminator.features.parameters())
