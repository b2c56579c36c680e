"""The engine: problems, starts, racing, polish."""

from __future__ import annotations

import importlib
from dataclasses import replace

import pytest
import torch

from ganprior.progress import telling
from ganprior.solvers import BALANCED, Adam, Descend, Effort, FromBank, Polish, Random, Rounds
from ganprior.solvers.csgm import CSGMObjective
from ganprior.solvers.engine import Candidates, Problem
from ganprior.solvers.engine import problem as problem_module
from ganprior.solvers.engine.candidates import lowest, pick
from ganprior.solvers.engine.descend import CHECK
from ganprior.solvers.engine.levenberg_marquardt import polish
from ganprior.solvers.engine.minimise import minimise
from ganprior.solvers.engine.starts import draw_starts
from ganprior.streams import Streams
from tests.cases import Dense, Fourier, Phaseless, gaussian, rng, tiny_dcgan

SHAPE = (1, 8, 8)


def make_problem(count=3, weight=0.1, m=30, dtype=torch.float64, prior=None, physics=None):
    prior = prior or tiny_dcgan()
    physics = physics or gaussian(m, prior.image_shape, dtype=dtype)
    x = torch.rand(count, *prior.image_shape, generator=rng(2), dtype=dtype)
    return Problem(prior, CSGMObjective(weight), physics.A(x), physics)


def from_starts(stage, problem, z):
    """What a stage makes of latents (R, B, k)."""
    return stage.run(problem, Candidates.at(problem, z, Streams(0)))


def starts_of(stage, problem, warm=None, seed=1):
    return stage.run(problem, Candidates.at(problem, warm, Streams(seed))).z


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
            alone = problem.subset(torch.tensor([i]))
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
        found = from_starts(Descend(Adam(0.1), 12), problem, starts)
        torch.testing.assert_close(found.value, torch.stack(values).amin(0), rtol=1e-10, atol=0)

    def test_best_over_steps_is_kept_and_is_the_value_of_its_latent(self):
        problem = make_problem()
        found = from_starts(Descend(Adam(0.8), 15), problem, latents(2, 3))
        torch.testing.assert_close(problem.value(found.z), found.value)
        assert found.trace.shape == (15, 3)
        assert (found.trace[1:] <= found.trace[:-1]).all()

    def test_survivors_are_the_best_of_each_signal(self):
        value = torch.tensor([[3.0, torch.nan], [1.0, 5.0], [2.0, torch.inf]])
        numbers = lowest(value, 2)
        rows = pick(torch.arange(6.0).view(3, 2, 1), numbers)
        assert numbers[:, 0].tolist() == [1, 2]
        assert numbers[0, 1] == 1
        assert rows[0, :, 0].tolist() == [2.0, 3.0]

    def test_race_keeps_the_published_number(self):
        stage = Descend(Adam(0.1, 0.01), 20, keep=((0.25, 4), (0.5, 1)))
        assert stage.survivors(1) >= 8
        assert [stage.survivors(step) for step in (5, 9, 10, 20)] == [4, 4, 1, 1]
        assert len(from_starts(stage, make_problem(), latents(8, 3)).z) == 1

    def test_rate_falls_from_first_to_last(self):
        rates = [Adam(0.2, 0.05).rate(step, 30) for step in range(1, 31)]
        assert rates[0] == pytest.approx(0.2)
        assert rates[-1] == pytest.approx(0.05)
        assert rates == sorted(rates, reverse=True)

    def test_converged_signals_leave_and_keep_their_result(self):
        problem = make_problem(count=4, weight=5.0)
        stage = Descend(Adam(0.05), 400, tolerance=1e-3, window=20)
        found = from_starts(stage, problem, latents(2, 4))
        assert found.converged.all()
        assert (found.steps < 400).all()
        torch.testing.assert_close(problem.value(found.z), found.value)

    def test_signals_leave_at_the_first_look_that_finds_too_small_a_fall(self):
        problem, starts, window = make_problem(count=4, weight=5.0), latents(1, 4), 7
        stage = Descend(Adam(0.05), 200, window=window)
        best = from_starts(stage, problem, starts).trace
        expected = []
        for own in best.T.tolist():
            looks = [step for step in range(window + 1, 200) if step % CHECK == 0]
            small = (s for s in looks if own[s - 1 - window] - own[s - 1] <= 1e-2 * own[s - 1])
            expected.append(next(small))
        found = from_starts(replace(stage, tolerance=1e-2), problem, starts)
        assert found.steps[0].tolist() == expected
        assert len(set(expected)) > 1
        assert any(step % window for step in expected)


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
    "make",
    [
        lambda: Random(0),
        lambda: Random(1, tried=0),
        lambda: FromBank(0, nearest=1),
        lambda: FromBank(10, nearest=0),
        lambda: Descend(Adam(0.1), 0),
        lambda: Descend(Adam(0.1), 5, window=0),
        lambda: Descend(Adam(0.1), 5, tolerance=-1.0),
        lambda: Descend(Adam(0.1), 5, keep=((1.5, 2),)),
        lambda: Adam(0.0),
        lambda: Adam(0.1, 1.0),
        lambda: Polish(0),
        lambda: Rounds(-1, ()),
        lambda: Effort(*"fast"),
        lambda: BALANCED.replace(restarts=0),
    ],
)
def test_bad_efforts_are_refused(make):
    with pytest.raises(ValueError, match="must"):
        make()


