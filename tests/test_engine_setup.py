"""What the engine computes before the first step stays within its budget, and what it is."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from ganprior import CSGM, Prior, solver
from ganprior.solvers import BALANCED, LBFGS, Descend, FromBank, Polish, Random
from ganprior.solvers.csgm import CSGMObjective
from ganprior.solvers.engine import Problem, bank, curvature, levenberg_marquardt, setup
from ganprior.solvers.engine import problem as problem_module
from ganprior.solvers.engine.levenberg_marquardt import polish
from ganprior.solvers.engine.problem import _Covered
from tests.cases import gaussian, rng, tiny_dcgan

SHAPE = (1, 8, 8)


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("GANPRIOR_CACHE", str(tmp_path / "cache"))
    bank._in_memory.clear()
    curvature._in_memory.clear()
    return tmp_path / "cache"


class Counting(nn.Module):
    """A generator that notes the sizes of its batches."""

    def __init__(self):
        super().__init__()
        self.body = tiny_dcgan().generator
        self.sizes: list[int] = []

    def forward(self, z):
        self.sizes.append(len(z))
        return self.body(z)


def make_problem(prior=None, count=3, budget="auto", dtype=torch.float64, m=30):
    prior = prior or tiny_dcgan()
    physics = gaussian(m, prior.image_shape, dtype=dtype)
    x = prior.render(torch.randn(count, prior.latent.size, generator=rng(5))).to(dtype)
    return Problem(prior, CSGMObjective(0.0), physics.A(x), physics, setup=budget)


class TestBudget:
    def test_of_seconds_is_a_power_of_two_of_passes(self):
        few, many = make_problem(budget=0.01).passes, make_problem(budget=100.0).passes
        assert few < many
        assert many & (many - 1) == 0
        assert make_problem(budget=1e-9).passes == 0

    def test_by_itself_it_goes_by_the_generator(self, monkeypatch):
        many = make_problem().passes
        monkeypatch.setattr(setup, "BYTES", setup.BYTES // 2)
        assert make_problem().passes == many // 2

    def test_bounds_the_bank(self, monkeypatch):
        problem = make_problem()
        problem.passes = 9
        assert len(bank.bank_of(problem, 500).images) == 9
        problem.passes = 0
        assert len(bank.bank_of(problem, 500).images) == 1

    def test_the_bank_is_computed_in_measured_chunks(self, monkeypatch):
        prior = Prior.from_module(Counting(), 6)
        problem = make_problem(prior, dtype=torch.float32)
        network = problem._generator
        problem.passing_per_chunk = 7
        network.sizes.clear()
        bank.bank_of(problem, 30)
        assert network.sizes == [7, 7, 7, 7, 2]

    def test_chunks_follow_the_memory_bound(self, monkeypatch):
        many = make_problem().passing_per_chunk
        monkeypatch.setattr(problem_module, "MEMORY_BOUND", problem_module.MEMORY_BOUND // 8)
        assert make_problem().passing_per_chunk == pytest.approx(many / 8, abs=1)

    @pytest.mark.parametrize("none", [None, 0])
    def test_none_computes_neither(self, cache, none):
        prior = tiny_dcgan()
        own = CSGM(prior, 0.1, setup=none)
        assert own.effort.restarts == BALANCED.restarts
        assert own.effort == own.effort.without(FromBank)
        assert "curvature=True" not in repr(own.effort)
        physics = gaussian(12, SHAPE)
        y = physics.A(torch.rand(1, *SHAPE, generator=rng(1)))
        assert own.solve(y, physics).bank_seconds == 0
        assert not cache.exists()

    @pytest.mark.parametrize("wrong", ["soon", -1, float("nan")])
    def test_what_is_none_is_refused(self, wrong):
        with pytest.raises(ValueError, match="setup"):
            CSGM(tiny_dcgan(), setup=wrong)

    def test_has_a_name_in_specs(self):
        assert solver("csgm:setup=12", tiny_dcgan()).setup == 12


class TestCurvature:
    def test_of_samples_is_that_of_tangents(self):
        problem = make_problem()
        exact, _ = curvature.inverse_curvature(problem)
        z = problem.prior.latent.sample(6_000, rng(4)).to(problem.like)
        M = curvature._sampled_curvature(problem, z, rng(3))
        sampled = curvature._damped_inverse(M)
        # The exact one is a mean over 48 latents: it has an error of its own.
        torch.testing.assert_close(sampled, exact, rtol=0.2, atol=0.15 * float(exact.abs().max()))

    def test_follows_the_passes(self):
        problem = make_problem()
        k = problem.prior.latent.size
        for passes, samples in (
            (48 * k, 0),
            (48 * k - 1, k),
            (3 * k, k),
            (3, 1),
            (2, None),
            (0, None),
        ):
            problem.passes = passes
            assert curvature._samples(problem) == samples
        problem.passes = 0
        assert curvature.inverse_curvature(problem) == (None, 0.0)

    def test_of_few_samples_is_positive_and_kept(self, cache):
        problem = make_problem()
        problem.passes = 9  # three samples of six entries
        first, seconds = curvature.inverse_curvature(problem)
        assert seconds > 0
        assert first is not None
        assert torch.linalg.eigvalsh(first).min() > 0
        curvature._in_memory.clear()
        again, _ = curvature.inverse_curvature(problem)
        torch.testing.assert_close(first, again, rtol=0, atol=0)
        assert len(list(cache.glob("curvature-*.npy"))) == 1

    def test_tangents_in_chunks_give_the_same(self):
        problem = make_problem()
        z = problem.prior.latent.sample(3, rng(4)).to(problem.like)
        whole = curvature._mean_curvature(problem, z)
        problem.passing_per_chunk = 4
        torch.testing.assert_close(curvature._mean_curvature(problem, z), whole)


class TestKrylovPolish:
    def test_the_jacobian_in_chunks_is_the_same(self):
        problem = make_problem()
        z = torch.randn(3, 6, generator=rng(3), dtype=torch.float64)
        _, whole = problem.residual_and_jacobian(z)
        problem.passing_per_chunk = 4
        torch.testing.assert_close(problem.residual_and_jacobian(z)[1], whole)

    @pytest.mark.parametrize("covered", [False, True])
    def test_a_whole_krylov_space_sees_all_of_it(self, covered):
        problem = make_problem()
        if covered:
            problem.can_leave = False
            problem = _Covered(problem, torch.tensor([2, 0]))
        z = torch.randn(problem.count, 6, generator=rng(3), dtype=torch.float64)
        _, jacobian = problem.residual_and_jacobian(z)
        slope = torch.randn(problem.count, 6, generator=rng(7), dtype=torch.float64)
        found = levenberg_marquardt._krylov_normal(problem, z, slope)
        assert found is not None
        torch.testing.assert_close(found.matrix, jacobian.mT @ jacobian)

    def test_an_exhausted_space_adds_nothing(self):
        # Products of rank two: four steps find two directions.
        u = torch.randn(2, 6, generator=rng(1), dtype=torch.float64)
        basis, _ = levenberg_marquardt._krylov(lambda v: v @ (u.T @ u), u[:1])
        lengths = basis[0].norm(dim=-1)
        torch.testing.assert_close(lengths, torch.tensor([1, 1, 0, 0, 0, 0], dtype=torch.float64))

    def test_reaches_what_the_jacobian_reaches(self, monkeypatch):
        problem = make_problem()
        z = 0.1 + torch.randn(3, 6, generator=rng(5)).double()  # near the planted ones
        dense = polish(problem, z, 20, 1e-3)
        monkeypatch.setattr(levenberg_marquardt, "JACOBIAN_BYTES", 0)
        monkeypatch.setattr(levenberg_marquardt, "KRYLOV", 4)
        krylov = polish(problem, z, 60, 1e-3)
        assert dense is not None
        assert krylov is not None
        assert (dense.value < 1e-12).all()
        assert (krylov.value < 1e-12).all()

    def test_a_latent_of_too_many_entries_has_none(self, monkeypatch):
        problem = make_problem()
        monkeypatch.setattr(levenberg_marquardt, "MOST_ENTRIES", 5)
        assert polish(problem, torch.zeros(3, 6, dtype=torch.float64), 1, 0.1) is None


def test_the_default_search_solves_with_all_of_it_bounded(monkeypatch):
    monkeypatch.setattr(setup, "BYTES", 2**21)
    monkeypatch.setattr(levenberg_marquardt, "JACOBIAN_BYTES", 0)
    prior, physics = tiny_dcgan(), gaussian(30, SHAPE)
    x = prior.sample(2, 3)
    effort = (Random(4), Descend(LBFGS(), 200), Polish(30))
    found = CSGM(prior, 0.0, effort=effort).solve(physics.A(x), physics)
    assert (found.x - x).abs().max() < 1e-3
