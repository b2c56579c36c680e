"""Transposed convolutions to few channels, as the engine computes them, against torch's own."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from ganprior.solvers.engine.folding import folded_copy
from ganprior.solvers.engine.subpixel import SubpixelTransposed, doubles_to_few
from tests.cases import rng

# Largest difference relative to the largest entry.
ROUNDING = {torch.float32: 1e-6, torch.float64: 1e-13}


def layer(channels: int, outputs: int, dtype: torch.dtype = torch.float64, *, bias: bool = True):
    made = nn.ConvTranspose2d(channels, outputs, 4, stride=2, padding=1, bias=bias, dtype=dtype)
    for tensor in made.parameters():
        tensor.detach().normal_(generator=rng(1))
    return made.requires_grad_(False)


def grids(*shape: int, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.randn(*shape, generator=rng(2), dtype=dtype)


def assert_equal(found: Tensor, expected: Tensor) -> None:
    assert found.shape == expected.shape
    assert found.dtype == expected.dtype
    difference = (found - expected).abs().max() / expected.abs().max()
    assert difference <= ROUNDING[expected.dtype]


@pytest.mark.parametrize("dtype", ROUNDING)
@pytest.mark.parametrize("memory", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize(
    ("channels", "outputs", "height", "width", "bias"),
    [(64, 1, 14, 14, True), (16, 3, 32, 32, True), (5, 2, 1, 3, False), (3, 4, 6, 2, True)],
)
def test_value_and_gradient(dtype, memory, channels, outputs, height, width, bias):
    torchs = layer(channels, outputs, dtype, bias=bias)
    ours = SubpixelTransposed(torchs).to(memory_format=memory)
    x = grids(3, channels, height, width, dtype=dtype).to(memory_format=memory)
    x.requires_grad_(True)
    expected, found = torchs(x), ours(x)
    assert_equal(found, expected)
    gradient = torch.randn(expected.shape, generator=rng(3), dtype=dtype)
    (wanted,) = torch.autograd.grad(expected, x, gradient)
    (got,) = torch.autograd.grad(found, x, gradient)
    assert_equal(got, wanted)


@pytest.mark.parametrize("dtype", ROUNDING)
def test_a_batch_of_tangents(dtype):
    torchs = layer(6, 3, dtype)
    x, tangents = grids(2, 6, 4, 4, dtype=dtype), grids(5, 2, 6, 4, 4, dtype=dtype)

    def pushed(network: nn.Module) -> Tensor:
        return torch.vmap(lambda tangent: torch.func.jvp(network, (x,), (tangent,))[1])(tangents)

    assert_equal(pushed(SubpixelTransposed(torchs)), pushed(torchs))


def test_gradients_of_a_batch_under_vmap():
    torchs = layer(6, 1)
    x = grids(3, 2, 6, 4, 4)

    def slope(network: nn.Module) -> Tensor:
        return torch.vmap(torch.func.grad(lambda images: network(images).square().sum()))(x)

    assert_equal(slope(SubpixelTransposed(torchs)), slope(torchs))


def test_numeric_derivatives():
    ours, x = SubpixelTransposed(layer(3, 2)), grids(1, 3, 2, 3).requires_grad_(True)
    assert torch.autograd.gradcheck(ours, (x,), check_forward_ad=True)


def test_a_gradient_can_be_differentiated():
    ours, x = SubpixelTransposed(layer(3, 1)), grids(1, 3, 2, 2).requires_grad_(True)
    assert torch.autograd.gradgradcheck(lambda z: ours(z).square(), (x,))


@pytest.mark.parametrize(
    "other",
    [
        nn.ConvTranspose2d(8, 5, 4, stride=2, padding=1),
        nn.ConvTranspose2d(8, 2, 4, stride=2, padding=1, groups=2),
        nn.ConvTranspose2d(8, 1, 4, stride=2, padding=1, output_padding=1),
        nn.ConvTranspose2d(8, 1, 4, stride=2, padding=0),
        nn.ConvTranspose2d(8, 1, 4, stride=1, padding=1),
        nn.ConvTranspose2d(8, 1, 3, stride=2, padding=1),
        nn.Conv2d(8, 1, 4, stride=2, padding=1),
        type("Changed", (nn.ConvTranspose2d,), {})(8, 1, 4, stride=2, padding=1),
    ],
)
def test_other_layers_are_left_alone(other):
    assert doubles_to_few(nn.ConvTranspose2d(8, 1, 4, stride=2, padding=1))
    assert not doubles_to_few(other)


def test_folding_replaces_the_last_layer_and_no_other_one():
    hooked = layer(2, 1)
    hooked.register_forward_hook(lambda module, inputs, output: 2 * output)
    network = nn.Sequential(layer(6, 8), nn.BatchNorm2d(8).double(), layer(8, 2), hooked).eval()
    kinds = [type(module) for module in folded_copy(network, grids(0)).children()]
    assert kinds == [nn.ConvTranspose2d, nn.Identity, SubpixelTransposed, nn.ConvTranspose2d]
    x = grids(2, 6, 3, 3)
    assert_equal(folded_copy(network, grids(0))(x), network(x))
    assert type(network[2]) is nn.ConvTranspose2d
