"""Total variation against scikit-image, a smoothed problem in SciPy, and closed forms."""

import math

import numpy as np
import pytest
import torch
from scipy.optimize import minimize
from skimage.restoration import denoise_tv_chambolle

from ganprior.baselines import TotalVariation
from ganprior.baselines.alphas import default_alpha
from ganprior.baselines.penalties import gradient, gradient_adjoint, total_variation
from ganprior.physics import facts
from ganprior.solution import Status
from tests.cases_baselines import DensePhysics, FourierPhysics, MaskPhysics, gaussian, images
from tests.cases_inpainting import SHAPE, hole, masks

SMOOTH = 3e-5


def smoothed(x):
    """Total variation with sqrt(s^2 + SMOOTH^2) for s: too large by at most SMOOTH per pixel."""
    down = torch.nn.functional.pad(x.diff(dim=2), (0, 0, 0, 1))
    right = torch.nn.functional.pad(x.diff(dim=3), (0, 1))
    return ((down.square() + right.square()).sum(1) + SMOOTH**2).sqrt().sum()


def least(objective, start, box=None):
    """Smallest value that SciPy's L-BFGS-B finds of a function of an image."""

    def value_and_slope(values):
        x = torch.from_numpy(values).reshape(start.shape).requires_grad_()
        value = objective(x)
        value.backward()
        return value.item(), x.grad.numpy().ravel()

    options = {"maxiter": 1500, "maxfun": 3000, "maxcor": 30, "ftol": 1e-9, "gtol": 1e-9}
    bounds = None if box is None else [box] * start.numel()
    found = minimize(
        value_and_slope, start.numpy().ravel(), jac=True, method="L-BFGS-B", bounds=bounds,
        options=options,
    )  # fmt: skip
    return found.fun


@pytest.mark.parametrize("channels", [1, 3])
def test_gradient_has_its_transpose_and_its_norm(channels):
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(2, channels, 6, 7, generator=generator, dtype=torch.float64)
    p = torch.randn(2, 2, channels, 6, 7, generator=generator, dtype=torch.float64)
    torch.testing.assert_close((gradient(x) * p).sum(), (x * gradient_adjoint(p)).sum())
    for _ in range(50):
        x = gradient_adjoint(gradient(x / x.norm()))
    assert 6 < x.norm() < 8


def test_total_variation_of_a_step_is_its_height_times_its_length():
    x = torch.zeros(1, 3, 6, 7).double()
    x[..., 2:] = torch.tensor([0.1, 0.2, 0.2])[:, None, None]
    assert total_variation(x).item() == pytest.approx(0.3 * 6)


@pytest.mark.parametrize("shape", [(1, 7, 6), (3, 6, 5)])
@pytest.mark.parametrize("kind", ["hole", "random"])
def test_inpainting_objective_is_that_of_scipy(shape, kind):
    mask = hole(shape) if kind == "hole" else masks(1, shape=shape)
    x = images(1, shape)
    solution = TotalVariation().solve(mask * x, MaskPhysics(mask))
    best = least(lambda v: smoothed(torch.where(mask == 1, x, v)), torch.full_like(x, 0.5))
    assert solution.status == (Status.CONVERGED,)
    assert total_variation(solution.x).item() == pytest.approx(solution.objective.item())
    assert solution.objective.item() == pytest.approx(best, rel=1e-3)


@pytest.mark.parametrize("make", ["dense", "mask", "fourier"])
def test_regression_objective_is_that_of_scipy(make):
    shape, weight = (1, 6, 6), 0.03
    physics = {
        "dense": gaussian(18, shape),
        "mask": MaskPhysics(masks(1, shape=shape)),
        "fourier": FourierPhysics([0, 1, 5]),
    }[make]
    y = physics.A(images(1, shape, seed=2))
    solution = TotalVariation(weight).solve(y, physics)

    def objective(x):
        return (y - physics.A(x)).abs().square().sum() / 2 + weight * smoothed(x)

    best = least(objective, torch.full((1, *shape), 0.5).double(), box=(0, 1))
    assert solution.status == (Status.CONVERGED,)
    assert solution.objective.item() == pytest.approx(best, rel=1e-3)
    found = solution.measurement_error / 2 + weight * total_variation(solution.x)
    torch.testing.assert_close(found, solution.objective)


def test_matrix_shortcut_changes_nothing():
    shown, hidden = gaussian(30, (1, 8, 8)), gaussian(30, (1, 8, 8), hidden=True)
    y, method = shown.A(images(2, (1, 8, 8))), TotalVariation(0.03, tolerance=1e-9)
    # Step lengths follow the size of A's columns, which of a hidden matrix is estimated.
    torch.testing.assert_close(method(y, shown), method(y, hidden), rtol=0, atol=1e-5)


