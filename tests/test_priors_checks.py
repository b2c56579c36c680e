"""Mistakes in what a prior or a physics is made of, told when it is made."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from ganprior import Gaussian, GaussianLatent, Prior, StructuredRows, UniformLatent
from tests.cases import LinearGenerator, tiny_dcgan

SHAPE = (1, 6, 6)


def generator(scale: float = 1.0) -> nn.Module:
    class Scaled(nn.Module):
        def forward(self, x):
            return scale * x

    return nn.Sequential(
        nn.Linear(5, 36), nn.BatchNorm1d(36), nn.Tanh(), nn.Unflatten(1, SHAPE), Scaled()
    )


def reader(count: int, pixels: int = 36) -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(pixels, count))


class NaN(nn.Module):
    def forward(self, z):
        return torch.full((len(z), *SHAPE), torch.nan)


class KeyErrors(nn.Module):
    def forward(self, z):
        raise KeyError("no\nsuch key")


@pytest.mark.parametrize(
    ("module", "latent_shape", "options", "match"),
    [
        (generator(), 6, {}, r"does not take latents of shape \(1, 6\).*give the latent_shape"),
        (generator(), (5, 1, 1), {}, r"does not take latents of shape \(1, 5, 1, 1\)"),
        (generator(), 0, {}, "latent shape must hold positive sizes, got 0"),
        (generator(), 5.0, {}, "latent shape must hold positive sizes, got 5.0"),
        (generator(), "5", {}, "latent shape must hold positive sizes, got '5'"),
        (generator(), (), {}, "latent shape must hold positive sizes"),
        (generator(), 5, {"latent": GaussianLatent(4)}, r"latent_shape is \(5,\), but the law"),
        (generator(), 5, {"latent": "normal"}, "must be 'gaussian' or 'uniform', got 'normal'"),
        (generator(), 5, {"latent": 3}, "latent must be"),
        (generator(), 5, {"classes": 10}, "does not take latents of shape .* and a label"),
        (generator(127.5), 5, {}, r"far outside of image_range \(-1, 1\)"),
        (generator(), 5, {"image_range": (1, -1)}, "with low < high, got"),
        (generator(), 5, {"image_range": (0, 1, 2)}, "with low < high, got"),
        (generator(), 5, {"image_range": 255}, "with low < high, got 255"),
        (generator(), 5, {"image_range": (0, float("inf"))}, "with low < high, got"),
        (generator(), 5, {"image_range": ("a", "b")}, "with low < high, got"),
        (generator(), 5, {"image_range": "01"}, "with low < high, got '01'"),
        (generator()[:3], 5, {}, r"to \(1, C, H, W\), got \(1, 36\)"),
        (generator(), 5, {"discriminator": reader(2)}, "discriminator must give 1 number"),
        (generator(), 5, {"discriminator": reader(1, 108)}, "discriminator does not take images"),
        (generator(), 5, {"encoder": reader(4)}, "encoder must give 5 number"),
        (generator(), 5, {"encoder": reader(5, 35)}, "encoder does not take images"),
        (generator(), 5, {"discriminator": "D"}, "discriminator must be a torch.nn.Module"),
        (NaN(), 5, {}, "they must be finite"),
        (KeyErrors(), 5, {}, "module does not take"),
        (torch.tanh, 5, {}, "module must be a torch.nn.Module, got builtin"),
        ("mnist", 5, {}, "module must be a torch.nn.Module, got str"),
    ],
)
def test_a_wrong_module_is_refused_in_one_line(module, latent_shape, options, match):
    with pytest.raises(ValueError, match=match) as caught:
        Prior.from_module(module, latent_shape, **options)
    assert "\n" not in str(caught.value)


def test_the_module_is_tried_on_a_copy():
    class Counting(nn.Module):
        calls: torch.Tensor

        def __init__(self):
            super().__init__()
            self.register_buffer("calls", torch.zeros(1))

        def forward(self, z):
            self.calls += 1
            return z[:, :, None, None].expand(-1, -1, 4, 4).tanh()

    module = nn.Sequential(Counting(), nn.BatchNorm2d(3)).train()
    before = copy.deepcopy(module.state_dict())
    prior = Prior.from_module(module, 3)
    assert prior.image_shape == (3, 4, 4)
    assert prior.generator is module
    assert module.training
    assert all(torch.equal(value, before[key]) for key, value in module.state_dict().items())


def test_what_fits_is_taken():
    size: Any = np.int64(5)
    prior = Prior.from_module(
        generator(127.5), size, image_range=(0, 255), discriminator=reader(1),
        encoder=reader(5),
    )  # fmt: skip
    assert prior.latent.shape == (5,)
    # A linear map may leave the range, as a sum of principal components does.
    assert Prior.from_module(LinearGenerator(5, SHAPE), 5, image_range=(0, 1)).image_shape == SHAPE


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"generator": torch.tanh}, "generator must be a torch.nn.Module"),
        ({"latent": "gaussian"}, "latent must be a law such as"),
        ({"image_shape": 784}, "image_shape must be .*, got 784"),
        ({"image_shape": (28, 28)}, r"image_shape must be .*, got \(28, 28\)"),
        ({"image_shape": (0, 8, 8)}, "each at least 1"),
        ({"image_range": (0, 0)}, "low < high"),
    ],
)
def test_a_prior_of_wrong_parts_is_refused_in_one_line(change, match):
    whole = tiny_dcgan()
    parts = {
        "generator": whole.generator,
        "latent": whole.latent,
        "image_shape": (1, 8, 8),
        "image_range": (-1, 1),
        **change,
    }
    with pytest.raises(ValueError, match=match) as caught:
        Prior(**parts)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("law", [GaussianLatent, UniformLatent])
@pytest.mark.parametrize("shape", [0, -1, 2.5, "20", None, (), (3, 0), (2.0,)])
def test_wrong_latent_shapes(law, shape):
    with pytest.raises(ValueError, match="latent shape must hold positive sizes"):
        law(shape)


@pytest.mark.parametrize("physics", [Gaussian, StructuredRows])
@pytest.mark.parametrize(
    ("m", "size", "match"),
    [
        (100, 784, "img_size must be .*, got 784"),
        (100, (28, 28), r"img_size must be .*, got \(28, 28\)"),
        (100, "28", "img_size must be .*, got '28'"),
        (100, None, "img_size must be .*, got None"),
        (100, (1, 28.5, 28), "img_size must be"),
        (10.5, SHAPE, "m must be a whole number between 1 and n=36.*got m=10.5"),
        ("10", SHAPE, "m must be a whole number between 1 and n=36.*got m='10'"),
        (0, SHAPE, "got m=0"),
        (37, SHAPE, "got m=37"),
    ],
)
def test_wrong_sizes_of_a_physics(physics, m, size, match):
    with pytest.raises(ValueError, match=match) as caught:
        physics(m, size)
    assert "\n" not in str(caught.value)
