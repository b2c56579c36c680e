"""Semantic inpainting: the weights, the objective by hand, planted images, blending, bad input."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from scipy.optimize import linprog
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from ganprior.baselines.blending import poisson_blend
from ganprior.physics import facts, inpainting
from ganprior.priors import Prior, prior_names
from ganprior.solution import Status
from ganprior.solvers import Adam, Descend, Random
from ganprior.solvers.context_weights import context_weights
from ganprior.solvers.engine import BALANCED_L1, Effort, Problem
from ganprior.solvers.engine.forward import Forward
from ganprior.solvers.semantic_inpainting import PAPER_WEIGHT, SemanticInpainting
from ganprior.streams import Streams
from tests.cases import Mask, gaussian, linear_prior, rng, tiny_dcgan

SHAPE = (1, 8, 8)
QUICK = Effort(Random(2, tried=4), Descend(Adam(0.15, 0.03), 20, keep=((0.5, 1),)))
MASKS = (torch.rand(3, 1, 8, 8, generator=rng(4)) > 0.4).float()


def center() -> Tensor:
    """A quarter of the image is hidden."""
    mask = torch.ones(1, 1, 8, 8)
    mask[..., 2:6, 2:6] = 0
    return mask


def images(count: int = 3, dtype: torch.dtype = torch.float32, seed: int = 0) -> Tensor:
    return torch.rand(count, *SHAPE, generator=rng(seed), dtype=dtype)


class Brightness(nn.Module):
    """A discriminator whose logit anyone can work out: four times the mean pixel."""

    def forward(self, x: Tensor) -> Tensor:
        return 4 * x.flatten(1).mean(1)


def bright_prior(output: str = "probability", **more: Any) -> Prior:
    prior = linear_prior(5, SHAPE)
    module = prior.generator
    prior = Prior.from_module(module, 5, image_range=(-1, 1), discriminator=Brightness(), **more)
    prior.card["discriminator_output"] = output
    return prior


@pytest.mark.parametrize(
    ("output", "loss", "penalty"),
    [
        ("probability", None, lambda s: math.log(1 - 1 / (1 + math.exp(-s)))),
        ("probability", "saturating", lambda s: math.log(1 - 1 / (1 + math.exp(-s)))),
        ("probability", "non-saturating", lambda s: -math.log(1 / (1 + math.exp(-s)))),
        ("critic", None, lambda s: -s),
        ("critic", "critic", lambda s: -s),
    ],
)
def test_the_objective_is_the_papers_by_hand(output, loss, penalty):
    """One pixel is hidden; of the known ones, one beside it and one far from it are wrong."""
    prior = bright_prior(output)
    mask = torch.ones(1, 1, 8, 8, dtype=torch.float64)
    mask[..., 4, 4] = 0
    physics = Mask(mask)
    y = physics.A(torch.full((1, *SHAPE), 0.5, dtype=torch.float64))
    x = torch.full((2, 1, *SHAPE), 0.5, dtype=torch.float64)
    x[0, ..., 4, 4] = 0.9  # Hidden: counts in D alone.
    x[1, ..., 4, 3] = 0.8  # Beside the hole: weight 1 / 49.
    x[1, ..., 0, 0] = 1.0  # Far from it: weight 0.
    solver = SemanticInpainting(prior, 0.3, prior_loss=loss)
    forward = Forward(physics, facts(physics, SHAPE, count=1, like=y))
    found = solver.objective_for(y, physics).objective(torch.zeros(2, 1, 5), x, y, forward)
    # D sees images in [-1, 1], where a half is 0.
    scores = [4 * 2 * 0.4 / 64, 4 * 2 * (0.3 + 0.5) / 64]
    expected = [0.3 * penalty(scores[0]), 0.3 / 49 + 0.3 * penalty(scores[1])]
    assert found.flatten().tolist() == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("weighting", ["weighted", "uniform", "inverted"])
def test_the_gradient_is_that_of_finite_differences(weighting):
    prior = tiny_dcgan(latent_size=3).double()
    physics = Mask(MASKS[:2].double())
    y = physics.A(images(2, torch.float64))
    solver = SemanticInpainting(prior, 0.3, weighting=weighting)
    objective = solver.objective_for(y, physics)
    forward = Forward(physics, facts(physics, SHAPE, count=2, like=y))

    def value(z: Tensor) -> Tensor:
        x = prior(z.flatten(0, 1)).unflatten(0, (2, 2))
        return objective.objective(z, x, y, forward)

    z = torch.randn(2, 2, 3, generator=rng(1), dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(value, z)


def test_the_residuals_slope_is_half_the_gradient_of_the_context_loss():
    """No pixel of these images agrees within KINK, where the two part."""
    prior = tiny_dcgan(latent_size=3).double()
    physics = Mask(MASKS[:2].double())
    y = physics.A(3 + images(2, torch.float64))
    objective = SemanticInpainting(prior, 0.0).objective_for(y, physics)
    problem = Problem(prior, objective, y, physics)
    z = torch.randn(2, 3, generator=rng(1), dtype=torch.float64)
    linearised = problem.residual_and_jacobian(z)
    assert linearised is not None
    residual, jacobian = linearised
    slope = (jacobian.mT @ residual[..., None])[..., 0]
    torch.testing.assert_close(slope, problem.value_and_gradient(z[None])[1][0] / 2)


def test_the_default_effort_solves_linear_l1_regression_like_a_linear_program():
    """min ||W (G z - y)||_1 for a linear G, against scipy's simplex."""
    prior, size = linear_prior(5, SHAPE), 64
    physics = Mask(center().double())
    y = physics.A(images(4, torch.float64))
    weight = context_weights(center().double()).flatten()
    columns = prior(torch.eye(5, dtype=torch.float64)).detach().flatten(1).T.numpy()
    bounds = [(None, None)] * 5 + [(0, None)] * size
    identity = np.eye(size)
    rows = np.block([[columns, -identity], [-columns, -identity]])
    found = SemanticInpainting(prior, 0.0).solve(y, physics).objective
    for i, image in enumerate(y.flatten(1).numpy()):
        cost = np.concatenate([np.zeros(5), weight.numpy()])
        limit = np.concatenate([image, -image])
        best = linprog(cost, rows, limit, bounds=bounds).fun
        assert found[i] == pytest.approx(best, rel=0.01)


