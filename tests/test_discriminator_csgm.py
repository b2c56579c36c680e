"""CSGM with a discriminator term: closed form, the batch, the user's discriminator, bad input."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import Tensor, nn

from ganprior.solution import Status
from ganprior.solvers import BALANCED, CSGM, DiscriminatorCSGM, Polish
from ganprior.streams import Streams
from tests.cases import gaussian, linear_prior, rng, tiny_dcgan

QUICK = BALANCED.replace(restarts=3, steps=25)
SHAPE = (1, 8, 8)


class LinearCritic(nn.Module):
    """D(x) = c . x."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.c = nn.Parameter(torch.randn(size, generator=rng(9), dtype=torch.float64))

    def forward(self, x: Tensor) -> Tensor:
        return x.flatten(1) @ self.c


def test_a_linear_generator_and_critic_give_the_closed_form():
    prior, weight, gamma = linear_prior(), 0.3, 0.7
    prior.discriminator = LinearCritic(36)
    prior.card["discriminator_output"] = "critic"
    physics = gaussian(12, prior.image_shape, dtype=torch.float64)
    y = physics.A(torch.rand(4, *prior.image_shape, generator=rng(), dtype=torch.float64))
    W = prior.generator.weight.detach()
    design = physics.matrix @ W
    normal = design.T @ design + weight * torch.eye(5, dtype=torch.float64)
    # gamma is for columns of unit norm.
    gamma_of_A = gamma * physics.matrix.square().sum() / 36
    right = y @ design + gamma_of_A / 2 * (W.T @ prior.discriminator.c.detach())
    exact = BALANCED.change(Polish, tolerance=1e-14, steps=200)
    solution = DiscriminatorCSGM(prior, gamma, weight, effort=exact).solve(y, physics)
    closed_form = torch.linalg.solve(normal, right.T).T
    torch.testing.assert_close(solution.z, closed_form, rtol=1e-6, atol=1e-6)


def test_a_larger_weight_makes_images_look_more_real_to_the_discriminator():
    prior = tiny_dcgan()
    discriminator = prior.discriminator
    assert discriminator is not None
    physics = gaussian(20, SHAPE)
    y = physics.A(torch.rand(4, *SHAPE, generator=rng()))
    scores = []
    for solver in (CSGM(prior, 0.0), DiscriminatorCSGM(prior, 3.0, 0.0)):
        x = solver.solve(y, physics).x
        with torch.no_grad():
            scores.append(discriminator(prior.from_unit(x)).mean().item())
    assert scores[1] > scores[0]


def test_one_signal_alone_equals_the_same_in_a_batch():
    prior = copy.deepcopy(tiny_dcgan()).double()
    physics = gaussian(20, SHAPE, dtype=torch.float64)
    y = physics.A(torch.rand(3, *SHAPE, generator=rng(), dtype=torch.float64))
    solver = DiscriminatorCSGM(prior, 0.1, 0.01, effort=QUICK)
    whole = solver.solve(y, physics)
    alone = solver.solve(y[1:2], physics, rng=Streams(0, [1]))
    torch.testing.assert_close(alone.x[0], whole.x[1], rtol=0, atol=1e-10)
    y[1, 0] = torch.nan
    dirty = solver.solve(y, physics)
    assert dirty.status[1] is Status.NONFINITE
    torch.testing.assert_close(dirty.x[2], whole.x[2], rtol=0, atol=1e-10)


def test_the_users_discriminator_is_left_alone():
    prior = tiny_dcgan()
    prior.discriminator.train()
    before = copy.deepcopy(prior.discriminator.state_dict())
    physics = gaussian(20, SHAPE)
    with torch.inference_mode():
        DiscriminatorCSGM(prior, 0.1, effort=QUICK)(torch.rand(1, 20, generator=rng()), physics)
    assert prior.discriminator.training
    for key, tensor in prior.discriminator.state_dict().items():
        assert torch.equal(tensor, before[key])


def test_bad_settings_are_refused_in_one_line():
    prior = tiny_dcgan()
    with pytest.raises(ValueError, match=r"discriminator_weight must be .* got 0; use CSGM"):
        DiscriminatorCSGM(prior, 0)
    with pytest.raises(ValueError, match="prior_loss must be saturating or non-saturating"):
        DiscriminatorCSGM(prior, 0.1, prior_loss="critic")
    with pytest.raises(ValueError, match="discriminator_weight above 0 needs a discriminator"):
        DiscriminatorCSGM(linear_prior(), 0.1)
