"""Losses of every objective against hand-computed values, torch's losses and closed forms."""

import math

import pytest
import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from ganprior.training.objectives import (
    FGAN,
    OBJECTIVES,
    Hinge,
    LeastSquares,
    Minimax,
    NonSaturating,
    WassersteinGP,
    f_gan,
    hinge,
    least_squares,
    make_objective,
    minimax,
)
from ganprior.training.objectives.auxiliary_classifier import class_loss, discriminator_class_loss
from ganprior.training.objectives.f_divergences import DIVERGENCES, GAN
from tests.cases import rng

EVERY = pytest.mark.parametrize("name", OBJECTIVES)


def logits(seed: int, count: int = 50) -> Tensor:
    return 3 * torch.randn(count, generator=rng(seed), dtype=torch.float64)


def numbers(*values: float) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


def as_images(values: Tensor) -> Tensor:
    """Images of one pixel; the score that reads it makes any raw output."""
    return values.reshape(-1, 1, 1, 1)


def read(x: Tensor) -> Tensor:
    return x.flatten(1).sum(1)


def test_discriminator_loss_is_binary_cross_entropy_of_labels():
    real, fake = logits(0), logits(1)
    ones = torch.ones(50, dtype=torch.float64)
    expected = binary_cross_entropy_with_logits(real, ones)
    expected += binary_cross_entropy_with_logits(fake, 0 * ones)
    torch.testing.assert_close(minimax.discriminator_loss(real, fake), expected)
    # Soft labels, one-sided and two-sided.
    for real_label, fake_label in [(0.9, 0.0), (0.8, 0.3)]:
        expected = binary_cross_entropy_with_logits(real, real_label * ones)
        expected += binary_cross_entropy_with_logits(fake, fake_label * ones)
        loss = minimax.discriminator_loss(real, fake, real_label, fake_label)
        torch.testing.assert_close(loss, expected)
        objective = Minimax(real_label=real_label, fake_label=fake_label)
        loss = objective.discriminator_loss(read, as_images(real), as_images(fake), rng(2))
        torch.testing.assert_close(loss, expected)


def test_generator_losses_of_minimax_and_of_its_variant():
    fake, ones = logits(1), torch.ones(50, dtype=torch.float64)
    # Minimax: the discriminator's own term with the other sign.
    expected = -binary_cross_entropy_with_logits(fake, 0 * ones)
    torch.testing.assert_close(Minimax().generator_loss(read, as_images(fake)), expected)
    # Non-saturating: the generator wants its images labelled real.
    expected = binary_cross_entropy_with_logits(fake, ones)
    torch.testing.assert_close(NonSaturating().generator_loss(read, as_images(fake)), expected)


def test_minimax_losses_in_closed_form():
    # An undecided discriminator, D = 1/2, pays 2 log 2.
    undecided = torch.zeros(4)
    assert minimax.discriminator_loss(undecided, undecided).item() == pytest.approx(2 * math.log(2))
    assert minimax.minimax_generator_loss(undecided).item() == pytest.approx(-math.log(2))
    assert minimax.non_saturating_generator_loss(undecided).item() == pytest.approx(math.log(2))


def test_only_the_variant_has_a_gradient_where_the_discriminator_is_sure():
    sure = torch.full((1,), -30.0, requires_grad=True)
    (gradient,) = torch.autograd.grad(minimax.minimax_generator_loss(sure), sure)
    assert abs(gradient.item()) < 1e-12
    (gradient,) = torch.autograd.grad(minimax.non_saturating_generator_loss(sure), sure)
    assert gradient.item() == pytest.approx(-1)
    # No overflow on the way: log(1 + e^100) is 100.
    far = torch.tensor([-100.0])
    assert minimax.non_saturating_generator_loss(far).item() == pytest.approx(100)


def test_the_best_output_under_soft_labels_is_the_label():
    # Where only real images are, D = alpha; where only generated ones are, D = beta.
    for label in (0.9, 0.3):
        logit = torch.tensor([math.log(label / (1 - label))], requires_grad=True)
        (gradient,) = torch.autograd.grad(minimax.cross_entropy(logit, label), logit)
        assert gradient.item() == pytest.approx(0, abs=1e-7)


