"""Fast convolutions give what torch's give, with all their derivatives."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from ganprior.training import Recipe, Trainer
from ganprior.training.fast_convolution import (
    FastConv2d,
    FastConvTranspose2d,
    use_fast_convolutions,
)
from tests.cases import rng
from tests.cases_training import tiny_images, tiny_recipe

STRIDED: dict[str, Any] = {"kernel_size": 4, "stride": 2, "padding": 1}


def pair(kind: type[nn.Module], bias: bool = True) -> tuple[nn.Module, nn.Module]:
    """An ordinary layer of 3 to 5 channels in float64, and a fast one of the same weights."""
    plain = nn.Sequential(kind(3, 5, bias=bias, **STRIDED)).double()
    fast = nn.Sequential(kind(3, 5, bias=bias, **STRIDED)).double()
    fast.load_state_dict(plain.state_dict())
    use_fast_convolutions(fast, channels=3)
    assert type(fast[0]) in (FastConv2d, FastConvTranspose2d)
    return plain, fast


def images(kind: type[nn.Module], outputs: int) -> torch.Tensor:
    side = 2 * outputs if kind is nn.Conv2d else outputs
    x = torch.randn(2, 3, side, side, generator=rng(0), dtype=torch.float64)
    return x.requires_grad_(True)


@pytest.mark.parametrize("kind", [nn.Conv2d, nn.ConvTranspose2d])
@pytest.mark.parametrize("outputs", [4, 8, 6])
def test_images_and_gradients_are_those_of_torch(kind, outputs):
    found = []
    for layer in pair(kind):
        x = images(kind, outputs)
        y = layer(x)
        gradients = torch.autograd.grad((y**2).sum(), [x, *layer.parameters()], create_graph=True)
        # As a gradient penalty does.
        second = torch.autograd.grad((gradients[0] ** 2).sum(), layer[0].weight)
        found.append([y, *gradients, *second])
    for plain, fast in zip(*found, strict=True):
        torch.testing.assert_close(fast, plain, rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("kind", [nn.Conv2d, nn.ConvTranspose2d])
def test_rounding_in_float32(kind):
    plain, fast = pair(kind, bias=False)
    x = images(kind, 8).detach()
    error = fast.float()(x.float()) - plain(x)
    assert error.abs().max() < 3e-6 * plain(x).abs().max()


@pytest.mark.parametrize("kind", [nn.Conv2d, nn.ConvTranspose2d])
def test_under_autocast_it_is_torchs(kind):
    plain, fast = pair(kind)
    x = images(kind, 8).detach().float()
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(fast.float()(x), plain.float()(x))


def test_parameters_and_their_names_stay():
    network = nn.Sequential(nn.Conv2d(4, 4, **STRIDED), nn.Sequential(nn.Conv2d(4, 4, 3)))
    before = dict(network.named_parameters())
    use_fast_convolutions(network, channels=4)
    after = dict(network.named_parameters())
    assert list(before) == list(after)
    assert all(before[name] is after[name] for name in before)
    assert [type(network[0]), type(network[1][0])] == [FastConv2d, nn.Conv2d]


def test_narrow_layers_stay():
    network = nn.Sequential(nn.Conv2d(3, 8, **STRIDED), nn.ConvTranspose2d(8, 3, **STRIDED))
    use_fast_convolutions(network, channels=4)
    assert [type(layer) for layer in network] == [nn.Conv2d, nn.ConvTranspose2d]


def wide_recipe(**changes: object) -> Recipe:
    sizes: dict[str, Any] = {
        "size": 32,
        "filters": 64,
        "discriminator_filters": 64,
        "batch_size": 2,
    }
    return tiny_recipe(**{**sizes, **changes})


def test_a_run_has_them_where_they_pay_and_its_average_does_not():
    recipe = wide_recipe()
    trainer = Trainer(recipe, tiny_images(size=32), torch.device("cpu"))
    kinds = {type(layer) for layer in trainer.networks["generator"].modules()}
    assert FastConvTranspose2d in kinds
    assert FastConv2d in {type(layer) for layer in trainer.networks["discriminator"].modules()}
    assert FastConvTranspose2d not in {type(layer) for layer in trainer.average.modules()}


def test_a_step_is_that_of_ordinary_convolutions(monkeypatch):
    steps = []
    for channels in (128, 10**6):
        monkeypatch.setattr("ganprior.training.fast_convolution.CHANNELS", channels)
        trainer = Trainer(wide_recipe(), tiny_images(size=32), torch.device("cpu"))
        steps.append(trainer.train_step())
    for fast, plain in zip(*steps, strict=True):
        torch.testing.assert_close(fast, plain, rtol=1e-4, atol=1e-6)


def test_reduced_precision_keeps_ordinary_ones():
    recipe = wide_recipe(precision="bfloat16")
    trainer = Trainer(recipe, tiny_images(size=32), torch.device("cpu"))
    assert FastConv2d not in {type(layer) for layer in trainer.networks["discriminator"].modules()}
