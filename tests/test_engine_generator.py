"""Generators as other people write them: all give the engine the same numbers, or are refused."""

from __future__ import annotations

import copy
import warnings
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from ganprior import CSGM, Prior
from ganprior.priors.fixed_noise import FixedNoise
from ganprior.priors.modules import Exported
from ganprior.solvers import LBFGS, Descend, Polish, Random
from ganprior.solvers.csgm import CSGMObjective
from ganprior.solvers.engine import Problem
from tests.cases import gaussian, rng

K, SHAPE = 4, (1, 8, 8)
EFFORT = (Random(1), Descend(LBFGS(curvature=False), steps=4), Polish(2))
# What TorchScript says of itself.
pytestmark = [
    pytest.mark.filterwarnings("ignore:.*torch.jit:FutureWarning"),
    pytest.mark.filterwarnings("ignore:.*grad attribute of a Tensor:UserWarning"),
]


class Base(nn.Module):
    """A small generator with a batch norm, in eval mode."""

    def __init__(self):
        super().__init__()
        self.a = nn.Linear(K, 64)
        self.b = nn.ConvTranspose2d(4, 3, 4, 2, 1)
        self.n = nn.BatchNorm2d(3)
        self.c = nn.Conv2d(3, 1, 3, padding=1)
        for parameter in self.parameters():
            nn.init.normal_(parameter, 0, 0.3, generator=rng(parameter.dim()))
        self.eval()

    def hidden(self, z):
        h = F.leaky_relu(self.a(z), 0.2).view(-1, 4, 4, 4)
        return F.leaky_relu(self.n(self.b(h)), 0.2)

    def forward(self, z):
        return torch.tanh(self.c(self.hidden(z)))


class FiveAxes(Base):
    """The last kernel as StyleGAN2 keeps its kernels, (1, out, in, height, width)."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(self.c.weight.detach()[None].clone())

    def forward(self, z):
        return torch.tanh(F.conv2d(self.hidden(z), self.weight[0], self.c.bias, padding=1))


class Autocast(Base):
    def forward(self, z):
        with torch.autocast("cpu", dtype=torch.bfloat16):
            return super().forward(z)


def traced():
    return torch.jit.trace(Base(), torch.zeros(2, K))


def exported():
    batch = torch.export.Dim("batch", min=1)
    given = (torch.zeros(2, K),)
    return torch.export.export(Base(), given, dynamic_shapes=({0: batch},)).module()


def weight_norm_after_backward():
    network = Base()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        nn.utils.weight_norm(network.c)
    network(torch.zeros(1, K)).sum().backward()
    return network


WRITTEN = {
    "5-D weights": FiveAxes,
    "TorchScript": traced,
    "frozen TorchScript": lambda: torch.jit.freeze(traced()),
    "torch.export": exported,
    "bfloat16 weights": lambda: Base().bfloat16(),
    "float16 weights": lambda: Base().half(),
    "autocast": Autocast,
    "weight_norm": weight_norm_after_backward,
    "DataParallel": lambda: nn.DataParallel(Base()),
    "torch.compile": lambda: torch.compile(Base()),
}
HALF = {"bfloat16 weights", "float16 weights", "autocast"}


def measured(module, dtype):
    """Value and gradient of the objective, and the solution, of one prior."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # DataParallel, of machines without a GPU
        prior = Prior.from_module(module, K)
    physics = gaussian(20, SHAPE, dtype=dtype)
    y = physics.A(torch.rand(2, *SHAPE, generator=rng(2), dtype=dtype))
    z = torch.randn(2, 2, K, generator=rng(3), dtype=dtype)
    problem = Problem(prior, CSGMObjective(0.1), y, physics)
    solution = CSGM(prior, 0.1, effort=EFFORT).solve(y, physics)
    return *problem.value_and_gradient(z), solution


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("written", WRITTEN)
def test_a_generator_gives_the_same_however_it_is_written(written, dtype):
    *wanted, best = measured(Base(), dtype)
    *got, solution = measured(WRITTEN[written](), dtype)
    close = 0.1 if written in HALF else 1e-4
    for one, other in zip(got, wanted, strict=True):
        torch.testing.assert_close(one, other, rtol=close, atol=close)
    assert solution.x.dtype == dtype
    torch.testing.assert_close(solution.objective, best.objective, rtol=0.1, atol=0.1)