@pytest.mark.parametrize("weighting", ["weighted", "uniform"])
def test_a_planted_image_is_recovered_under_its_mask(weighting):
    prior = tiny_dcgan()
    x = prior.sample(10, rng(11))
    physics = Mask(center())
    solver = SemanticInpainting(prior, 0.0, weighting=weighting, effort=BALANCED_L1)
    solution = solver.solve(physics.A(x), physics)
    error = (solution.x - x).square().flatten(1).mean(1)
    hidden = (1 - center()).sum() / 64
    assert (error / hidden < 1e-3).float().mean() >= 0.8


def test_a_signal_alone_equals_the_same_in_a_batch():
    prior = tiny_dcgan()
    physics = Mask(MASKS[:2].double())
    y = physics.A(images(2, torch.float64))
    solver = SemanticInpainting(prior, 0.1, effort=QUICK)
    whole = solver.solve(y, physics, rng=Streams(3))
    for i in range(2):
        own = Mask(physics.mask[i : i + 1])
        alone = solver.solve(y[i : i + 1], own, rng=Streams(3, [i]))
        torch.testing.assert_close(alone.x[0], whole.x[i], rtol=0, atol=1e-10)
        torch.testing.assert_close(alone.raw[0], whole.raw[i], rtol=0, atol=1e-10)


