"""Every architecture: its shapes, and what its paper says of its layers."""

import math
from typing import Any

import pytest
import torch
from torch import nn

from ganprior.priors.architectures import (
    ARCHITECTURES,
    Architecture,
    Classifier,
    ContextEncoder,
    build_networks,
    initialise,
)
from ganprior.priors.architectures.dcgan_gated import Gate
from tests.cases import rng
from tests.cases_architectures import COMMON, tiny_architecture, tiny_networks

DCGANS = [name for name in COMMON if name.startswith("dcgan")]
POOLING = (nn.AvgPool2d, nn.MaxPool2d, nn.AdaptiveAvgPool2d, nn.AdaptiveMaxPool2d, nn.Upsample)


def children(network: nn.Module) -> list[Any]:
    return list(network.children())


def kinds(network: nn.Module) -> list[type]:
    return [type(module) for module in network.modules()]


def convolutions(network: nn.Module) -> list[nn.Conv2d | nn.ConvTranspose2d]:
    return [m for m in network.modules() if isinstance(m, nn.Conv2d | nn.ConvTranspose2d)]


@pytest.mark.parametrize("size", [28, 32, 64, 128])
@pytest.mark.parametrize("name", ARCHITECTURES)
def test_shapes(name, size):
    architecture = tiny_architecture(
        name, size=size, channels=3, filters=1, discriminator_filters=1, encoder=True
    )
    generator, discriminator, encoder = tiny_networks(architecture)
    images = generator(torch.randn(2, 5, generator=rng()))
    assert images.shape == (2, 3, size, size)
    assert name not in COMMON or images.abs().max() <= 1
    assert discriminator(images).shape == (2,)
    assert encoder is not None
    mean, log_variance = encoder.moments(images)
    assert mean.shape == log_variance.shape == (2, 5)
    assert torch.equal(encoder(images), mean)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_both_players_are_differentiable_and_write_to_no_input(name):
    # One image at a time has no gradient past a batch norm over a 1 x 1 grid; three have.
    networks = build_networks(tiny_architecture(name))
    for network in networks[:2]:
        initialise(network, rng(), 0.2)
    z = torch.randn(3, 5, generator=rng(), requires_grad=True)
    images = networks.generator(z)
    before = images.detach().clone()
    networks.discriminator(images).sum().backward()
    assert torch.equal(images, before)
    assert z.grad.abs().sum() > 0
    for network in networks[:2]:
        trained = [(n, p) for n, p in network.named_parameters() if p.requires_grad]
        assert [n for n, p in trained if p.grad is None] == []


@pytest.mark.parametrize("name", DCGANS)
def test_dcgan_guidelines(name):
    generator, discriminator, _ = build_networks(tiny_architecture(name, size=64))
    for network in (generator, discriminator):
        assert not set(kinds(network)) & {*POOLING, nn.Linear}
        first, *middle, last = convolutions(network)
        # Every convolution that changes the grid is strided, but the one at the latent's end.
        ends = [first] if network is generator else [last]
        assert all(c.stride == (2, 2) for c in (first, *middle, last) if c not in ends)
    assert type(generator[-1]) is nn.Tanh


def test_dcgan_has_batch_norm_and_its_activations():
    generator, discriminator, _ = build_networks(tiny_architecture(size=64))
    hidden = len(convolutions(generator)) - 1
    assert kinds(generator).count(nn.BatchNorm2d) == kinds(generator).count(nn.ReLU) == hidden == 4
    hidden = len(convolutions(discriminator)) - 1
    # None on the image itself and none at the output.
    assert kinds(discriminator).count(nn.BatchNorm2d) == hidden - 1
    assert kinds(discriminator).count(nn.LeakyReLU) == hidden
    assert {m.negative_slope for m in discriminator.modules() if type(m) is nn.LeakyReLU} == {0.2}
    assert [c.out_channels for c in convolutions(generator)] == [32, 16, 8, 4, 1]
    bare = build_networks(tiny_architecture(size=64, discriminator_batch_norm=False))
    assert nn.BatchNorm2d not in kinds(bare.discriminator)
    assert nn.BatchNorm2d in kinds(bare.generator)


def test_dcgan_variants_change_one_thing_each():
    plain = build_networks(tiny_architecture("dcgan-plain", size=64))
    assert [c.out_channels for c in convolutions(plain.generator)] == [4, 4, 4, 4, 1]
    assert nn.BatchNorm2d not in kinds(plain.generator)
    assert nn.BatchNorm2d in kinds(plain.discriminator)

    bare = build_networks(tiny_architecture("dcgan-unnormalised", size=64))
    assert not any(nn.BatchNorm2d in kinds(network) for network in bare[:2])
    assert [c.out_channels for c in convolutions(bare.generator)] == [32, 16, 8, 4, 1]

    gated = build_networks(tiny_architecture("dcgan-gated", size=64))
    tanh = build_networks(tiny_architecture("dcgan-tanh", size=64))
    for network in (*gated[:2], *tanh[:2]):
        assert not {nn.ReLU, nn.LeakyReLU} & set(kinds(network))
    assert [kinds(network).count(Gate) for network in gated[:2]] == [4, 4]
    assert [kinds(network).count(nn.Tanh) for network in tanh[:2]] == [5, 4]


def test_gate_in_closed_form():
    x = torch.tensor([[0.3, -2.0, 1.1, 0.0]])
    expected = [math.tanh(0.3) / (1 + math.exp(-1.1)), math.tanh(-2.0) / 2]
    torch.testing.assert_close(Gate()(x), torch.tensor([expected]))