def test_labels_are_flipped_as_often_as_asked_and_by_the_stream():
    labels = minimax.flip_labels(torch.zeros(20000), 0.9, 0.1, 0.05, rng(3))
    flipped = labels == 0.1
    assert torch.equal(flipped, torch.rand(20000, generator=rng(3)) < 0.05)
    # Five standard deviations of a binomial of 20,000.
    assert flipped.double().mean().item() == pytest.approx(
        0.05, abs=5 * (0.05 * 0.95 / 20000) ** 0.5
    )
    torch.testing.assert_close(labels[~flipped], torch.full_like(labels[~flipped], 0.9))


def test_flips_exchange_the_labels_of_both_kinds():
    real, fake = logits(0, 200), logits(1, 200)
    objective = Minimax(real_label=0.9, flip_probability=0.3)
    loss = objective.discriminator_loss(read, as_images(real), as_images(fake), rng(4))
    source = rng(4)
    flip_real = torch.rand(200, generator=source) < 0.3
    flip_fake = torch.rand(200, generator=source) < 0.3
    expected = binary_cross_entropy_with_logits(real, torch.where(flip_real, 0.0, 0.9).double())
    expected += binary_cross_entropy_with_logits(fake, torch.where(flip_fake, 0.9, 0.0).double())
    torch.testing.assert_close(loss, expected)


@pytest.mark.parametrize("name", [name for name in OBJECTIVES if name != "wgan-gp"])
def test_nothing_is_drawn_that_is_not_needed(name):
    source = rng(5)
    before = source.get_state()
    images = as_images(logits(0))
    make_objective(name).discriminator_loss(read, images, images, source)
    assert torch.equal(source.get_state(), before)


def test_least_squares_by_hand():
    real, fake = numbers(1, 3), numbers(0, -1)
    # ((0 + 4) / 2 + (0 + 1) / 2) / 2, and ((1 + 4) / 2) / 2.
    assert least_squares.discriminator_loss(real, fake).item() == pytest.approx(1.25)
    assert least_squares.generator_loss(fake).item() == pytest.approx(1.25)
    # Equation (8): ((0 + 4) / 2 + (1 + 0) / 2) / 2, and ((0 + 1) / 2) / 2.
    pearson = LeastSquares(real_target=1, fake_target=-1, generator_target=0)
    images = as_images(real), as_images(fake)
    assert pearson.discriminator_loss(read, *images, rng()).item() == pytest.approx(1.25)
    assert pearson.generator_loss(read, images[1]).item() == pytest.approx(0.25)


def test_hinge_by_hand():
    real, fake = numbers(2, 0.5, -1), numbers(-2, 0, 3)
    # (0 + .5 + 2) / 3 + (0 + 1 + 4) / 3.
    assert hinge.discriminator_loss(real, fake).item() == pytest.approx(7.5 / 3)
    assert hinge.generator_loss(fake).item() == pytest.approx(-1 / 3)
    images = as_images(real), as_images(fake)
    assert Hinge().discriminator_loss(read, *images, rng()).item() == pytest.approx(2.5)
    assert Hinge().generator_loss(read, images[1]).item() == pytest.approx(-1 / 3)


def test_fgan_by_hand():
    real, fake = numbers(0, 1), numbers(0.5, 2)
    kl = FGAN(divergence=DIVERGENCES["kl"])
    images = as_images(real), as_images(fake)
    bound = 0.5 - (math.exp(-0.5) + math.e) / 2
    assert kl.discriminator_loss(read, *images, rng()).item() == pytest.approx(-bound)
    assert kl.distance(real, fake).item() == pytest.approx(bound)
    # The generator descends its part of the same bound, or ascends the output.
    assert kl.generator_loss(read, images[1]).item() == pytest.approx(
        -(math.exp(-0.5) + math.e) / 2
    )
    variant = FGAN(divergence=DIVERGENCES["kl"], non_saturating=True)
    assert variant.generator_loss(read, images[1]).item() == pytest.approx(-1.25)


def test_the_gan_row_of_fgan_is_goodfellows():
    real, fake = logits(0), logits(1)
    bound = f_gan.variational_bound(GAN, real, fake)
    torch.testing.assert_close(-bound, minimax.discriminator_loss(real, fake))
    loss = f_gan.bound_generator_loss(GAN, fake)
    torch.testing.assert_close(loss, minimax.minimax_generator_loss(fake))
    loss = f_gan.output_generator_loss(GAN, fake)
    torch.testing.assert_close(loss, minimax.non_saturating_generator_loss(fake))


# Two laws on four points, and the raw output of the best discriminator at each.
P, Q = numbers(0.5, 0.2, 0.2, 0.1), numbers(0.1, 0.2, 0.3, 0.4)


