"""Singular value thresholding: NumPy's SVD, planted matrices, and the paper's own iteration."""

import math

import numpy as np
import pytest
import torch

from ganprior.baselines import LowRank
from ganprior.baselines.low_rank import complete, shrink
from ganprior.solution import Status
from tests.cases_baselines import MaskPhysics, images
from tests.cases_inpainting import SHAPE, masks


def planted(count, rank, height=24, width=20, seed=0):
    """Matrices of low rank with entries of a size of about 1/2, as images (B, 1, H, W)."""
    generator = torch.Generator().manual_seed(seed)
    left = torch.rand(count, 1, height, rank, generator=generator, dtype=torch.float64)
    right = torch.rand(count, 1, rank, width, generator=generator, dtype=torch.float64)
    return left @ right / rank**0.5


def known_at_random(count, fraction, height=24, width=20):
    generator = torch.Generator().manual_seed(1)
    return (torch.rand(count, 1, height, width, generator=generator) < fraction).double()


def test_shrink_is_the_proximal_map_by_numpy():
    Y = torch.randn(3, 5, 7, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    tau = torch.tensor([0.0, 0.7, 100.0]).double()[:, None, None]
    X, singular_values = shrink(Y, tau)
    for i in range(3):
        U, s, Vh = np.linalg.svd(Y[i].numpy(), full_matrices=False)
        s = np.maximum(s - tau[i].item(), 0)
        np.testing.assert_allclose(X[i].numpy(), U * s @ Vh, atol=1e-12)
        np.testing.assert_allclose(singular_values[i].numpy(), s, atol=1e-12)


def test_shrink_minimises_what_it_is_the_proximal_map_of():
    generator = torch.Generator().manual_seed(0)
    Y = torch.randn(1, 5, 7, generator=generator, dtype=torch.float64)

    def value(X):
        nuclear = torch.linalg.matrix_norm(X, "nuc")
        return (0.7 * nuclear + (X - Y).square().sum() / 2).item()

    best, _ = shrink(Y, torch.full((1, 1, 1), 0.7).double())
    for size in (1e-3, 1e-1):
        for _ in range(20):
            other = best + size * torch.randn(Y.shape, generator=generator, dtype=torch.float64)
            assert value(best) < value(other)


@pytest.mark.parametrize("rank", [1, 2])
def test_a_planted_matrix_is_recovered(rank):
    x, mask = planted(3, rank), known_at_random(3, 0.6)
    solution = LowRank(tolerance=1e-5, max_steps=5000).solve(mask * x, MaskPhysics(mask))
    assert solution.status == (Status.CONVERGED,) * 3
    missing = (solution.x - x) * (1 - mask)
    assert missing.norm() < 1e-3 * x.norm()
    assert (torch.linalg.matrix_rank(solution.x, rtol=1e-3) == rank).all()


def test_the_minimum_is_that_of_the_papers_iteration():
    """(2.7) as printed, without momentum, with a step that theorem 4.2 allows."""
    x, mask = images(1, (1, 8, 10)), known_at_random(1, 0.6, 8, 10)
    M, P, tau = (mask * x)[:, 0], mask[:, 0] == 1, torch.full((1, 1, 1), 4.0).double()
    Y = torch.zeros_like(M)
    for _ in range(3000):
        X, _ = shrink(Y, tau)
        Y = Y + 1.9 * torch.where(P, M - X, 0)
    found = complete(M, P, tau, 1e-8, 5000)
    assert found.converged.all()
    assert found.steps.item() < 1000
    torch.testing.assert_close(found.X, X, rtol=0, atol=1e-6)


def test_the_default_threshold_is_five_times_the_norm_of_the_whole_matrix():
    x, mask = images(2, SHAPE), masks(2)
    rms = (x.square() * mask).sum((1, 2, 3)) / mask.sum((1, 2, 3))
    for i in range(2):
        tau = 5 * math.sqrt(80 * rms[i].item())
        one = slice(i, i + 1)
        physics, y = MaskPhysics(mask[one]), (mask * x)[one]
        by_default, by_hand = LowRank().solve(y, physics), LowRank(tau).solve(y, physics)
        torch.testing.assert_close(by_default.x, by_hand.x)
        torch.testing.assert_close(by_default.objective, by_hand.objective)


def test_result_scales_with_the_image_and_objective_is_its_own():
    x, mask = images(2, SHAPE), masks(2)
    one, ten = (LowRank().solve(c * mask * x, MaskPhysics(mask)) for c in (1, 10))
    torch.testing.assert_close(ten.x, 10 * one.x, rtol=0, atol=1e-8)
    torch.testing.assert_close(ten.objective, 100 * one.objective)
    tau = 8.0
    found = LowRank(tau, tolerance=1e-9, max_steps=5000).solve(mask * x, MaskPhysics(mask))
    nuclear = torch.linalg.matrix_norm(found.x[:, 0], "nuc")
    expected = tau * nuclear + found.x.square().sum((1, 2, 3)) / 2
    torch.testing.assert_close(found.objective, expected, rtol=1e-6, atol=0)


def test_channels_are_completed_alone():
    x, mask = images(2, (3, 8, 10)), masks(2)
    together = LowRank().solve(mask * x, MaskPhysics(mask))
    parts = [LowRank().solve(mask * x[:, c : c + 1], MaskPhysics(mask)) for c in range(3)]
    torch.testing.assert_close(together.x, torch.cat([part.x for part in parts], 1))
    torch.testing.assert_close(together.objective, sum(part.objective for part in parts))
    assert torch.equal(together.steps, torch.stack([part.steps for part in parts]).amax(0))


def test_rows_of_which_nothing_is_known_become_zero():
    mask = torch.ones(1, 1, 8, 10).double()
    mask[..., 3:, :] = 0
    found = LowRank().solve(mask * images(1, SHAPE), MaskPhysics(mask))
    assert found.status == (Status.CONVERGED,)
    assert found.x[..., 3:, :].abs().max() < 1e-12


def test_an_image_of_zeros_stays():
    found = LowRank().solve(torch.zeros(2, *SHAPE), MaskPhysics(masks(2).float()))
    assert found.status == (Status.CONVERGED,) * 2
    assert (found.x == 0).all()


def test_step_limit_is_reported():
    mask = masks(2)
    found = LowRank(max_steps=3).solve(mask * images(2, SHAPE), MaskPhysics(mask))
    assert found.status == (Status.MAX_STEPS,) * 2
    assert found.steps.tolist() == [3, 3]


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ({"tau": 0}, "tau must be a finite number above 0, got 0; leave it out for"),
        ({"tau": math.nan}, "tau must be a finite number above 0, got nan"),
        ({"tolerance": 0}, "tolerance must be a finite number above 0, got 0"),
        ({"max_steps": 0}, "max_steps must be a whole number of at least 1, got 0"),
    ],
)
def test_bad_settings_are_refused(arguments, match):
    with pytest.raises(ValueError, match=match):
        LowRank(**arguments)