def test_mlp_is_four_hidden_layers_of_any_size():
    architecture = tiny_architecture("mlp", size=13, channels=2, filters=512)
    generator, discriminator, _ = tiny_networks(architecture)
    layers = [m for m in generator.modules() if isinstance(m, nn.Linear)]
    assert [m.out_features for m in layers] == [512] * 4 + [2 * 13**2]
    assert kinds(generator).count(nn.ReLU) == 4
    assert len([m for m in discriminator.modules() if isinstance(m, nn.Linear)]) == 5
    assert not convolutions(generator)
    assert discriminator(generator(torch.randn(3, 5, generator=rng()))).shape == (3,)


@pytest.mark.parametrize("size", [28, 64])
def test_resnet_101_has_101_layers(size):
    for network in build_networks(tiny_architecture("resnet-101", size=size))[:2]:
        layers = [
            name
            for name, module in network.named_modules()
            if isinstance(module, nn.Conv2d | nn.Linear) and "shortcut" not in name
        ]
        assert len(layers) == 101


def test_resnet_of_64_pixels_has_the_widths_of_the_paper():
    generator, discriminator, _ = build_networks(
        tiny_architecture("resnet", size=64, filters=1, discriminator_filters=1)
    )
    assert [b.branch[2].out_channels for b in children(generator)[2:6]] == [8, 4, 2, 1]
    blocks = [m for m in children(discriminator)[0] if hasattr(m, "branch")]
    assert [b.shortcut[-1].out_channels for b in blocks] == [2, 4, 8, 8]


def test_initial_weights():
    generator = build_networks(tiny_architecture(filters=64, latent_size=64)).generator
    initialise(generator, rng(3))
    for layer in convolutions(generator):
        assert layer.weight.std().item() == pytest.approx(0.02, rel=0.1)
    first = {name: tensor.clone() for name, tensor in generator.state_dict().items()}
    initialise(generator, rng(3))
    assert all(torch.equal(t, first[name]) for name, t in generator.state_dict().items())


def test_initial_weights_of_an_mlp():
    architecture = tiny_architecture(
        "mlp",
        filters=300,
        discriminator_filters=300,
        encoder=True,
        classes=3,
        conditioning="auxiliary",
    )
    for network in build_networks(architecture):
        assert network is not None
        initialise(network, rng())
        hidden = [m for m in network.modules() if isinstance(m, nn.Linear)][1]
        assert hidden.weight.var().item() == pytest.approx(2 / 300, rel=0.05)
        assert not hidden.bias.any()


def test_an_unknown_name_or_number_is_one_line():
    for changes, message in (
        ({"name": "dcgna"}, "unknown architecture 'dcgna'; did you mean 'dcgan'?"),
        ({"conditioning": "label"}, "did you mean 'labels'?"),
        ({"size": 30}, r"4 or 7 times a power of two \(28, 32, 64, 128\), got 30; .*'mlp'"),
        ({"filters": 0}, "filters must be at least 1, got 0"),
        ({"classes": 1}, "classes must be 0 .* or at least 2, got 1"),
        ({"classes": 3, "label": 3}, r"label must be one of 0 \.\.\. 2, got 3"),
        ({"label": 0}, "the prior is unconditional"),
        ({"generator_noise": -1.0}, "generator_noise must be at least 0"),
        ({"generator_dropout": 1.0}, r"generator_dropout must be in \[0, 1\), got 1.0"),
        ({"filter": 3}, "unknown entry of architecture 'filter'; did you mean 'filters'?"),
    ):
        with pytest.raises(ValueError, match=message.replace("?", r"\?")) as caught:
            tiny_architecture(**changes)
        assert "\n" not in str(caught.value)


def test_an_old_cards_architecture_takes_the_defaults():
    old = tiny_architecture().describe()
    for name in ("classes", "conditioning", "label", "encoder", "spectral_norm"):
        del old[name]
    assert Architecture.of(old) == tiny_architecture()


@pytest.mark.parametrize("size", [9, 28, 64])
def test_classifier(size):
    network = Classifier(3, size, 10, filters=2).eval()
    images = torch.randn(2, 3, size, size, generator=rng())
    assert network(images).shape == (2, 10)
    features = network.features(images)
    assert features.shape == (2, 128)
    torch.testing.assert_close(network.output(features), network(images))


@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 64, 64), (1, 33, 17), (2, 4, 5)])
def test_context_encoder(shape):
    network = ContextEncoder(shape, filters=4, bottleneck=32).eval()
    initialise(network, rng(1), 0.2)
    x = torch.rand(2, *shape, generator=rng()) * 2 - 1
    mask = torch.ones(1, 1, *shape[1:])
    mask[..., : shape[1] // 2, :] = 0
    images = network(x, mask)
    assert images.shape == x.shape
    assert images.abs().max() <= 1
    # What is missing is not looked at, not even a NaN.
    hidden = torch.where(mask > 0, x, torch.nan)
    assert torch.equal(network(hidden, mask), images)
    assert not torch.equal(network(x, torch.ones_like(mask)), images)
    # The bottleneck sees all: a corner that is known moves the opposite one.
    x = x.double().requires_grad_(True)
    network.double()(x, mask)[..., 0, 0].sum().backward()
    assert x.grad[..., -1, -1].any()


def test_context_encoder_refuses_tiny_images():
    with pytest.raises(ValueError, match="at least 4 x 4 pixels"):
        ContextEncoder((1, 3, 28))
