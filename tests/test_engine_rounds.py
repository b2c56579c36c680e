"""The penalised race, and the further rounds of signals that may not have found their minimum."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import nn

from ganprior.priors import Prior
from ganprior.progress import telling
from ganprior.solution import Status
from ganprior.solvers import CSGM, LBFGS, Descend, Effort, Penalised, Polish, Random, Rounds, Stage
from ganprior.solvers.csgm import CSGMObjective
from ganprior.solvers.engine import Candidates, Problem, rounds
from ganprior.solvers.engine.minimise import minimise
from ganprior.solvers.engine.starts import SPARE, draw_starts
from ganprior.streams import Streams
from tests.cases import gaussian, rng, tiny_dcgan

PLAIN = LBFGS(0.3, curvature=False)
STEPS, POLISH = Descend(PLAIN, 16, tolerance=0.1, window=8), Polish(20)
ONCE = Effort(Random(3), STEPS, POLISH)
AGAIN = Effort(Random(3), Rounds(6, (STEPS, POLISH), fresh=3))
COUNT = 6
# How much the reach falls: thirty measurements of six latent entries, where 18 determine them.
BEYOND = (30 / (3 * 6)) ** rounds.SURPLUS


class Wavy(nn.Module):
    """A generator whose objective has a minimum per wave."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(12, 64, generator=rng(5)) / 4)

    def forward(self, z):
        waves = torch.cat([0.5 * z, (1.75 * z).sin()], -1)
        return (waves @ self.weight).sigmoid().view(-1, 1, 8, 8)


class Unselectable:
    """Measures image i by its own matrix, in a list that no one can take a part of."""

    def __init__(self, physics, count):
        self.physics, self.signs = physics, [(-1.0) ** i for i in range(count)]

    def A(self, x):
        y = self.physics.A(x)
        return y * y.new_tensor(self.signs)[:, None]


def planted(count=COUNT, physics=None):
    prior = Prior.from_module(Wavy(), 6, image_range=(0, 1))
    physics = physics or gaussian(30, prior.image_shape, dtype=torch.float64)
    z = prior.latent.sample(count, rng(8)).double()
    y = Problem(prior, CSGMObjective(0.0), torch.zeros(count, 30).double(), physics).images(z)
    return Problem(prior, CSGMObjective(0.0), physics.A(y), physics)


@pytest.fixture(autouse=True)
def all_near(monkeypatch):
    # The minima of this generator lie further apart than those of a trained one.
    monkeypatch.setattr(rounds, "NEAR", 1.0)


def exact(problem, found):
    return found.value / problem.scale < 1e-8


def test_stuck_planted_signals_are_recovered_in_a_further_round():
    problem = planted()
    once, more = (minimise(problem, effort, Streams(1)) for effort in (ONCE, AGAIN))
    stuck = ~exact(problem, once)
    assert stuck.any()
    assert (stuck & exact(problem, more)).any()
    assert (more.value <= once.value).all()
    # Signals that were exact are left alone; the others took more steps.
    assert torch.equal(more.z[~stuck], once.z[~stuck])
    assert torch.equal(more.steps > once.steps, stuck)
    assert torch.equal(more.restart, once.restart)
    torch.testing.assert_close(problem.value(more.z[None])[0], more.value)
    assert torch.equal(more.trace, once.trace)


@pytest.mark.parametrize("penalty", [0.0, 1e-3])
def test_a_signal_does_not_depend_on_the_others(penalty):
    problem = planted()
    released = Descend(PLAIN, 8, tolerance=0.3, window=4)
    stages = (Penalised(penalty, (STEPS,)), released, POLISH)
    effort = Effort(Random(3), Rounds(6, stages, fresh=3))
    whole = minimise(problem, effort, Streams(1))
    # More steps than one round has.
    assert (whole.steps > 16 + 8 + 20).any()
    for i in range(COUNT):
        part = problem.subset(torch.tensor([i]))
        alone = minimise(part, effort, Streams(1, [i]))
        torch.testing.assert_close(alone.z[0], whole.z[i], rtol=1e-6, atol=1e-6)
        # At the floor of rounding the polish of a round may need one more.
        assert (alone.steps[0] - whole.steps[i]).abs() <= 1 + 6
        assert alone.restart[0] == whole.restart[i]


def test_a_signal_that_is_nan_disturbs_no_other_one():
    problem = planted()
    clean = minimise(problem, AGAIN, Streams(1))
    problem.y[2] = torch.nan
    dirty = minimise(problem, AGAIN, Streams(1))
    others = torch.arange(COUNT) != 2
    torch.testing.assert_close(dirty.z[others], clean.z[others], rtol=1e-6, atol=1e-6)
    assert dirty.status[2] is Status.NONFINITE
    assert dirty.steps[2] <= 16
    assert not dirty.value[2].isfinite()


def test_signals_that_cannot_leave_the_batch_come_out_the_same():
    physics = gaussian(30, (1, 8, 8), dtype=torch.float64)
    problem = planted(physics=Unselectable(physics, COUNT))
    assert not problem.can_leave
    once = minimise(problem, ONCE, Streams(1))
    more = minimise(problem, AGAIN, Streams(1))
    near = ~exact(problem, once)
    assert (more.value < once.value).any()
    assert torch.equal(more.z[~near], once.z[~near])
    assert torch.equal(more.steps[~near], once.steps[~near])


