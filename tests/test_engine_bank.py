"""The bank of starts: what it ranks, where it is kept, and that it is never another generator's."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from ganprior.priors import Prior
from ganprior.solvers import CSGM, LBFGS, Descend, Effort, FromBank, Rounds
from ganprior.solvers.csgm import CSGMObjective
from ganprior.solvers.engine import Candidates, Problem, bank, curvature, measured
from ganprior.solvers.engine.starts import SPARE
from ganprior.streams import Streams
from tests.cases import Dense, Fourier, Mask, gaussian, rng, tiny_dcgan

ENTRIES = 600  # more than a chunk
STARTS = FromBank(ENTRIES, nearest=3, tried=4)
STEPS = Descend(LBFGS(0.5, curvature=False), 10)
EFFORT = Effort(STARTS, STEPS)


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("GANPRIOR_CACHE", str(tmp_path / "cache"))
    bank._in_memory.clear()
    return tmp_path / "cache"


def make_problem(physics, count=4, prior=None, weight=0.0):
    prior = prior or tiny_dcgan()
    x = torch.rand(count, *prior.image_shape, generator=rng(2))
    return Problem(prior, CSGMObjective(weight), physics.A(x), physics)


def physics_of(kind, shape, count):
    if kind == "per image":
        return Mask((torch.rand(count, 1, *shape[1:], generator=rng(4)) > 0.5).float())
    return Fourier() if kind == "complex" else gaussian(12, shape)


@pytest.mark.parametrize("kind", ["shared", "per image", "complex"])
def test_ranks_by_measurement_error(cache, kind):
    prior = tiny_dcgan()
    problem = make_problem(physics_of(kind, prior.image_shape, 4))
    found = bank.bank_of(problem, ENTRIES)
    seen = found.measured(problem)
    numbers, z = measured.nearest(seen.error, 5), seen.best(5)
    images = torch.from_numpy(np.array(found.images)).float()
    for i in range(4):
        one = problem.subset(torch.tensor([i]))
        seen_as = one._forward.A(images[:, None])[:, 0]
        errors = (seen_as - one.y).abs().square().flatten(1).sum(1)
        assert numbers[:, i].tolist() == errors.argsort()[:5].tolist()
    assert torch.equal(z, found.latents[numbers])
    torch.testing.assert_close(prior.render(found.latents[:50]), images[:50], rtol=0, atol=2e-3)


def test_starts_are_the_banks_best_by_the_objective(cache):
    prior = tiny_dcgan()
    problem = make_problem(gaussian(12, prior.image_shape), weight=5.0)
    found = bank.bank_of(problem, ENTRIES)
    starts = STARTS.run(problem, Candidates.at(problem, None, Streams(0))).z
    values = problem.value(found.measured(problem).best(12))
    assert starts.shape == (3, 4, 6)
    torch.testing.assert_close(problem.value(starts), values.sort(0).values[:3])


def test_second_call_reads_the_cache_and_third_the_memory(cache):
    problem = make_problem(gaussian(12, (1, 8, 8)))
    first = bank.bank_of(problem, ENTRIES)
    assert first.seconds > 0
    assert len(list(cache.glob("bank-*.npy"))) == 1
    assert bank.bank_of(problem, ENTRIES).seconds == 0
    bank._in_memory.clear()
    again = bank.bank_of(problem, ENTRIES)
    assert again.seconds == 0
    assert isinstance(again.images, np.memmap)
    np.testing.assert_array_equal(first.images, again.images)


def test_other_weights_have_another_bank(cache):
    physics = gaussian(12, (1, 8, 8))
    bank.bank_of(make_problem(physics), ENTRIES)
    assert bank.bank_of(make_problem(physics, prior=tiny_dcgan(seed=5)), ENTRIES).seconds > 0
    assert len(list(cache.glob("bank-*.npy"))) == 2


def test_same_weights_in_other_code_are_noticed(cache):
    class Doubling(nn.Linear):
        factor = 1.0

        def forward(self, z):
            return (super().forward(z) * self.factor).view(-1, 1, 4, 4)

    module = Doubling(3, 16)
    with torch.no_grad():
        module.weight.normal_(generator=rng(1))
    prior = Prior.from_module(module, 3, image_range=(0, 1))
    physics = gaussian(6, (1, 4, 4))
    bank.bank_of(make_problem(physics, prior=prior), ENTRIES)
    Doubling.factor = 2.0
    found = bank.bank_of(make_problem(physics, prior=prior), ENTRIES)
    assert found.seconds > 0
    np.testing.assert_allclose(found.images[:9], prior.render(found.latents[:9]).numpy(), atol=5e-3)


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: b"not an array",
        lambda data: data[:3000],
        # One bit of one pixel, far behind the entries that are computed afresh.
        lambda data: data[:-100] + bytes([data[-100] ^ 1]) + data[-99:],
    ],
)
def test_damaged_file_is_computed_anew(cache, damage):
    problem = make_problem(gaussian(12, (1, 8, 8)))
    whole = np.array(bank.bank_of(problem, ENTRIES).images)
    (path,) = cache.glob("bank-*.npy")
    data = path.read_bytes()
    bank._in_memory.clear()
    path.write_bytes(damage(data))
    found = bank.bank_of(problem, ENTRIES)
    assert found.seconds > 0
    np.testing.assert_array_equal(found.images, whole)
    assert path.read_bytes() == data


@pytest.mark.parametrize("content", [None, b"", b"\xff", b"0" * 64])
def test_a_file_without_its_hash_is_computed_anew(cache, content):
    """As a kill between the two leaves it, or an earlier version."""
    problem = make_problem(gaussian(12, (1, 8, 8)))
    bank.bank_of(problem, ENTRIES)
    (path,) = cache.glob("bank-*.npy.sha256")
    bank._in_memory.clear()
    path.unlink() if content is None else path.write_bytes(content)
    assert bank.bank_of(problem, ENTRIES).seconds > 0
    bank._in_memory.clear()
    assert bank.bank_of(problem, ENTRIES).seconds == 0


def test_a_damaged_curvature_is_computed_anew(cache):
    problem = make_problem(gaussian(12, (1, 8, 8)))
    curvature._in_memory.clear()
    first, _ = curvature.inverse_curvature(problem)
    (path,) = cache.glob("curvature-*.npy")
    data = path.read_bytes()
    curvature._in_memory.clear()
    path.write_bytes(data[:-1] + bytes([data[-1] ^ 64]))
    again, _ = curvature.inverse_curvature(problem)
    assert first is not None
    assert again is not None
    assert torch.equal(first, again)
    assert path.read_bytes() == data


def test_no_home_and_no_folder_means_no_cache(monkeypatch):
    def none(*_):
        raise RuntimeError("Could not determine home directory.")

    for name in ("GANPRIOR_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(Path, "home", none)
    bank._in_memory.clear()
    problem = make_problem(gaussian(12, (1, 8, 8)))
    with pytest.warns(UserWarning, match=r"there is no home folder.*GANPRIOR_CACHE"):
        assert bank.bank_of(problem, ENTRIES).seconds > 0


def test_unwritable_cache_means_a_bank_in_memory_and_one_line(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("a file, where a folder is wanted")
    monkeypatch.setenv("GANPRIOR_CACHE", str(tmp_path / "file"))
    bank._in_memory.clear()
    problem = make_problem(gaussian(12, (1, 8, 8)))
    with pytest.warns(UserWarning, match="GANPRIOR_CACHE") as seen:
        found = bank.bank_of(problem, ENTRIES)
    assert len(seen) == 1
    assert "\n" not in str(seen[0].message)
    assert len(found.images) == ENTRIES


def test_size_follows_the_bound(cache, monkeypatch):
    monkeypatch.setattr(bank, "BYTES", 2 * 64 * 100)
    assert len(bank.bank_of(make_problem(gaussian(12, (1, 8, 8))), ENTRIES).images) == 100


def test_encoder_gives_a_start_where_it_is_the_best(cache):
    class Inverse(nn.Module):
        def __init__(self, z):
            super().__init__()
            self.z = nn.Parameter(z)

        def forward(self, x):
            assert x.min() >= -1
            return self.z[: len(x)]

    prior = tiny_dcgan()
    planted = prior.latent.sample(4, rng(8))
    prior.encoder = Inverse(planted)

    class WithInverse(Dense):
        def A_dagger(self, y):
            return self.A_adjoint(y)

    physics = WithInverse(gaussian(12, prior.image_shape).matrix, prior.image_shape)
    y = physics.A(prior.render(planted))
    found = CSGM(prior, 0.0, effort=EFFORT).solve(y, physics)
    assert found.measurement_error.max() < 1e-6
    assert (found.restart == 0).all()


def test_results_do_not_depend_on_the_bank_being_cached(cache):
    prior, physics = tiny_dcgan(), gaussian(12, (1, 8, 8))
    y = physics.A(torch.rand(3, *prior.image_shape, generator=rng()))
    first = CSGM(prior, 0.1, effort=EFFORT).solve(y, physics)
    second = CSGM(prior, 0.1, effort=EFFORT).solve(y, physics)
    assert first.bank_seconds > 0
    assert second.bank_seconds == 0
    assert torch.equal(first.x, second.x)


@pytest.mark.parametrize("entries", [ENTRIES, 5])
def test_further_rounds_take_the_next_entries_and_a_small_bank_its_last_ones(cache, entries):
    problem = make_problem(gaussian(12, (1, 8, 8)))
    ranked = bank.bank_of(problem, entries).measured(problem).best(entries)
    stage = FromBank(entries, nearest=3)
    spare = stage.run(problem, Candidates.at(problem, None, Streams(0))).spare
    assert torch.equal(spare, ranked[3 : 3 + len(spare)])
    assert len(spare) == min(SPARE, entries - 3)
    rounds = Rounds(6, (), fresh=2)
    firsts = [0, 2, 4, 6, 8] if entries == ENTRIES else 5 * [0]
    for number, first in zip(range(2, 7), firsts, strict=True):
        assert torch.equal(rounds._other_starts(spare, number), spare[first : first + 2])
