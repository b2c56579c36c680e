"""Noise on the discriminator's input, and the penalty on samples that are too close."""

import pytest
import torch

from ganprior.training.stabilisers import InputNoise, closeness_penalty
from tests.cases import rng


def test_the_noise_falls_linearly_to_nothing():
    noise = InputNoise(0.4, 10)
    assert [noise.std_at(step) for step in (0, 5, 9, 10, 99)] == pytest.approx(
        [0.4, 0.2, 0.04, 0, 0]
    )
    # Without a number of steps it stays.
    assert InputNoise(0.4).std_at(10**6) == 0.4


def test_the_noise_has_its_standard_deviation_and_its_stream():
    x = torch.linspace(-1, 1, 30000).reshape(3, 1, 100, 100)
    noisy = InputNoise(0.4, 10)(x, 5, rng(0))
    expected = x + 0.2 * torch.randn(x.shape, generator=rng(0))
    torch.testing.assert_close(noisy, expected)
    assert (noisy - x).std().item() == pytest.approx(0.2, rel=0.03)
    assert (noisy - x).mean().item() == pytest.approx(0, abs=0.006)
    assert InputNoise(0.4)(x.double(), 0, rng(0)).dtype == torch.float64


def test_no_noise_is_no_draw():
    x, source = torch.ones(2, 1, 2, 2), rng(1)
    before = source.get_state()
    assert InputNoise(0.4, 10)(x, 10, source) is x
    assert InputNoise(0.0)(x, 0, source) is x
    assert torch.equal(source.get_state(), before)


def test_the_noise_passes_gradients_on_to_the_generator():
    x = torch.ones(2, 1, 2, 2, requires_grad=True)
    InputNoise(0.4)(x, 0, rng(2)).sum().backward()
    torch.testing.assert_close(x.grad, torch.ones_like(x))


@pytest.mark.parametrize("std", [-0.1, float("nan"), float("inf")])
def test_bad_noise_is_refused(std):
    with pytest.raises(ValueError, match="std must be a finite number of at least 0, got"):
        InputNoise(std)
    with pytest.raises(ValueError, match="steps must be at least 0, got -1"):
        InputNoise(0.1, -1)


def test_closeness_of_samples_whose_angles_are_known():
    x = torch.randn(1, 3, 4, 4, generator=rng(3), dtype=torch.float64)
    # Multiples of one image are as close as can be, whatever their length and sign.
    collapsed = torch.cat([x, 2 * x, -0.1 * x])
    assert closeness_penalty(collapsed).item() == pytest.approx(1)
    assert closeness_penalty(torch.eye(5)).item() == 0
    # Three unit vectors at 0, 60 and 90 degrees: cos^2 of 60, 90 and 30 are 1/4, 0, 3/4.
    angles = torch.deg2rad(torch.tensor([0.0, 60.0, 90.0]))
    samples = torch.stack([angles.cos(), angles.sin()], 1)
    assert closeness_penalty(samples).item() == pytest.approx((1 / 4 + 0 + 3 / 4) / 3)


def test_closeness_is_the_sum_of_the_paper():
    samples = torch.randn(6, 2, 3, 3, generator=rng(4), dtype=torch.float64)
    total = 0.0
    for i, a in enumerate(samples):
        for j, b in enumerate(samples):
            if i != j:
                total += ((a * b).sum() / (a.norm() * b.norm())).item() ** 2
    assert closeness_penalty(samples).item() == pytest.approx(total / (6 * 5), rel=1e-12)


def test_a_step_against_the_penalty_spreads_the_samples():
    samples = torch.ones(4, 8) + 0.1 * torch.randn(4, 8, generator=rng(5))
    before = closeness_penalty(samples.requires_grad_())
    (gradient,) = torch.autograd.grad(before, samples)
    assert closeness_penalty(samples - gradient) < before
    # A sample of zeros has no direction; it breaks nothing.
    blank = torch.zeros(3, 4, requires_grad=True)
    closeness_penalty(blank).backward()
    assert blank.grad is not None
    assert torch.isfinite(blank.grad).all()


def test_one_sample_has_no_other():
    with pytest.raises(ValueError, match="samples must be at least 2, got 1; enlarge the batch"):
        closeness_penalty(torch.ones(1, 1, 2, 2))