class Scripted(Stage):
    """Answers with given objectives over ||y||^2, and writes down what it was asked."""

    def __init__(self, script, z=None):
        self.script, self.z = {i: list(values) for i, values in script.items()}, z
        self.whole, self.asked, self.given = None, [], []

    def run(self, problem, candidates):
        self.whole = self.whole or problem
        signals = [int((self.whole.y == row).all(1).nonzero()) for row in problem.y]
        relative = [self.script[i].pop(0) for i in signals]
        self.asked.append((signals, len(candidates.z)))
        self.given.append(candidates.z)
        value = problem.y.new_tensor(relative) * problem.scale
        z = torch.ones_like(candidates.z) if self.z is None else self.z(candidates.z)
        found = replace(candidates, z=z, value=value.expand(len(z), -1))
        return replace(found, steps=torch.ones_like(found.steps))


def run_rounds(problem, stage, most, reach, starts=3):
    drawn = Random(starts).run(problem, Candidates.at(problem, None, Streams(1)))
    return Rounds(most, (stage,), reach, fresh=2).run(problem, drawn)


def test_rounds_end_where_they_agree_or_the_signal_is_exact(monkeypatch):
    monkeypatch.setattr(rounds, "NEAR", 1e-3)
    problem = planted(5)
    #                           round     1       2       3       4       5
    script = {0: [1e-9], 1: [1e-5, 1e-5, 1e-5, 1e-5, 1e-9], 2: [1e-2, 1.04e-2]}
    script |= {3: [1e-1, 2e-1, 6e-2], 4: [torch.nan]}
    stage = Scripted(script)
    found = run_rounds(problem, stage, 6, 0.5 * BEYOND)
    # Near the range rounds that agree are not believed, and all but the first start anew; the one
    # that goes on to disagree is soon out of reach.
    assert stage.asked == [
        ([0, 1, 2, 3, 4], 3),
        ([1, 2, 3], 1),
        ([3], 1),
        ([1], 2),
        ([1], 2),
        ([1], 2),
    ]
    relative = (found.value[0] / problem.scale)[:4]
    torch.testing.assert_close(relative, torch.tensor([1e-9, 1e-9, 1e-2, 6e-2]).double())
    assert found.steps[0].tolist() == [1, 5, 2, 3, 1]
    assert not found.value[0, 4].isfinite()


def test_a_round_sets_out_from_three_quarters_of_where_the_last_one_ended():
    problem = planted(2)
    stage = Scripted({0: [2.0, 9.0, 81.0], 1: [3.0, 9.0, 81.0]}, z=lambda z: z[:1] + 1)
    found = run_rounds(problem, stage, 2, torch.inf, starts=1)
    _, second, third = stage.given
    torch.testing.assert_close(second, 0.75 * found.z)
    torch.testing.assert_close(third, 0.75 * (second + 1))


def test_signals_out_of_reach_are_left_as_they_are(monkeypatch):
    monkeypatch.setattr(rounds, "NEAR", 1e-3)
    problem = planted(3)
    stage = Scripted({0: [9e-3, 5e-3], 1: [1.1e-2], 2: [1e-9]})
    run_rounds(problem, stage, 1, 1e-2 * BEYOND)
    assert [signals for signals, _ in stage.asked] == [[0, 1, 2], [0]]


def test_further_starts_are_others_of_the_same_stream():
    problem = planted(3)
    drawn = draw_starts(problem.prior.latent, 3, 2 + SPARE, Streams(1), problem.like)
    far = torch.full((1, 3, 6), 9.0).double()
    found = Random(2).run(problem, Candidates.at(problem, far, Streams(1)))
    assert torch.equal(found.spare, drawn[2:])


def test_penalty_is_of_the_scale_of_each_signal():
    problem = planted(3)
    z = torch.randn(2, 3, 6, generator=rng(3)).double()
    added = problem.penalised(0.1).value(z) - problem.value(z)
    expected = 0.1 * problem.y.square().sum(1) * z.square().sum(-1)
    torch.testing.assert_close(added, expected)
    chosen = torch.tensor([2, 0])
    few = problem.penalised(0.1).subset(chosen).value(z[:, chosen])
    torch.testing.assert_close(few, problem.penalised(0.1).value(z)[:, chosen])


def test_penalty_is_released():
    problem = planted()
    held, released = Penalised(0.01, (STEPS,)), Descend(PLAIN, 60, window=10)
    effort = Effort(Random(3), held, released)
    seen: list[int] = []
    with telling(lambda done, most: seen.append(done)):
        found = minimise(problem, effort, Streams(1))
    torch.testing.assert_close(problem.value(found.z[None])[0], found.value)
    assert seen == sorted(seen)
    assert seen[-1] <= effort.most_steps == 16 + 60
    alone = minimise(problem, Effort(Random(3), held), Streams(1))
    torch.testing.assert_close(problem.value(alone.z[None])[0], alone.value)
    assert (found.value < alone.value).all()


def test_an_exact_warm_start_stays_exact():
    prior = tiny_dcgan()
    physics = gaussian(3 * prior.latent.size, prior.image_shape, dtype=torch.float64)
    prior, z = prior.double(), prior.latent.sample(3, rng(5)).double()
    y = physics.A(prior.render(z))
    held = Penalised(1.0, (Descend(LBFGS(), 20),))
    effort = Effort(Random(2), held, Descend(LBFGS(), 20, keep=((0.1, 1),), window=10))
    found = CSGM(prior, 0.0, effort=effort).solve(y, physics, warm=z[None])
    torch.testing.assert_close(found.x, prior.render(z), rtol=0, atol=1e-6)
