"""The engine: problems, starts, racing, polish."""

from __future__ import annotations

import importlib
from dataclasses import replace

import pytest
import torch

from ganprior.solvers import Effort
from ganprior.solvers.csgm import CSGMObjective
from ganprior.solvers.engine import BALANCED, Problem
from ganprior.solvers.engine import problem as problem_module
from ganprior.solvers.engine.adam import rate
from ganprior.solvers.engine.effort import SURPLUS
from ganprior.solvers.engine.levenberg_marquardt import polish
from ganprior.solvers.engine.minimise import minimise
from ganprior.solvers.engine.race import CHECK, race
from ganprior.solvers.engine.starts import draw_starts, first_starts, survivors
from ganprior.streams import Streams
from tests.cases import Dense, Fourier, Phaseless, gaussian, rng, tiny_dcgan

SHAPE = (1, 8, 8)


def make_problem(count=3, weight=0.1, m=30, dtype=torch.float64, prior=None, physics=None):
    prior = prior or tiny_dcgan()
    physics = physics or gaussian(m, prior.image_shape, dtype=dtype)
    x = torch.rand(count, *prior.image_shape, generator=rng(2), dtype=dtype)
    return Problem(prior, CSGMObjective(weight), physics.A(x), physics)


def latents(restarts, count, size=6, dtype=torch.float64):
    return torch.randn(restarts, count, size, generator=rng(3), dtype=dtype)


