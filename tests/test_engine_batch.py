"""A signal is solved to the same bits alone, in any batch, and at any place in it.

Latents and measurements here have twelve entries and more:
:mod:`ganprior.solvers.engine.blocks` says why.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import nn

from ganprior.priors import Prior
from ganprior.solvers import (
    BALANCED,
    BALANCED_L1,
    CSGM,
    Adam,
    Descend,
    DiscriminatorCSGM,
    FromBank,
    Polish,
    SemanticInpainting,
)
from ganprior.solvers.csgm import CSGMObjective
from ganprior.solvers.engine import Candidates, Problem, bank, blocks, sizes
from ganprior.solvers.engine.pieces import in_line, in_rectangles
from ganprior.solvers.latent_solver import LatentSolver
from ganprior.streams import Streams
from tests.cases import Fourier, Mask, Phaseless, gaussian, rng, tiny_dcgan

SHAPE, COUNT = (1, 8, 8), 7
QUICK = BALANCED.change(FromBank, entries=600).change(Polish, steps=4)
L1 = BALANCED_L1.change(FromBank, entries=600).change(Polish, steps=4)


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("GANPRIOR_CACHE", str(tmp_path))
    bank._in_memory.clear()


def masks() -> torch.Tensor:
    """From nearly all to nearly no pixels: with 3 k measurements and more, and with fewer."""
    hidden = torch.linspace(0.1, 0.9, COUNT)[:, None, None, None]
    return (torch.rand(COUNT, 1, 8, 8, generator=rng(4)) > hidden).float()


def with_encoder() -> Prior:
    prior = tiny_dcgan(12)
    linear = nn.Linear(64, 12)
    nn.init.normal_(linear.weight, 0, 0.1, generator=rng(8))
    prior.encoder = nn.Sequential(nn.Flatten(), linear)
    return prior


class Inverted:
    """A dense physics with a pseudo-inverse."""

    def __init__(self) -> None:
        self.dense = gaussian(12, SHAPE)

    def A(self, x: torch.Tensor) -> torch.Tensor:
        return self.dense.A(x)

    def A_dagger(self, y: torch.Tensor) -> torch.Tensor:
        return (y @ torch.linalg.pinv(self.dense.matrix).T).unflatten(1, SHAPE)


CASES: dict[str, tuple[Callable[[], LatentSolver], Any]] = {
    "few": (lambda: CSGM(tiny_dcgan(12), 0.01, effort=QUICK), gaussian(12, SHAPE)),
    "determined": (lambda: CSGM(tiny_dcgan(12), 0.01, effort=QUICK), gaussian(40, SHAPE)),
    "complex": (lambda: CSGM(tiny_dcgan(12), 0.01, effort=QUICK), Fourier()),
    "not linear": (
        lambda: CSGM(tiny_dcgan(12), 0.01, effort=QUICK),
        Phaseless(gaussian(13, SHAPE)),
    ),
    "mask": (lambda: CSGM(tiny_dcgan(12), 0.01, effort=QUICK), Mask(masks()[:1])),
    "mask per image": (lambda: CSGM(tiny_dcgan(12), 0.01, effort=QUICK), Mask(masks())),
    "encoder": (lambda: CSGM(with_encoder(), 0.01, effort=QUICK), Inverted()),
    "critic": (
        lambda: DiscriminatorCSGM(tiny_dcgan(12), 0.1, 0.01, effort=QUICK),
        gaussian(12, SHAPE),
    ),
    "L1": (lambda: SemanticInpainting(tiny_dcgan(12), effort=L1), Mask(masks()[:1])),
    "L1, mask per image": (lambda: SemanticInpainting(tiny_dcgan(12), effort=L1), Mask(masks())),
}


def part_of(physics: Any, signals: list[int]) -> Any:
    one_each = isinstance(physics, Mask) and len(physics.mask) > 1
    return Mask(physics.mask[signals]) if one_each else physics


def assert_alike(case: str, signals: list[int]) -> None:
    """The signals alone come out as they do in a batch of all."""
    make, physics = CASES[case]
    solver = make()
    y = physics.A(torch.rand(COUNT, *SHAPE, generator=rng(2)))
    together = solver.solve(y, physics, rng=Streams(0))
    few = solver.solve(y[signals], part_of(physics, signals), rng=Streams(0).select(signals))
    assert torch.equal(few.objective, together.objective[signals])
    assert few.z is not None
    assert together.z is not None
    assert torch.equal(few.z, together.z[signals])
    assert torch.equal(few.steps, together.steps[signals])
    torch.testing.assert_close(few.x, together.x[signals], rtol=0, atol=1e-6)


@pytest.mark.parametrize("signals", [[0], [4, 6, 1]], ids=str)
@pytest.mark.parametrize("case", CASES)
def test_a_batch_gives_what_its_signals_give_alone(case, signals):
    assert_alike(case, signals)


def test_a_signal_that_converges_early_keeps_as_many_restarts_alone_as_in_a_batch():
    """One that starts in its minimum leaves before the race cuts anything."""
    physics = gaussian(12, SHAPE, dtype=torch.float64)
    y = physics.A(torch.rand(2, *SHAPE, generator=rng(2), dtype=torch.float64))
    problem = Problem(tiny_dcgan(12), CSGMObjective(5.0), y, physics)
    stage = Descend(Adam(0.1), 60, keep=((0.5, 2),), tolerance=1e-3, window=4)

    def race(stage, problem, z):
        return stage.run(problem, Candidates.at(problem, z, Streams(0)))

    starts = torch.randn(4, 2, 12, generator=rng(3), dtype=torch.float64)
    settled = race(replace(stage, steps=500, keep=()), problem, starts).z
    starts[:, 0] = settled[:, 0]
    together = race(stage, problem, starts)
    assert together.steps[0, 0] < 30 <= together.steps[0, 1]
    alone = race(stage, problem.subset(torch.tensor([0])), starts[:, :1])
    assert torch.equal(alone.steps[:, 0], together.steps[:, 0])
    assert torch.equal(alone.restart[:, 0], together.restart[:, 0])
    torch.testing.assert_close(alone.z[:, 0], together.z[:, 0])


def test_so_it_is_with_any_number_of_threads():
    before = torch.get_num_threads()
    try:
        for threads in (1, 2):
            torch.set_num_threads(threads)
            assert_alike("few", [5])
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize("count", [1, 2, 15, 16, 17, 33])
def test_products_in_blocks_are_the_products(count):
    rows = torch.randn(count, 40, generator=rng(1), dtype=torch.float64, requires_grad=True)
    matrix = torch.randn(40, 9, generator=rng(2), dtype=torch.float64)
    weights = torch.randn(count, 9, generator=rng(3), dtype=torch.float64)
    product = blocks.in_blocks(lambda some: some @ matrix, rows)
    torch.testing.assert_close(product, rows @ matrix)
    (gradient,) = torch.autograd.grad((product * weights).sum(), rows)
    torch.testing.assert_close(gradient, weights @ matrix.T)


def test_blocks_are_of_one_shape():
    shapes = []

    def double(some):
        shapes.append(tuple(some.shape))
        return 2 * some

    rows = torch.randn(37, 5, generator=rng(1))
    assert torch.equal(blocks.in_blocks(double, rows), 2 * rows)
    assert torch.equal(blocks.in_blocks(double, rows[:3]), 2 * rows[:3])
    assert set(shapes) == {(blocks.ROWS, 5)}
    assert torch.equal(blocks.in_blocks_or_one(double, rows[:1]), 2 * rows[:1])
    assert shapes[-1] == (1, 5)


def test_linear_layers_of_a_network_take_blocks():
    network = nn.Sequential(nn.Linear(4, 3), nn.Sequential(nn.ReLU(), nn.Linear(3, 2)))
    x = torch.randn(21, 4, generator=rng(1))
    expected = network(x)
    assert blocks.with_block_products(network) is network
    assert [type(layer) for layer in network.modules()].count(blocks.BlockLinear) == 2
    torch.testing.assert_close(network(x), expected)


class TestSizes:
    """Networks are functions of (N, 3)."""

    def made(self, most=100):
        return sizes.Sizes(torch.randn(sizes.REFERENCE, 3, generator=rng(1)), most)

    def test_hold_the_images_and_little_more(self):
        found = self.made()
        for count in range(1, 300):
            cover = found.cover(count, torch.tanh)
            assert count <= sum(cover) <= count + 32
            assert max(cover) <= 100
        assert found.cover(6, torch.tanh) == [8]
        assert found.cover(64, torch.tanh) == [64]
        assert found.cover(205, torch.tanh) == [100, 100, 8]

    @pytest.mark.parametrize("bad", [range(16), range(33, 101), (2, 8, 64)])
    def test_that_round_otherwise_are_not_used(self, bad):
        def network(z):
            return z * (1 + 1e-6 * (len(z) in bad))

        found = self.made()
        for count in range(1, 300):
            cover = found.cover(count, network)
            assert not set(cover) & set(bad)
            assert sum(cover) >= count

    def test_that_differ_in_their_gradients_are_not_used(self):
        class Scaled(torch.autograd.Function):
            @staticmethod
            def forward(ctx, z):
                ctx.factor = 1 + 1e-6 * (len(z) == 8)
                return 2 * z

            @staticmethod
            def backward(ctx, gradient):
                return 2 * ctx.factor * gradient

        assert self.made().cover(7, Scaled.apply) != [8]

    def test_of_a_network_that_draws_random_numbers_are_all_used(self):
        source = rng(3)
        found = self.made()
        noise = lambda z: z + torch.randn(z.shape, generator=source)  # noqa: E731
        assert found.cover(1, noise) == [2]

    def test_are_found_out_once_for_a_generator(self, monkeypatch):
        prior, like = tiny_dcgan(12), torch.empty(0)
        first = sizes.sizes_for(prior, like, 64)
        assert sizes.sizes_for(prior, like, 64) is first
        assert sizes.sizes_for(prior, like.double(), 64) is not first
        assert sizes.sizes_for(tiny_dcgan(12), like, 64) is not first


def test_pieces_hold_each_latent():
    line = list(in_line(11, [8, 4]))
    assert torch.cat(line, 1)[0].tolist() == [*range(11), 10]
    parts = list(in_rectangles(5, 6, 8, 4, torch.device("cpu")))
    assert sorted(torch.cat([part.flatten() for part in parts]).tolist()) == list(range(30))
    assert max(part.numel() for part in parts) == 8
    assert all((part % 6 == part[0] % 6).all() for part in parts)