def test_denoising_is_that_of_scikit_image():
    generator = torch.Generator().manual_seed(0)
    x = 0.25 + images(2, (1, 12, 12)) / 2
    y = x + 0.05 * torch.randn(x.shape, generator=generator, dtype=torch.float64)
    physics = DensePhysics(torch.eye(144).double(), (1, 12, 12))
    solution = TotalVariation(0.1, tolerance=1e-4).solve(y.flatten(1), physics)
    for i in range(2):
        peer = denoise_tv_chambolle(y[i, 0].numpy(), weight=0.1, eps=1e-7, max_num_iter=1000)
        assert 0 < peer.min() < peer.max() < 1  # where our box changes nothing
        image = torch.from_numpy(peer)[None, None]
        theirs = (image - y[i]).square().sum() / 2 + 0.1 * total_variation(image)
        assert solution.objective[i].item() == pytest.approx(theirs.item(), rel=1e-3)
        np.testing.assert_allclose(solution.x[i, 0].numpy(), peer, atol=0.01)


def test_between_two_walls_the_least_variation_is_their_difference():
    y = torch.zeros(2, 1, 6, 9).double()
    y[0, ..., -1], y[1, ..., -1] = 1, 0.25
    mask = torch.zeros(1, 1, 6, 9).double()
    mask[..., 0] = mask[..., -1] = 1
    solution = TotalVariation().solve(y, MaskPhysics(mask))
    torch.testing.assert_close(
        solution.objective, torch.tensor([6.0, 1.5]).double(), rtol=1e-3, atol=0
    )


def test_result_scales_with_the_image():
    mask, x = hole(), images(2, SHAPE)
    one, large = (TotalVariation().solve(c * mask * x, MaskPhysics(mask)) for c in (1, 255))
    torch.testing.assert_close(large.x, 255 * one.x, rtol=0, atol=1e-8)
    assert torch.equal(large.steps, one.steps)


def test_a_constant_image_is_found_at_once():
    solution = TotalVariation().solve(hole() * 0.3, MaskPhysics(hole()))
    torch.testing.assert_close(solution.x, torch.full_like(hole(), 0.3))
    assert solution.steps.tolist() == [0]


def test_pixels_stay_within_the_range_of_the_known_ones():
    mask, x = masks(3), images(3, SHAPE)
    y = mask * x
    filled = TotalVariation()(y, MaskPhysics(mask))
    for i in range(3):
        known = x[i][mask[i] == 1]
        assert known.min() <= filled[i].min()
        assert filled[i].max() <= known.max()


def test_step_limit_is_reported_and_the_weight_batch_equals_one_by_one():
    physics, x = gaussian(30, (1, 8, 8)), images(3, (1, 8, 8))
    y = physics.A(x)
    solution = TotalVariation(0.01, max_steps=30).solve(y, physics)
    assert solution.status == (Status.MAX_STEPS,) * 3
    assert solution.steps.tolist() == [30] * 3
    together = TotalVariation(0.01).solve(y, physics)
    for i in range(3):
        alone = TotalVariation(0.01).solve(y[i : i + 1], physics)
        torch.testing.assert_close(together.x[i : i + 1], alone.x, rtol=0, atol=1e-10)


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        (
            {"weight": 0},
            "weight must be a finite number above 0, got 0; leave it out for the tuned default",
        ),
        ({"weight": math.nan}, "weight must be a finite number above 0, got nan"),
        ({"noise_std": -1}, "noise_std must be a finite number of at least 0, got -1"),
        ({"tolerance": 0}, "tolerance must be a finite number above 0, got 0"),
        ({"max_steps": 0}, "max_steps must be a whole number of at least 1, got 0"),
    ],
)
def test_bad_settings_are_refused(arguments, match):
    with pytest.raises(ValueError, match=match):
        TotalVariation(**arguments)


def test_a_mask_is_kept_exactly_unless_it_has_noise():
    mask, x = masks(2), images(2, SHAPE)
    physics = MaskPhysics(mask)
    y = mask * x + 0.1 * mask * torch.sin(40 * x)
    exact, noisy = TotalVariation(), TotalVariation(noise_std=0.1)
    torch.testing.assert_close(mask * exact(y, physics), y)
    assert total_variation(noisy(y, physics)).sum() < total_variation(exact(y, physics)).sum()
    assert (noisy.solve(y, physics).measurement_error > 0).all()


def test_other_physics_have_a_tuned_weight():
    physics, x = gaussian(40, (1, 8, 8)), images(3, (1, 8, 8))
    y = physics.A(x)
    tuned = TotalVariation(noise_std=0.01).solve(y, physics)
    known = facts(physics, (1, 8, 8), count=3, like=y)
    weight = default_alpha("tv", known.n, known.m, known.scale, known.noise_std(0.01))[0]
    given = TotalVariation(weight.item()).solve(y, physics)
    torch.testing.assert_close(tuned.x, given.x, rtol=0, atol=1e-6)
    assert (tuned.x - x).square().mean() < 0.5 * (physics.A_adjoint(y) - x).square().mean()