class TestProblem:
    def test_residual_is_the_root_of_the_objective(self):
        problem = make_problem()
        z = latents(1, 3)
        residual, _ = problem.residual_and_jacobian(z[0])
        torch.testing.assert_close(residual.square().sum(-1), problem.value(z)[0])

    @pytest.mark.parametrize(
        "physics", [None, Fourier(), Phaseless(gaussian(20, SHAPE, dtype=torch.float64))]
    )
    def test_jacobian_is_the_derivative_of_the_residual(self, physics):
        problem = make_problem(physics=physics)
        z = latents(1, 3)[0]
        residual, jacobian = problem.residual_and_jacobian(z)
        step = 1e-6
        for entry in range(z.shape[1]):
            moved = z.clone()
            moved[:, entry] += step
            after, _ = problem.residual_and_jacobian(moved)
            numeric = (after - residual) / step
            torch.testing.assert_close(jacobian[..., entry], numeric, rtol=1e-3, atol=1e-4)

    def test_gradient_of_a_batch_is_that_of_each_signal(self):
        # With plain gradients: Adam would hide a mean taken for a sum.
        problem = make_problem(count=5)
        z = latents(2, 5)
        value, gradient = problem.value_and_gradient(z)
        for i in range(5):
            alone = problem.select(torch.tensor([i]))
            v, g = alone.value_and_gradient(z[:, i : i + 1])
            torch.testing.assert_close(v[:, 0], value[:, i], rtol=1e-12, atol=1e-12)
            torch.testing.assert_close(g[:, 0], gradient[:, i], rtol=1e-12, atol=1e-12)

    @pytest.mark.parametrize("images", [1, 2, 4, 7])
    def test_chunks_change_nothing(self, images):
        problem = make_problem(count=5)
        z = latents(3, 5)
        expected = problem.value_and_gradient(z)
        problem.images_per_chunk = images
        for got, wanted in zip(problem.value_and_gradient(z), expected, strict=True):
            torch.testing.assert_close(got, wanted, rtol=1e-12, atol=1e-12)
        torch.testing.assert_close(problem.value(z), expected[0], rtol=1e-12, atol=1e-12)

    def test_chunks_follow_the_memory_bound(self, monkeypatch):
        monkeypatch.setattr(problem_module, "CPU_IMAGES", 10**9)
        many = make_problem().images_per_chunk
        monkeypatch.setattr(problem_module, "MEMORY_BOUND", problem_module.MEMORY_BOUND // 8)
        assert make_problem().images_per_chunk == pytest.approx(many / 8, abs=1)
        monkeypatch.setattr(problem_module, "CPU_IMAGES", 3)
        assert make_problem().images_per_chunk == 3


class TestAdam:
    def test_one_restart_is_torchs_adam(self):
        problem = make_problem(count=2)
        starts = latents(1, 2)
        effort = Effort(restarts=1, steps=12, learning_rate=0.1, final_rate=0.1, tolerance=0)
        z = starts.clone().requires_grad_(True)
        optimizer = torch.optim.Adam([z], lr=0.1)
        values = []
        for _ in range(12):
            optimizer.zero_grad()
            value, gradient = problem.value_and_gradient(z)
            values.append(value)
            z.grad = gradient
            optimizer.step()
        values.append(problem.value(z))
        found = race(problem, starts, effort)
        torch.testing.assert_close(found.value, torch.stack(values).amin(0), rtol=1e-10, atol=0)

    def test_best_over_steps_is_kept_and_is_the_value_of_its_latent(self):
        problem = make_problem()
        effort = Effort(restarts=2, steps=15, learning_rate=0.8, final_rate=0.8, tolerance=0)
        found = race(problem, latents(2, 3), effort)
        torch.testing.assert_close(problem.value(found.z), found.value)
        trace = torch.stack(found.trace)
        assert (trace[1:] <= trace[:-1]).all()

    def test_survivors_are_the_best_of_each_signal(self):
        value = torch.tensor([[3.0, torch.nan], [1.0, 5.0], [2.0, torch.inf]])
        rows, numbers = survivors(torch.arange(6.0).view(3, 2, 1), value, 2)
        assert numbers[:, 0].tolist() == [1, 2]
        assert numbers[0, 1] == 1
        assert rows[0, :, 0].tolist() == [2.0, 3.0]

    def test_race_keeps_the_published_number(self):
        effort = Effort(
            restarts=8, steps=20, learning_rate=0.1, final_rate=0.01, race=((0.25, 4), (0.5, 1))
        )
        assert [effort.survivors(step) for step in (1, 5, 9, 10, 20)] == [8, 4, 4, 1, 1]
        assert len(race(make_problem(), latents(8, 3), effort).z) == 1

    def test_rate_falls_from_first_to_last(self):
        effort = Effort(restarts=1, steps=30, learning_rate=0.2, final_rate=0.05)
        rates = [rate(effort, step) for step in range(1, 31)]
        assert rates[0] == pytest.approx(0.2)
        assert rates[-1] == pytest.approx(0.05)
        assert rates == sorted(rates, reverse=True)

    def test_converged_signals_leave_and_keep_their_result(self):
        problem = make_problem(count=4, weight=5.0)
        effort = Effort(
            restarts=2, steps=400, learning_rate=0.05, final_rate=0.05, tolerance=1e-3, window=20
        )
        found = race(problem, latents(2, 4), effort)
        assert found.converged.all()
        assert (found.steps < 400).all()
        torch.testing.assert_close(problem.value(found.z), found.value)

    def test_signals_leave_at_the_first_look_that_finds_too_small_a_fall(self):
        problem, starts, window = make_problem(count=4, weight=5.0), latents(1, 4), 7
        effort = Effort(1, 200, 0.05, 0.05, tolerance=0, window=window)
        best = torch.stack(race(problem, starts, effort).trace)
        expected = []
        for own in best.T.tolist():
            looks = [step for step in range(window + 1, 200) if step % CHECK == 0]
            small = (s for s in looks if own[s - 1 - window] - own[s - 1] <= 1e-2 * own[s - 1])
            expected.append(next(small))
        found = race(problem, starts, replace(effort, tolerance=1e-2))
        assert found.steps.tolist() == expected
        assert len(set(expected)) > 1
        assert any(step % window for step in expected)

    def test_far_signals_leave_by_a_tolerance_of_their_own(self):
        prior, z = tiny_dcgan(), latents(1, 2)
        physics = gaussian(30, prior.image_shape, dtype=torch.float64)
        x = torch.cat([prior.render(z[0, :1]), torch.rand(1, *prior.image_shape, generator=rng(2))])
        problem = Problem(prior, CSGMObjective(0.0), physics.A(x.double()), physics)
        starts = z + 1e-3
        relative = problem.value(starts)[0] / problem.energy()
        assert relative[0] < 1e-3 < 1e-2 < relative[1]
        effort = Effort(1, 40, 1e-5, 1e-5, tolerance=1e-9, window=4, far_tolerance=0.5, reach=5e-3)
        assert race(problem, starts, effort).steps.tolist() == [40, 4 + CHECK]
        effort = replace(effort, far_tolerance=0.0)
        assert race(problem, starts, effort).steps.tolist() == [40, 40]


class TestPolish:
    def test_lowers_the_objective_and_reports_its_value(self):
        problem = make_problem(count=4)
        z = latents(1, 4)[0]
        polished = polish(problem, z, 30, 1e-6)
        assert (polished.value <= problem.value(z[None])[0]).all()
        torch.testing.assert_close(problem.value(polished.z[None])[0], polished.value)

    def test_few_jacobians_at_a_time_change_nothing(self, monkeypatch):
        problem = make_problem(count=5)
        whole = polish(problem, latents(1, 5)[0], 10, 1e-6)
        module = importlib.import_module("ganprior.solvers.engine.levenberg_marquardt")
        monkeypatch.setattr(module, "JACOBIAN_BYTES", 2 * 8 * 30 * 6)
        parts = polish(problem, latents(1, 5)[0], 10, 1e-6)
        torch.testing.assert_close(parts.z, whole.z, rtol=1e-9, atol=1e-9)
        assert torch.equal(parts.steps, whole.steps)

    def test_nan_signal_does_not_disturb_the_others(self):
        problem = make_problem(count=3)
        clean = polish(problem, latents(1, 3)[0], 10, 1e-6)
        problem.y[1] = torch.nan
        dirty = polish(problem, latents(1, 3)[0], 10, 1e-6)
        for i in (0, 2):
            torch.testing.assert_close(dirty.z[i], clean.z[i], rtol=1e-9, atol=1e-9)

    def test_without_a_residual_there_is_no_polish(self):
        class Absolute(CSGMObjective):
            def residual(self, z, x, y, physics):
                return None

        physics = gaussian(30, SHAPE, dtype=torch.float64)
        y = physics.A(torch.rand(2, *SHAPE, generator=rng(), dtype=torch.float64))
        problem = Problem(tiny_dcgan(), Absolute(0.0), y, physics)
        assert polish(problem, latents(1, 2)[0], 3, 1e-6) is None


def test_starts_depend_on_seed_and_index_alone():
    latent = tiny_dcgan().latent
    like = torch.empty(0)
    whole = draw_starts(latent, 4, 3, Streams(7), like)
    part = draw_starts(latent, 2, 3, Streams(7, [3, 1]), like)
    assert torch.equal(part, whole[:, [3, 1]])
    assert not torch.equal(whole, draw_starts(latent, 4, 3, Streams(8), like))
    more = draw_starts(latent, 4, 5, Streams(7), like)
    assert torch.equal(more[:3], whole)


@pytest.mark.parametrize(
    "change",
    [
        {"restarts": 0},
        {"steps": 0},
        {"learning_rate": 0.0},
        {"final_rate": 1.0},
        {"race": ((1.5, 2),)},
        {"polish_steps": -1},
    ],
)
def test_bad_efforts_are_refused(change):
    good = {"restarts": 2, "steps": 5, "learning_rate": 0.1, "final_rate": 0.1}
    with pytest.raises(ValueError, match="must"):
        Effort(**{**good, **change})


def test_dense_case_has_the_stated_scale():
    matrix = gaussian(50, SHAPE).matrix
    assert isinstance(gaussian(5, SHAPE), Dense)
    assert float(matrix.square().sum(0).mean()) == pytest.approx(1, rel=0.1)


def test_random_starts_are_the_best_candidates():
    problem, latent = make_problem(count=5), tiny_dcgan().latent
    effort = Effort(restarts=2, steps=1, learning_rate=0.1, final_rate=0.1, candidates=6)
    drawn = draw_starts(latent, 5, 12, Streams(1), problem.like)
    expected, _ = survivors(drawn, problem.value(drawn), 2)
    assert torch.equal(first_starts(problem, effort, Streams(1), None, None), expected)


def test_a_warm_start_competes_with_the_others():
    problem, effort = make_problem(count=3), Effort(2, 1, 0.1, 0.1)
    drawn = first_starts(problem, effort, Streams(1), None, None)
    good = race(problem, drawn, Effort(2, 80, 0.1, 0.1)).z[:1]
    bad = good + 100
    starts = first_starts(problem, effort, Streams(1), None, torch.cat([good, bad]))
    assert torch.equal(starts[0], good[0])
    assert starts.shape == drawn.shape
    assert starts.abs().max() < 50


def test_blocks_of_signals_change_nothing(monkeypatch):
    problem = make_problem(count=5)
    effort = Effort(2, 30, 0.1, 0.1, polish_steps=3, tolerance=1e-2, window=5)
    whole = minimise(problem, effort, Streams(1))
    # The package's name ``minimise`` is the function.
    module = importlib.import_module("ganprior.solvers.engine.minimise")
    monkeypatch.setattr(module, "BLOCK", 2)
    seen: list[int] = []
    parts = minimise(problem, effort, Streams(1), progress=seen.append)
    torch.testing.assert_close(parts.z, whole.z, rtol=1e-10, atol=1e-10)
    torch.testing.assert_close(parts.value, whole.value, rtol=1e-10, atol=1e-10)
    assert parts.status == whole.status
    assert torch.equal(parts.steps, whole.steps)
    torch.testing.assert_close(parts.trace[-1], whole.trace[-1], rtol=1e-10, atol=1e-10)
    assert seen == sorted(seen)
    assert seen[-1] <= effort.steps


def test_a_determined_problem_gets_a_longer_schedule_and_an_explicit_one_stays():
    longer = BALANCED.on(3 * 20, 20)
    assert (longer.steps, longer.race) == (BALANCED.determined.steps, BALANCED.determined.race)
    assert longer.polish_steps == BALANCED.polish_steps
    assert BALANCED.on(3 * 20 - 1, 20) == BALANCED
    assert BALANCED.most_steps == longer.most_steps > BALANCED.steps
    assert longer.most_steps == longer.steps + longer.release.steps
    assert longer.reach == BALANCED.determined.reach
    reach = longer.reach_of(torch.tensor([3 * 20, 6 * 20, 20]), 20)
    assert reach.tolist() == [longer.reach, longer.reach / 2**SURPLUS, longer.reach]
    explicit = BALANCED.replace(steps=7)
    assert explicit.on(1000, 20) == explicit


def test_where_nothing_can_be_regressed_there_are_more_starts_unless_a_number_is_asked_for():
    for measurements in (20, 1000):
        unaided = BALANCED.on(measurements, 20, regressions=False)
        assert unaided.neighbours == ()
        assert unaided.restarts == BALANCED.unaided > BALANCED.restarts
    assert BALANCED.replace(restarts=2).on(20, 20, regressions=False).restarts == 2
