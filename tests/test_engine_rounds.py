"""The penalised race, and the further rounds of signals that may not have found their minimum."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import nn

from ganprior.priors import Prior
from ganprior.solution import Status
from ganprior.solvers import BALANCED, CSGM, Effort
from ganprior.solvers.csgm import CSGMObjective
from ganprior.solvers.engine import LBFGS, Problem, rounds
from ganprior.solvers.engine.effort import Schedule
from ganprior.solvers.engine.minimise import minimise
from ganprior.solvers.engine.minimum import Minimum
from ganprior.solvers.engine.starts import draw_starts, first_starts
from ganprior.streams import Streams
from tests.cases import gaussian, rng, tiny_dcgan

ONCE = Effort(3, 16, 0.3, 0.3, descent=LBFGS, tolerance=0.1, window=8, polish_steps=20)
AGAIN = replace(ONCE, rounds=6)
COUNT = 6


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
    return found.value / problem.energy() < 1e-8


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
    release = Schedule(steps=8, race=(), tolerance=0.3, window=4)
    effort = replace(AGAIN, penalty=penalty, release=release)
    whole = minimise(problem, effort, Streams(1))
    # More steps than one round has.
    assert (whole.steps > ONCE.steps + 8 + ONCE.polish_steps).any()
    for i in range(COUNT):
        part = problem.select(torch.tensor([i]))
        alone = minimise(part, effort, Streams(1, [i]))
        torch.testing.assert_close(alone.z[0], whole.z[i], rtol=1e-6, atol=1e-6)
        # At the floor of rounding the polish of a round may need one more.
        assert (alone.steps[0] - whole.steps[i]).abs() <= 1 + AGAIN.rounds
        assert alone.restart[0] == whole.restart[i]


def test_a_signal_that_is_nan_disturbs_no_other_one():
    problem = planted()
    clean = minimise(problem, AGAIN, Streams(1))
    problem.y[2] = torch.nan
    dirty = minimise(problem, AGAIN, Streams(1))
    others = torch.arange(COUNT) != 2
    torch.testing.assert_close(dirty.z[others], clean.z[others], rtol=1e-6, atol=1e-6)
    assert dirty.status[2] is Status.NONFINITE
    assert dirty.steps[2] <= ONCE.steps
    assert not dirty.value[2].isfinite()


def test_signals_that_cannot_leave_the_batch_come_out_the_same():
    physics = gaussian(30, (1, 8, 8), dtype=torch.float64)
    problem = planted(physics=Unselectable(physics, COUNT))
    assert not problem.can_select
    once = minimise(problem, replace(AGAIN, rounds=0), Streams(1))
    more = minimise(problem, AGAIN, Streams(1))
    near = ~exact(problem, once)
    assert (more.value < once.value).any()
    assert torch.equal(more.z[~near], once.z[~near])
    assert torch.equal(more.steps[~near], once.steps[~near])


def minima(problem, relative):
    """Results of as many signals whose objective is so much of ||y||^2."""
    one = torch.ones(len(relative), dtype=torch.long)
    value = torch.tensor(relative).double() * problem.energy()
    z = torch.ones(len(relative), 6).double()
    return Minimum(z, value, (Status.CONVERGED,) * len(one), one, one, torch.zeros(1, len(one)))


def test_rounds_end_where_they_agree_or_the_signal_is_exact(monkeypatch):
    monkeypatch.setattr(rounds, "NEAR", 1e-3)
    problem = planted(5)
    first = minima(problem, [1e-9, 1e-5, 1e-2, 1e-1, torch.nan])
    #              round     1       2       3       4
    script = {1: [1e-5, 1e-5, 1e-5, 1e-9], 2: [1.04e-2], 3: [2e-1, 6e-2]}
    asked = []

    def solve(part, z):
        signals = [int((problem.y == row).all(1).nonzero()) for row in part.y]
        asked.append((signals, len(z)))
        return minima(part, [script[i].pop(0) for i in signals])

    def others(part, signals, number):
        return torch.zeros(number, len(signals), 6).double()

    found = rounds.again(problem, first, 6, torch.tensor(0.5), solve, others)
    # Near the range rounds that agree are not believed, and all but the first start anew; the one
    # that goes on to disagree is soon out of reach.
    expected = [([1, 2, 3], 1), ([3], 1), ([1], 2), ([1], 3), ([1], 4)]
    assert asked == expected
    relative = (found.value / problem.energy())[:4]
    torch.testing.assert_close(relative, torch.tensor([1e-9, 1e-9, 1e-2, 6e-2]).double())
    assert found.steps.tolist() == [1, 5, 2, 3, 1]
    assert found.value[4].isnan()


def test_a_round_sets_out_from_three_quarters_of_where_the_last_one_ended():
    problem = planted(2)
    first = minima(problem, [2.0, 3.0])
    starts = []

    def solve(part, z):
        starts.append(z)
        return replace(minima(part, [9.0 ** len(starts)] * part.count), z=z[0] + 1)

    def others(part, signals, number):
        return torch.zeros(0, len(signals), 6).double()

    found = rounds.again(problem, first, 2, torch.tensor(torch.inf), solve, others)
    assert torch.equal(starts[0], torch.full((1, 2, 6), 0.75).double())
    assert torch.equal(starts[1], torch.full((1, 2, 6), 1.3125).double())
    assert torch.equal(found.z, first.z)


def test_signals_out_of_reach_are_left_as_they_are(monkeypatch):
    monkeypatch.setattr(rounds, "NEAR", 1e-3)
    problem = planted(3)
    first = minima(problem, [9e-3, 1.1e-2, 1e-9])
    asked = []

    def solve(part, z):
        asked.append(part.y)
        return minima(part, [5e-3] * part.count)

    def others(part, signals, number):
        return torch.ones(1, len(signals), 6).double()

    rounds.again(problem, first, 1, torch.tensor(1e-2), solve, others)
    assert len(asked) == 1
    assert torch.equal(asked[0], problem.y[:1])


def test_further_starts_are_others_of_the_same_stream():
    problem, effort = planted(3), replace(ONCE, restarts=2)
    drawn = draw_starts(problem.prior.latent, 3, 4, Streams(1), problem.like)
    far = torch.full((1, 3, 6), 9.0).double()
    others = first_starts(problem, effort, Streams(1), None, far, 2)
    assert torch.equal(others, drawn[2:])


def test_penalty_is_of_the_scale_of_each_signal():
    problem = planted(3)
    z = torch.randn(2, 3, 6, generator=rng(3)).double()
    added = problem.penalised(0.1).value(z) - problem.value(z)
    expected = 0.1 * problem.y.square().sum(1) * z.square().sum(-1)
    torch.testing.assert_close(added, expected)
    chosen = torch.tensor([2, 0])
    few = problem.penalised(0.1).select(chosen).value(z[:, chosen])
    torch.testing.assert_close(few, problem.penalised(0.1).value(z)[:, chosen])


def test_penalty_is_released():
    problem = planted()
    release = Schedule(steps=60, race=(), tolerance=0.0, window=10)
    effort = replace(ONCE, penalty=0.01, polish_steps=0, release=release)
    seen: list[int] = []
    found = minimise(problem, effort, Streams(1), progress=seen.append)
    torch.testing.assert_close(problem.value(found.z[None])[0], found.value)
    assert (found.trace[1:] <= found.trace[:-1]).all()
    assert seen == sorted(seen)
    assert seen[-1] == effort.most_steps == ONCE.steps + 60
    held = minimise(problem, replace(effort, release=None), Streams(1))
    assert (found.value < held.value).all()


def test_an_exact_warm_start_stays_exact():
    prior = tiny_dcgan()
    physics = gaussian(3 * prior.latent.size, prior.image_shape, dtype=torch.float64)
    prior, z = prior.double(), prior.latent.sample(3, rng(5)).double()
    y = physics.A(prior.render(z))
    release = Schedule(steps=20, race=((0.1, 1),), tolerance=0.0, window=10)
    effort = replace(BALANCED, bank=0, restarts=2, steps=20, race=(), determined=None)
    effort = replace(effort, penalty=1.0, polish_steps=0, release=release)
    found = CSGM(prior, 0.0, effort=effort).solve(y, physics, warm=z[None])
    torch.testing.assert_close(found.x, prior.render(z), rtol=0, atol=1e-6)
    without = CSGM(prior, 0.0, effort=replace(effort, release=None)).solve(y, physics, warm=z[None])
    assert (without.objective > found.objective).all()