def test_exported_modules_have_modes_and_copies():
    prior = Prior.from_module(exported(), K).train().eval()
    assert isinstance(prior.generator, Exported)
    twin = copy.deepcopy(prior)
    z = torch.randn(3, K, generator=rng(1))
    torch.testing.assert_close(twin(z), Prior.from_module(Base(), K)(z))


def test_wrappers_are_taken_off():
    own = Base()
    assert Prior.from_module(nn.DataParallel(own), K).generator is own
    compiled: Any = torch.compile(own)
    assert Prior.from_module(compiled, K).generator is own


class Detached(Base):
    @torch.no_grad()
    def forward(self, z):
        return super().forward(z)


class Rounded(Base):
    def forward(self, z):
        return torch.round(super().forward(z) * 127) / 127


class BatchStatistics(Base):
    def __init__(self):
        super().__init__()
        self.n = nn.BatchNorm2d(3, track_running_stats=False)


class Lottery(Base):
    """Noise that torch does not draw."""

    def forward(self, z):
        noise = np.random.default_rng().standard_normal((1, 3, 8, 8))
        return torch.tanh(self.c(self.hidden(z) + torch.from_numpy(noise).to(z)))


@pytest.mark.parametrize(
    ("module", "match"),
    [
        (Detached, r"no gradient reaches z .* torch\.no_grad"),
        (Rounded, "no gradient reaches z .* rounds or quantises"),
        (BatchStatistics, "depends on its neighbours in a batch, by .* batch norm without running"),
        (Lottery, r"another image in each call, and not by torch\.randn"),
    ],
)
def test_a_generator_that_nothing_can_be_solved_with_is_refused_in_one_line(module, match):
    prior = Prior.from_module(module(), K)
    physics = gaussian(20, SHAPE, dtype=torch.float32)
    with pytest.raises(ValueError, match=match) as caught:
        CSGM(prior, 0.1, effort=EFFORT).solve(torch.zeros(1, 20), physics)
    assert "\n" not in str(caught.value)


def test_images_of_whole_numbers_are_refused():
    class Bytes(Base):
        def forward(self, z):
            return (super().forward(z) * 127 + 128).byte()

    with pytest.raises(ValueError, match="gives uint8 pixels; they must be floating-point"):
        Prior.from_module(Bytes(), K, image_range=(0, 255))


class Noisy(Base):
    """Noise as rosinality's and NVlabs' StyleGAN2 and diffusers draw it."""

    def forward(self, z):
        h = self.hidden(z)
        h = h + 0.3 * h.new_empty(len(h), 1, 8, 8).normal_()
        h = h + 0.3 * torch.randn([len(h), 1, 8, 8], dtype=h.dtype, device=h.device)
        return torch.tanh(self.c(h + 0.1 * torch.rand_like(h) + torch.randn(3, 1, 1).to(h)))


class TestNoise:
    def solve(self, prior):
        physics = gaussian(20, SHAPE, dtype=torch.float32)
        y = physics.A(torch.rand(2, *SHAPE, generator=rng(2)))
        return CSGM(prior, 0.1, effort=EFFORT).solve(y, physics)

    def test_is_said_and_held_fixed(self):
        prior = Prior.from_module(Noisy(), K)
        with pytest.warns(UserWarning, match="draws noise inside.*noise_seed=0"):
            first, second = self.solve(prior), self.solve(prior)
        assert torch.equal(first.x, second.x)

    def test_with_a_seed_the_prior_has_it_too(self, recwarn):
        prior = Prior.from_module(Noisy(), K, noise_seed=0)
        solution = self.solve(prior)
        assert not [w for w in recwarn if "noise" in str(w.message)]
        torch.testing.assert_close(prior.render(solution.z), solution.x)
        other = Prior.from_module(Noisy(), K, noise_seed=1)
        assert (other.render(solution.z) - solution.x).abs().max() > 0.05

    def test_is_that_of_every_image_in_any_batch_and_under_vmap(self):
        fixed = FixedNoise(Noisy(), 3)
        z = torch.randn(4, K, generator=rng(1))
        alone = torch.cat([fixed(one) for one in z.split(1)])
        torch.testing.assert_close(fixed(z), alone)
        with torch.no_grad():
            mapped = torch.vmap(lambda one: fixed(one[None])[0])(z)
        torch.testing.assert_close(mapped, alone)

    def test_leaves_torchs_own_generator_alone(self):
        fixed = FixedNoise(Noisy(), 3)
        state = torch.get_rng_state()
        fixed(torch.zeros(1, K))
        assert torch.equal(state, torch.get_rng_state())