def test_the_solution_is_complete_and_blended():
    prior, physics = tiny_dcgan(), Mask(center())
    y = physics.A(images())
    solver = SemanticInpainting(prior, effort=QUICK)
    solution = solver.solve(y, physics)
    torch.testing.assert_close(prior(solution.z).detach(), solution.raw, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(solution.x, poisson_blend(solution.raw, y, center()))
    known = center().bool().expand_as(y)
    assert torch.equal(solution.x[known], y[known])
    assert not solution.measurement_error.any()
    assert torch.equal(solver(y, physics), solution.x)
    off = SemanticInpainting(prior, blend=False, effort=QUICK).solve(y, physics)
    assert torch.equal(off.x, solution.raw)
    assert off.raw is off.x
    torch.testing.assert_close(
        off.measurement_error, (y - physics.A(off.x)).square().flatten(1).sum(1)
    )
    screened = SemanticInpainting(prior, screening=0.5, effort=QUICK)(y, physics)
    torch.testing.assert_close(screened, poisson_blend(off.x, y, center(), screening=0.5))


def test_lambda_draws_towards_what_the_discriminator_likes():
    prior = bright_prior("critic")
    physics = Mask(center().double())
    y = physics.A(images(2, torch.float64))
    means = [
        SemanticInpainting(prior, weight, blend=False, effort=QUICK)(y, physics).mean()
        for weight in (0.0, 10.0)
    ]
    assert means[1] > means[0] + 0.1


def test_latents_are_kept_in_the_support_of_their_law():
    physics, y = Mask(center()), center() * images(1)
    z = torch.randn(2, 1, 5, generator=rng()) * 3
    uniform = SemanticInpainting(bright_prior(latent="uniform")).objective_for(y, physics)
    assert torch.equal(uniform.project(z), z.clamp(-1, 1))
    free = SemanticInpainting(bright_prior()).objective_for(y, physics)
    assert torch.equal(free.project(z), z)
    bound = SemanticInpainting(bright_prior(), latent_norm=1.5).objective_for(y, physics)
    found = bound.project(z)
    torch.testing.assert_close(found.norm(dim=-1), z.norm(dim=-1).clamp(max=1.5))
    torch.testing.assert_close(torch.cosine_similarity(found, z, dim=-1), torch.ones(2, 1))


@pytest.mark.parametrize("effort", [QUICK, BALANCED_L1])
def test_a_uniform_latent_ends_inside_the_cube_wherever_the_image_is(effort):
    """The known pixels lie far outside what the cube can explain."""
    prior, physics = bright_prior(latent="uniform"), Mask(center().double())
    y = physics.A(20 * images(2, torch.float64))
    solution = SemanticInpainting(prior, effort=effort).solve(y, physics)
    assert solution.z.abs().max() == 1


def test_a_bad_signal_is_named_and_leaves_the_others_alone():
    prior, physics = tiny_dcgan(), Mask(center().double())
    y = physics.A(images(3, torch.float64))
    solver = SemanticInpainting(prior, 0.1, effort=QUICK)
    clean = solver.solve(y, physics)
    y[1, 0, 0, 0] = torch.nan
    dirty = solver.solve(y, physics)
    assert dirty.status[1] is Status.NONFINITE
    assert dirty.x[1].isfinite().all()
    for i in (0, 2):
        torch.testing.assert_close(dirty.x[i], clean.x[i], rtol=0, atol=1e-10)


@pytest.mark.parametrize("context", [torch.no_grad, torch.inference_mode])
def test_it_works_where_gradients_are_off_and_changes_nothing(context):
    prior, physics = tiny_dcgan().train(), Mask(MASKS)
    state = {name: tensor.clone() for name, tensor in prior.state_dict().items()}
    solver = SemanticInpainting(prior, effort=QUICK)
    with context():
        y = physics.A(images())
        kept = y.clone()
        off = solver(y, physics)
    torch.testing.assert_close(off.clone(), solver(y.clone(), physics))
    assert torch.equal(y, kept)
    assert prior.discriminator.training
    assert all(parameter.requires_grad for parameter in prior.discriminator.parameters())
    assert all(torch.equal(prior.state_dict()[name], tensor) for name, tensor in state.items())


def test_colour_images_under_a_mask_per_channel():
    prior = tiny_dcgan(channels=3)
    mask = torch.stack([MASKS[0], MASKS[1], MASKS[2]], dim=1)
    physics = Mask(mask)
    y = physics.A(torch.rand(2, 3, 8, 8, generator=rng()))
    x = SemanticInpainting(prior, effort=QUICK)(y, physics)
    known = mask.bool().expand_as(y)
    assert torch.equal(x[known], y[known])


def test_the_papers_weight_is_in_our_units():
    """0.003 beside differences of images in [-1, 1], twice those of images in [0, 1]."""
    assert PAPER_WEIGHT * 2 == 0.003


def test_without_a_discriminator_the_priors_that_have_one_are_named():
    with pytest.raises(ValueError, match="prior_weight") as caught:
        SemanticInpainting(linear_prior(5, SHAPE))
    assert "\n" not in str(caught.value)
    for name in prior_names()[:1]:
        assert name in str(caught.value)
    physics = Mask(center().double())
    y = physics.A(images(1, torch.float64))
    assert (
        SemanticInpainting(linear_prior(5, SHAPE), 0.0, effort=QUICK)(y, physics).shape == y.shape
    )


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"prior_weight": -1.0}, "prior_weight must be"),
        ({"prior_weight": math.nan}, "prior_weight must be"),
        ({"screening": math.inf}, "screening must be"),
        ({"latent_norm": 0.0}, "latent_norm must be"),
        ({"weighting": "heavy"}, "weighting must be"),
        ({"prior_loss": "critic"}, "saturating or non-saturating for .* probabilities, got 'crit"),
    ],
)
def test_bad_settings_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        SemanticInpainting(tiny_dcgan(), **settings)


