"""The two objectives against closed forms, torch's losses and finite differences."""

import math

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from ganprior.training import nonsaturating, wasserstein_gp
from ganprior.training.nonsaturating import NonSaturating
from ganprior.training.trainer import objective_of
from ganprior.training.wasserstein_gp import WassersteinGP, gradient_penalty
from tests.cases import rng
from tests.cases_training import tiny_recipe

SHAPE = (3, 5, 4)


def images(count: int, seed: int) -> Tensor:
    return torch.rand(count, *SHAPE, generator=rng(seed), dtype=torch.float64) * 2 - 1


def logits(seed: int) -> Tensor:
    return 3 * torch.randn(50, generator=rng(seed), dtype=torch.float64)


def test_nonsaturating_losses_are_binary_cross_entropy_of_labels():
    real, fake = logits(0), logits(1)
    ones, zeros = torch.ones(50, dtype=torch.float64), torch.zeros(50, dtype=torch.float64)
    expected = binary_cross_entropy_with_logits(real, ones)
    expected += binary_cross_entropy_with_logits(fake, zeros)
    torch.testing.assert_close(nonsaturating.discriminator_loss(real, fake), expected)
    # The generator wants its images labelled real: that is what "non-saturating" means.
    expected = binary_cross_entropy_with_logits(fake, ones)
    torch.testing.assert_close(nonsaturating.generator_loss(fake), expected)


def test_nonsaturating_losses_in_closed_form():
    # An undecided discriminator, D = 1/2, pays 2 log 2, and the generator log 2.
    undecided = torch.zeros(4)
    assert nonsaturating.discriminator_loss(undecided, undecided).item() == pytest.approx(
        2 * math.log(2)
    )
    assert nonsaturating.generator_loss(undecided).item() == pytest.approx(math.log(2))


def test_the_generator_has_a_gradient_where_the_discriminator_is_sure():
    sure = torch.full((1,), -30.0, requires_grad=True)
    (gradient,) = torch.autograd.grad(nonsaturating.generator_loss(sure), sure)
    assert gradient.item() == pytest.approx(-1)
    # No overflow on the way: log(1 + e^100) is 100.
    assert nonsaturating.generator_loss(torch.tensor([-100.0])).item() == pytest.approx(100)


def test_wasserstein_losses_are_differences_of_means():
    real, fake = torch.tensor([1.0, 3.0]), torch.tensor([5.0, 0.0])
    assert wasserstein_gp.critic_loss(real, fake).item() == pytest.approx(2.5 - 2)
    assert wasserstein_gp.generator_loss(fake).item() == pytest.approx(-2.5)


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


def test_an_objective_says_what_its_discriminator_gives():
    objective = objective_of(tiny_recipe("wgan-gp", critic_steps=4, penalty_weight=2))
    assert objective == WassersteinGP(4, 2.0)
    # Batch norm would couple the samples whose gradients are penalised one by one.
    assert (objective.discriminator_output, objective.discriminator_batch_norm) == ("critic", False)
    objective = objective_of(tiny_recipe("non-saturating"))
    assert objective == NonSaturating(1)
    assert objective.discriminator_output == "probability"