def test_an_effort_that_makes_no_starts_is_refused():
    with pytest.raises(ValueError, match=r"begin with a stage that makes starts"):
        minimise(make_problem(), Effort(Polish(3)), Streams(0))


def test_dense_case_has_the_stated_scale():
    matrix = gaussian(50, SHAPE).matrix
    assert isinstance(gaussian(5, SHAPE), Dense)
    assert float(matrix.square().sum(0).mean()) == pytest.approx(1, rel=0.1)


def test_random_starts_are_the_best_candidates():
    problem, latent = make_problem(count=5), tiny_dcgan().latent
    drawn = draw_starts(latent, 5, 12, Streams(1), problem.like)
    expected = pick(drawn, lowest(problem.value(drawn), 2))
    assert torch.equal(starts_of(Random(2, tried=6), problem), expected)


def test_a_warm_start_competes_with_the_others():
    problem, stage = make_problem(count=3), Random(2)
    drawn = starts_of(stage, problem)
    good = from_starts(Descend(Adam(0.1), 80), problem, drawn).z[:1]
    bad = good + 100
    starts = starts_of(stage, problem, torch.cat([good, bad]))
    assert torch.equal(starts[0], good[0])
    assert starts.shape == drawn.shape
    assert starts.abs().max() < 50


def test_blocks_of_signals_change_nothing(monkeypatch):
    problem = make_problem(count=5)
    effort = Effort(Random(2), Descend(Adam(0.1), 30, tolerance=1e-2, window=5), Polish(3))
    whole = minimise(problem, effort, Streams(1))
    # The package's name ``minimise`` is the function.
    module = importlib.import_module("ganprior.solvers.engine.minimise")
    monkeypatch.setattr(module, "BLOCK", 2)
    seen: list[int] = []
    with telling(lambda done, most: seen.append(done)):
        parts = minimise(problem, effort, Streams(1))
    torch.testing.assert_close(parts.z, whole.z, rtol=1e-10, atol=1e-10)
    torch.testing.assert_close(parts.value, whole.value, rtol=1e-10, atol=1e-10)
    assert parts.status == whole.status
    assert torch.equal(parts.steps, whole.steps)
    torch.testing.assert_close(parts.trace[-1], whole.trace[-1], rtol=1e-10, atol=1e-10)
    assert seen == sorted(seen)
    assert seen[-1] <= effort.most_steps


def names(effort):
    return [type(stage).__name__ for stage in effort]


def test_a_determined_problem_gets_more_stages_and_numbers_of_ones_own_are_for_all():
    few, many = (BALANCED.on(make_problem(m=m)) for m in (3 * 6 - 1, 3 * 6))
    assert names(few) == ["FromBank", "Descend", "Polish"]
    assert names(many) == ["FromBank", "Rounds"]
    assert BALANCED.most_steps == many.most_steps > few.most_steps
    explicit = BALANCED.replace(steps=7)
    assert names(explicit) == names(few)
    assert explicit.most_steps == 7
    assert explicit.on(make_problem(m=60)) == explicit


def test_where_nothing_can_be_regressed_there_are_more_starts_unless_a_number_is_asked_for():
    for m in (5, 30):
        problem = make_problem(m=m)
        assert BALANCED.on(problem).restarts == 6
        problem.alike = problem.can_leave = False
        unaided = BALANCED.on(problem)
        assert unaided.restarts == 12
        assert "regress=()" in repr(unaided)
    assert BALANCED.replace(restarts=2).on(problem).restarts == 2


def test_stages_inside_of_stages_are_changed_and_left_out():
    own = BALANCED.change(Polish, steps=7).without(FromBank)
    assert "Polish(steps=7, tolerance=0.03)" in repr(own)
    assert "steps=30" not in repr(own)
    assert own.restarts == 0
    assert Effort(*BALANCED) == BALANCED


class TestScale:
    """The engine judges an objective by its own size."""

    def problem(self, objective, count=3):
        physics = gaussian(12, SHAPE, dtype=torch.float64)
        x = torch.rand(count, *SHAPE, generator=rng(2), dtype=torch.float64)
        return Problem(tiny_dcgan(), objective, physics.A(x), physics)

    def test_of_a_sum_of_squares_is_that_of_the_measurements(self):
        problem = self.problem(CSGMObjective(0.3))
        torch.testing.assert_close(problem.scale, problem.y.square().sum(1))
        torch.testing.assert_close(
            problem.subset(torch.tensor([2, 0])).scale, problem.scale[[2, 0]]
        )

    def test_of_one_that_states_none_is_that_of_a_black_image(self):
        class Absolute:
            def objective(self, z, x, y, physics):
                return (physics.A(x) - y).abs().flatten(2).sum(-1)

            def residual(self, z, x, y, physics):
                return None

        problem = self.problem(Absolute())
        torch.testing.assert_close(problem.scale, problem.y.abs().sum(1))
