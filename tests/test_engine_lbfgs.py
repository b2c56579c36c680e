"""L-BFGS: against scipy, on quadratics, with constraints and with numbers that are not finite."""

from __future__ import annotations

import pytest
import torch
from scipy.optimize import minimize

from ganprior.solvers.csgm import CSGMObjective
from ganprior.solvers.engine import LBFGS, Candidates, Descend, Problem
from ganprior.streams import Streams
from tests.cases import gaussian, linear_prior, rng, tiny_dcgan

PLAIN = LBFGS(0.5, curvature=False)


def make_problem(prior, count=3, m=30, objective=None):
    physics = gaussian(m, prior.image_shape, dtype=torch.float64)
    x = torch.rand(count, *prior.image_shape, generator=rng(2), dtype=torch.float64)
    return Problem(prior, objective or CSGMObjective(0.1), physics.A(x), physics)


def latents(restarts, count, size):
    return torch.randn(restarts, count, size, generator=rng(3), dtype=torch.float64)


def race(problem, starts, steps):
    return Descend(PLAIN, steps).run(problem, Candidates.at(problem, starts, Streams(0)))


def descend(problem, starts, steps):
    walk = PLAIN.begin(problem, starts, steps)
    for step in range(1, steps + 1):
        value, gradient = problem.value_and_gradient(walk.trial())
        walk.take(value, gradient, step)
    return walk


def test_solves_a_quadratic_like_its_normal_equations():
    prior = linear_prior()
    problem = make_problem(prior)
    size = prior.latent.size
    found = race(problem, latents(2, 3, size), 60)
    residual, jacobian = problem.residual_and_jacobian(found.z[0])
    assert (jacobian.mT @ residual[..., None]).abs().max() < 1e-5
    best = found.value.amin(0)
    for start in found.value:
        torch.testing.assert_close(start, best, rtol=1e-8, atol=0)


def test_reaches_what_scipys_lbfgs_reaches_from_the_same_start():
    problem = make_problem(tiny_dcgan())
    start = latents(1, 3, problem.prior.latent.size)
    ours = race(problem, start, 300)
    for i in range(3):
        alone = problem.subset(torch.tensor([i]))

        def function(z, alone=alone):
            value, gradient = alone.value_and_gradient(torch.from_numpy(z).view(1, 1, -1))
            return float(value), gradient.numpy().ravel()

        scipys = minimize(function, start[0, i].numpy(), jac=True, method="L-BFGS-B")
        # Neither is bound to the other's valley where the generator is not convex.
        assert ours.value[0, i] <= 1.05 * scipys.fun


def test_rows_do_not_mix():
    problem = make_problem(tiny_dcgan(), count=4)
    start = latents(2, 4, problem.prior.latent.size)
    together = descend(problem, start, 25)
    for i in range(4):
        alone = descend(problem.subset(torch.tensor([i])), start[:, i : i + 1], 25)
        torch.testing.assert_close(alone.z[:, 0], together.z[:, i], rtol=1e-10, atol=1e-10)


def test_value_never_rises_and_belongs_to_its_latent():
    problem = make_problem(tiny_dcgan())
    walk = PLAIN.begin(problem, latents(2, 3, problem.prior.latent.size), 30)
    values = []
    for step in range(1, 31):
        value, gradient = problem.value_and_gradient(walk.trial())
        walk.take(value, gradient, step)
        values.append(walk.value)
    trace = torch.stack(values)
    assert (trace[1:] <= trace[:-1]).all()
    torch.testing.assert_close(problem.value(walk.z), walk.value)


def test_a_signal_of_nan_does_not_disturb_the_others():
    problem = make_problem(tiny_dcgan())
    start = latents(2, 3, problem.prior.latent.size)
    clean = descend(problem, start, 15)
    problem.y[1] = torch.nan
    dirty = descend(problem, start, 15)
    assert torch.isinf(dirty.value[:, 1]).all()
    torch.testing.assert_close(dirty.z[:, 1], start[:, 1])
    for i in (0, 2):
        torch.testing.assert_close(dirty.z[:, i], clean.z[:, i], rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("descent_steps", [40])
def test_projected_points_stay_feasible_and_solve_the_constrained_quadratic(descent_steps):
    class InABox(CSGMObjective):
        def project(self, z):
            return z.clamp(-0.05, 0.05)

    prior = linear_prior()
    problem = make_problem(prior, objective=InABox(0.1))
    start = problem.project(latents(1, 3, prior.latent.size))
    walk = descend(problem, start, descent_steps)
    assert walk.z.abs().max() <= 0.05
    for i in range(3):
        alone = problem.subset(torch.tensor([i]))

        def function(z, alone=alone):
            value, gradient = alone.value_and_gradient(torch.from_numpy(z).view(1, 1, -1))
            return float(value), gradient.numpy().ravel()

        bounds = [(-0.05, 0.05)] * prior.latent.size
        scipys = minimize(function, start[0, i].numpy(), jac=True, method="L-BFGS-B", bounds=bounds)
        assert walk.value[0, i] <= 1.02 * scipys.fun