def test_a_critic_has_no_logarithm():
    with pytest.raises(ValueError, match=r"must be critic for .* a critic, got 'saturating'"):
        SemanticInpainting(bright_prior("critic"), prior_loss="saturating")


@pytest.mark.parametrize(
    ("physics", "message"),
    [
        (Mask(torch.ones(1, 1, 8, 8)), "hides no pixel of image 0"),
        (Mask(torch.cat([MASKS[:2], torch.ones(1, 1, 8, 8)])), "hides no pixel of image 2"),
        (Mask(torch.cat([MASKS[:2], torch.zeros(1, 1, 8, 8)])), "every pixel of image 2"),
        (Mask(torch.linspace(0, 1, 64).reshape(1, 1, 8, 8)), "not a mask"),
        (gaussian(64, SHAPE), "not a mask"),
        (Mask(torch.ones(1, 1, 9, 9)), "does not take images"),
    ],
)
def test_what_is_no_mask_with_a_hole_is_refused(physics, message):
    y = physics.A(images()) if physics.__class__ is not Mask else images()
    with pytest.raises(ValueError, match=message) as caught:
        SemanticInpainting(tiny_dcgan(), effort=QUICK).solve(y, physics)
    assert "\n" not in str(caught.value)


def test_it_drops_into_deepinv_test():
    """The numbers of deepinv's loop are those of our own call."""
    import deepinv

    x = tiny_dcgan(seed=1).sample(3, rng(5))
    physics = inpainting(center(), SHAPE)
    model = SemanticInpainting(tiny_dcgan(), effort=QUICK)
    batches = DataLoader(TensorDataset(x, physics(x)), batch_size=2)
    found = deepinv.test(model, batches, physics, verbose=False)
    x_hat = torch.cat([model(y, physics) for _, y in batches])
    psnr = -10 * (x_hat - x).square().flatten(1).mean(1).log10()
    assert found["PSNR"] == pytest.approx(float(psnr.mean()), rel=1e-4)