@pytest.mark.parametrize(
    ("objective", "best", "divergence"),
    [
        (
            Minimax(),
            (P / Q).log(),
            (P * (2 * P / (P + Q)).log() + Q * (2 * Q / (P + Q)).log()).sum() / 2,
        ),
        (LeastSquares(), P / (P + Q), ((P - Q) ** 2 / (P + Q)).sum()),
        (LeastSquares(1, 1, -1, 0), (P - Q) / (P + Q), ((P - Q) ** 2 / (P + Q)).sum()),
        (Hinge(), (P - Q).sign(), (P - Q).abs().sum() / 2),
    ],
    ids=["minimax", "least-squares", "least-squares-pearson", "hinge"],
)
def test_distances_are_bounds_that_the_best_discriminator_reaches(objective, best, divergence):
    def estimate(outputs: Tensor) -> float:
        # Samples in the proportions of the laws.
        real, fake = (
            outputs.repeat_interleave((10 * P).round().long()),
            outputs.repeat_interleave((10 * Q).round().long()),
        )
        return objective.distance(real, fake).item()

    assert estimate(best) == pytest.approx(divergence.item(), abs=1e-12)
    for seed in range(5):
        worse = best + 0.3 * torch.randn(4, generator=rng(seed), dtype=torch.float64)
        assert estimate(worse) < divergence.item()


@EVERY
def test_each_player_moves_its_own_way(name):
    objective = make_objective(name)
    real = as_images(numbers(0.2, 0.4)).requires_grad_()
    fake = as_images(numbers(0.3, 0.1)).requires_grad_()
    loss = objective.discriminator_loss(read, real, fake, rng(8))
    on_real, on_fake = torch.autograd.grad(loss, (real, fake))
    # A step against the gradient lifts real images and lowers generated ones ...
    assert (on_real < 0).all()
    assert (on_fake > 0).all()
    # ... and the generator's lifts its own.
    (on_fake,) = torch.autograd.grad(objective.generator_loss(read, fake), fake)
    assert (on_fake < 0).all()


@pytest.mark.parametrize("row", DIVERGENCES)
@pytest.mark.parametrize("non_saturating", [False, True])
def test_each_player_moves_its_own_way_in_every_fgan(row, non_saturating):
    objective = make_objective("f-gan", divergence=row, non_saturating=non_saturating)
    v = numbers(-0.4, 0.1, 0.8).requires_grad_()
    (gradient,) = torch.autograd.grad(objective.generator_loss(read, as_images(v)), v)
    assert (gradient < 0).all()
    (gradient,) = torch.autograd.grad(objective.distance(v, v.detach()), v)
    assert (gradient > 0).all()


@EVERY
def test_losses_are_means_over_the_batch(name):
    objective = make_objective(name)
    real, fake = as_images(logits(0, 6)), as_images(logits(1, 6))
    once = objective.generator_loss(read, fake)
    torch.testing.assert_close(objective.generator_loss(read, fake.repeat(3, 1, 1, 1)), once)
    once = objective.discriminator_loss(read, real, fake, rng(9))
    images = real.repeat(3, 1, 1, 1), fake.repeat(3, 1, 1, 1)
    torch.testing.assert_close(objective.discriminator_loss(read, *images, rng(9)), once)


@EVERY
def test_each_kind_is_its_own_batch_where_the_discriminator_has_batch_norm(name):
    objective = make_objective(name)
    batches = []

    def score(x: Tensor) -> Tensor:
        batches.append(len(x))
        return read(x)

    images = as_images(logits(0, 4))
    objective.discriminator_loss(score, images, images, rng())
    if objective.discriminator_batch_norm:
        assert batches == [4, 4]
    else:
        assert isinstance(objective, WassersteinGP)


def test_class_loss_is_the_likelihood_of_the_labels():
    real = numbers(2, 0, 0, 1).reshape(2, 2)
    labels = torch.tensor([0, 1])
    # -log softmax: log(1 + e^-2) and log(1 + e^-1).
    expected = (math.log(1 + math.exp(-2)) + math.log(1 + math.exp(-1))) / 2
    assert class_loss(real, labels).item() == pytest.approx(expected)
    fake, asked = torch.zeros(3, 2), torch.tensor([1, 0, 1])
    loss = discriminator_class_loss(real, labels, fake, asked)
    assert loss.item() == pytest.approx(expected + math.log(2))
