"""Wasserstein critics: both clippings by hand, the penalty by finite differences."""

import math

import pytest
import torch
from torch import Tensor, nn

from ganprior.training.objectives import (
    WassersteinClip,
    WassersteinGP,
    WassersteinGradientClip,
    wasserstein,
)
from ganprior.training.objectives.wasserstein_gp import gradient_penalty
from tests.cases import rng

SHAPE = (3, 5, 4)


def images(count: int, seed: int) -> Tensor:
    return torch.rand(count, *SHAPE, generator=rng(seed), dtype=torch.float64) * 2 - 1


def test_wasserstein_losses_are_differences_of_means():
    real, fake = torch.tensor([1.0, 3.0]), torch.tensor([5.0, 0.0])
    assert wasserstein.critic_loss(real, fake).item() == pytest.approx(2.5 - 2)
    assert wasserstein.generator_loss(fake).item() == pytest.approx(-2.5)
    assert WassersteinClip().distance(real, fake).item() == pytest.approx(2 - 2.5)


def critic() -> nn.Module:
    layers = nn.Sequential(nn.Conv2d(1, 2, 2), nn.BatchNorm2d(2), nn.Flatten(), nn.Linear(18, 1))
    for parameter in layers.parameters():
        nn.init.normal_(parameter, 0, 0.5, generator=rng(6))
    return layers


def test_weight_clipping_is_that_of_the_paper():
    objective, layers = WassersteinClip(), critic()
    assert (objective.critic_steps, objective.clip) == (5, 0.01)
    before = [parameter.detach().clone() for parameter in layers.parameters()]
    objective.after_backward(layers)
    objective.after_step(layers)
    for old, new in zip(before, layers.parameters(), strict=True):
        torch.testing.assert_close(new.detach(), old.clip(-0.01, 0.01), rtol=0, atol=0)
        assert new.requires_grad
    # What is inside already stays.
    WassersteinClip(clip=1.0).after_step(layers)
    assert max(parameter.abs().max() for parameter in layers.parameters()) <= 0.01


@pytest.mark.parametrize("clip", [0.1, 1e6])
def test_gradient_clipping_bounds_the_norm_of_all_gradients_together(clip):
    objective, layers = WassersteinGradientClip(clip=clip), critic()
    x = torch.randn(4, 1, 4, 4, generator=rng(7))
    objective.discriminator_loss(lambda x: layers(x).flatten(), x, x.square(), rng()).backward()
    before = [parameter.grad.clone() for parameter in layers.parameters()]
    weights = [parameter.detach().clone() for parameter in layers.parameters()]
    norm = math.sqrt(sum(gradient.square().sum().item() for gradient in before))
    assert 0.2 < norm < 100
    objective.after_backward(layers)
    objective.after_step(layers)
    for old, kept, parameter in zip(before, weights, layers.parameters(), strict=True):
        torch.testing.assert_close(parameter.grad, old * min(1, clip / norm))
        torch.testing.assert_close(parameter.detach(), kept, rtol=0, atol=0)


@pytest.mark.parametrize("norm", [0.25, 1.0, 7.0])
def test_penalty_of_a_linear_critic_is_over_all_axes_of_an_image(norm):
    w = torch.randn(SHAPE, generator=rng(2), dtype=torch.float64)
    w = w * norm / w.norm()
    mix = torch.rand(6, generator=rng(3), dtype=torch.float64)
    penalty = gradient_penalty(lambda x: (x * w).sum((1, 2, 3)), images(6, 0), images(6, 1), mix)
    assert penalty.item() == pytest.approx((norm - 1) ** 2, abs=1e-12)


def smooth_critic() -> nn.Module:
    layers = nn.Sequential(nn.Flatten(), nn.Linear(60, 7), nn.Tanh(), nn.Linear(7, 1))
    for parameter in layers.parameters():
        nn.init.normal_(parameter, 0, 0.4, generator=rng(4))
    return layers.double()


def test_penalty_of_a_curved_critic_by_finite_differences():
    critic = smooth_critic()
    real, fake = images(3, 0), images(3, 1)
    mix = torch.tensor([0.0, 0.3, 1.0], dtype=torch.float64)
    penalty = gradient_penalty(lambda x: critic(x).flatten(), real, fake, mix)

    step, total = 1e-5, 0.0
    units = torch.eye(60, dtype=torch.float64).reshape(60, *SHAPE) * step
    for i in range(3):
        # mix = 1 is the real image, 0 the generated one.
        point = mix[i] * real[i] + (1 - mix[i]) * fake[i]
        with torch.no_grad():
            slope = (critic(point + units) - critic(point - units)) / (2 * step)
        total += (slope.norm().item() - 1) ** 2
    assert penalty.item() == pytest.approx(total / 3, rel=1e-6)


def test_penalty_has_the_gradient_of_its_value():
    critic, (real, fake) = smooth_critic(), (images(3, 0), images(3, 1))
    mix = torch.tensor([0.2, 0.5, 0.9], dtype=torch.float64)
    weight = critic[1].weight

    def penalty() -> Tensor:
        return gradient_penalty(lambda x: critic(x).flatten(), real, fake, mix)

    (gradient,) = torch.autograd.grad(penalty(), weight)
    direction = torch.randn(weight.shape, generator=rng(5), dtype=torch.float64)
    step = 1e-6
    with torch.no_grad():
        weight += step * direction
    above = penalty().item()
    with torch.no_grad():
        weight -= 2 * step * direction
    slope = (above - penalty().item()) / (2 * step)
    assert slope == pytest.approx((gradient * direction).sum().item(), rel=1e-5)


def test_wgan_gp_adds_the_weighted_penalty():
    critic, (real, fake) = smooth_critic(), (images(8, 0), images(8, 1))

    def score(x: Tensor) -> Tensor:
        return critic(x).flatten()

    loss = WassersteinGP(penalty_weight=3.0).discriminator_loss(score, real, fake, rng(6))
    mix = torch.rand(8, generator=rng(6)).double()
    expected = score(fake).mean() - score(real).mean()
    expected += 3 * gradient_penalty(score, real, fake, mix)
    torch.testing.assert_close(loss, expected)
