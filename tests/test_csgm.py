"""CSGM: closed forms, planted signals, invariances, odd physics, bad input."""

from __future__ import annotations

import copy
from types import SimpleNamespace

import pytest
import torch

from ganprior.physics import facts
from ganprior.priors import Prior
from ganprior.solution import Status
from ganprior.solvers import BALANCED, CSGM, FAST, REFERENCE, Descend, Polish
from ganprior.solvers.latent_weights import default_latent_weight, table_of
from ganprior.streams import Streams
from tests.cases import (
    Fourier,
    Mask,
    Phaseless,
    gaussian,
    linear_prior,
    rng,
    tiny_dcgan,
)

QUICK = BALANCED.replace(restarts=3, steps=25)
SHAPE = (1, 8, 8)


def planted(prior: Prior, count: int, dtype: torch.dtype = torch.float32):
    z = prior.latent.sample(count, rng(11)).to(dtype)
    with torch.no_grad():
        return copy.deepcopy(prior).to(dtype)(z)


@pytest.mark.parametrize("effort", [BALANCED, FAST], ids=["balanced", "fast"])
def test_linear_generator_gives_ridge_regression(effort):
    prior, weight = linear_prior(), 0.3
    physics = gaussian(12, prior.image_shape, dtype=torch.float64)
    y = physics.A(torch.rand(4, *prior.image_shape, generator=rng(), dtype=torch.float64))
    design = physics.matrix @ prior.generator.weight.detach()
    normal = design.T @ design + weight * torch.eye(5, dtype=torch.float64)
    ridge = torch.linalg.solve(normal, (y @ design).T).T
    exact = effort.change(Descend, tolerance=0.0).change(Polish, tolerance=1e-14)
    solution = CSGM(prior, weight, effort=exact).solve(y, physics)
    torch.testing.assert_close(solution.z, ridge, rtol=1e-6, atol=1e-6)
    assert set(solution.status) == {Status.CONVERGED}


@pytest.mark.parametrize("effort", [BALANCED, FAST], ids=["balanced", "fast"])
def test_planted_signals_are_recovered(effort):
    prior = tiny_dcgan()
    physics = gaussian(30, SHAPE)
    x = planted(prior, 20)
    solution = CSGM(prior, 0.0, effort=effort).solve(physics.A(x), physics)
    error = (solution.x - x).square().flatten(1).mean(1)
    assert (error < 1e-4).float().mean() >= 0.9


def test_float64_signal_alone_equals_the_same_in_a_batch():
    prior = tiny_dcgan()
    physics = gaussian(20, SHAPE, dtype=torch.float64)
    y = physics.A(torch.rand(4, *SHAPE, generator=rng(), dtype=torch.float64))
    solver = CSGM(prior, 0.05)
    whole = solver.solve(y, physics, rng=Streams(3))
    for i in range(4):
        alone = solver.solve(y[i : i + 1], physics, rng=Streams(3, [i]))
        torch.testing.assert_close(alone.x[0], whole.x[i], rtol=0, atol=1e-10)
        assert alone.restart[0] == whole.restart[i]


def test_float32_signal_alone_stays_close_over_fifty_steps():
    prior = tiny_dcgan()
    physics = gaussian(20, SHAPE)
    y = physics.A(torch.rand(4, *SHAPE, generator=rng()))
    solver = CSGM(prior, 0.05, effort=REFERENCE.replace(restarts=2, steps=50))
    whole = solver.solve(y, physics, rng=Streams(3))
    alone = solver.solve(y[2:3], physics, rng=Streams(3, [2]))
    torch.testing.assert_close(alone.x[0], whole.x[2], rtol=0, atol=1e-4)


@pytest.mark.parametrize("bad", [torch.nan, torch.inf])
def test_bad_signal_is_named_and_leaves_the_others_alone(bad):
    prior = tiny_dcgan()
    physics = gaussian(20, SHAPE, dtype=torch.float64)
    y = physics.A(torch.rand(3, *SHAPE, generator=rng(), dtype=torch.float64))
    solver = CSGM(prior, 0.05, effort=QUICK)
    clean = solver.solve(y, physics)
    y[1, 0] = bad
    dirty = solver.solve(y, physics)
    assert dirty.status[1] is Status.NONFINITE
    assert dirty.x[1].isfinite().all()
    assert "NaN" in dirty.status[1].advice
    for i in (0, 2):
        torch.testing.assert_close(dirty.x[i], clean.x[i], rtol=0, atol=1e-10)
        assert dirty.status[i] == clean.status[i]


MASKS = (torch.rand(3, 1, 8, 8, generator=rng(4)) > 0.4).float()


@pytest.mark.parametrize(
    "physics",
    [
        gaussian(40, SHAPE),
        gaussian(3, SHAPE),
        Mask(MASKS[:1]),
        Mask(MASKS),
        Phaseless(gaussian(64, SHAPE)),
        Fourier(),
    ],
    ids=["dense", "as many rows as images", "mask", "mask per image", "non-linear", "complex"],
)
def test_every_kind_of_physics_fits_its_measurements(physics):
    prior = tiny_dcgan()
    x = planted(prior, 3)
    y = physics.A(x)
    solution = CSGM(prior, 0.0).solve(y, physics)
    energy = (torch.view_as_real(y) if y.is_complex() else y).flatten(1).square().sum(1)
    start = (physics.A(torch.full_like(x, 0.5)) - y).abs().flatten(1).square().sum(1)
    assert (solution.measurement_error < 0.2 * start).all(), (energy, solution.measurement_error)


def test_a_mask_per_image_equals_each_image_with_its_mask():
    prior = tiny_dcgan()
    x = torch.rand(3, *SHAPE, generator=rng(), dtype=torch.float64)
    masks = MASKS.double()
    solver = CSGM(prior, 0.01, effort=QUICK)
    physics = Mask(masks)
    whole = solver.solve(physics.A(x), physics)
    for i in range(3):
        own = Mask(masks[i : i + 1])
        alone = solver.solve(own.A(x[i : i + 1]), own, rng=Streams(0, [i]))
        torch.testing.assert_close(alone.x[0], whole.x[i], rtol=0, atol=1e-10)


def test_colour_images():
    prior = tiny_dcgan(channels=3)
    physics = gaussian(60, (3, 8, 8))
    x = planted(prior, 2)
    assert CSGM(prior, 0.0)(physics.A(x), physics).shape == (2, 3, 8, 8)


def test_solution_is_complete():
    prior = tiny_dcgan()
    physics = gaussian(20, SHAPE)
    y = physics.A(torch.rand(3, *SHAPE, generator=rng()))
    seen: list[tuple[int, int]] = []
    solver = CSGM(prior, 0.1, effort=QUICK)
    solution = solver.solve(y, physics, progress=lambda *steps: seen.append(steps))
    assert solution.x.shape == (3, *SHAPE)
    assert solution.z.shape == (3, 6)
    assert solution.trace.shape == (len(seen), 3)
    assert len(solution.status) == 3
    torch.testing.assert_close(
        solution.objective,
        solution.measurement_error + 0.1 * solution.z.square().sum(1),
        rtol=1e-4,
        atol=1e-5,
    )
    with torch.no_grad():
        torch.testing.assert_close(prior(solution.z), solution.x, rtol=1e-4, atol=1e-5)


def test_starts_may_be_given():
    prior = tiny_dcgan()
    physics = gaussian(30, SHAPE)
    z = prior.latent.sample(2, rng(11))
    with torch.no_grad():
        y = physics.A(prior(z))
    solution = CSGM(prior, 0.0, effort=QUICK).solve(y, physics, starts=z[None])
    torch.testing.assert_close(solution.z, z, rtol=1e-2, atol=1e-2)
    with pytest.raises(ValueError, match="starts must be"):
        CSGM(prior, 0.0).solve(y, physics, starts=z)


@pytest.mark.parametrize("context", [torch.no_grad, torch.inference_mode])
def test_works_where_gradients_are_off(context):
    prior = tiny_dcgan()
    physics = gaussian(20, SHAPE)
    with context():
        y = physics.A(torch.rand(2, *SHAPE, generator=rng()))
        off = CSGM(prior, 0.1, effort=QUICK)(y, physics)
    on = CSGM(prior, 0.1, effort=QUICK)(y.clone(), physics)
    torch.testing.assert_close(off.clone(), on)


def test_inputs_are_unchanged():
    prior = tiny_dcgan()
    prior.train()
    physics = gaussian(20, SHAPE)
    y = physics.A(torch.rand(2, *SHAPE, generator=rng()))
    kept_y, kept_a = y.clone(), physics.matrix.clone()
    CSGM(prior, 0.1, effort=QUICK)(y, physics)
    assert torch.equal(y, kept_y)
    assert torch.equal(physics.matrix, kept_a)
    assert prior.training


@pytest.mark.parametrize(
    ("y", "message"),
    [
        ([torch.zeros(1, 5), torch.zeros(1, 5)], "one tensor"),
        (torch.zeros(2, 20, dtype=torch.long), "floating-point"),
        (torch.zeros(20), "batch"),
        (torch.zeros(2, 21), "shape"),
    ],
)
def test_bad_measurements_are_refused_in_one_line(y, message):
    with pytest.raises(ValueError, match=message) as caught:
        CSGM(tiny_dcgan(), 0.1).solve(y, gaussian(20, SHAPE))
    assert "\n" not in str(caught.value)


def test_bad_settings_are_refused():
    with pytest.raises(ValueError, match="latent_weight"):
        CSGM(tiny_dcgan(), -1.0)
    with pytest.raises(ValueError, match="noise_std"):
        CSGM(tiny_dcgan(), noise_std=float("nan"))
    with pytest.raises(ValueError, match="must have a method A"):
        CSGM(tiny_dcgan()).solve(torch.zeros(1, 5), object())
    with pytest.raises(ValueError, match=r"does not take images of shape \(1, 1, 8, 8\)"):
        CSGM(tiny_dcgan()).solve(torch.zeros(1, 5), gaussian(5, (1, 9, 9)))


class TestDefaultWeight:
    def weight(self, physics, noise_std=None):
        (weight,) = default_latent_weight(facts(physics, SHAPE), noise_std).tolist()
        return weight

    def test_grows_with_the_noise(self):
        assert table_of().at(0.1, 5.0) > table_of().at(0.1, 0.0)

    def test_reads_the_noise_of_the_physics(self):
        physics = gaussian(5, SHAPE)
        quiet = self.weight(physics)
        stating = SimpleNamespace(
            A=physics.A, matrix=physics.matrix, noise_model=SimpleNamespace(sigma=torch.tensor(4.0))
        )
        assert self.weight(stating) > 2 * quiet
        assert self.weight(stating) == self.weight(physics, 4.0)

    def test_hidden_pixels_are_no_measurements_and_columns_count_by_their_size(self):
        half = torch.ones(1, 1, 8, 8)
        half[..., 4:] = 0
        expected = 0.5 * table_of().at(32 / 64, 0.0)
        assert self.weight(Mask(half)) == pytest.approx(expected)
        level = 0.3 * (32 / 0.5) ** 0.5
        expected = 0.5 * table_of().at(32 / 64, level)
        assert self.weight(Mask(half), 0.3) == pytest.approx(expected)

    def test_complex_entries_count_twice_but_for_what_is_always_real(self):
        # Rows 0 and 4 of the transform of a real 8 x 8 image are real in columns 0 and 4.
        known = facts(Fourier(), SHAPE)
        assert known.m.tolist() == [2 * 32 - 4]
        expected = known.scale.item() * table_of().at(60 / 64, 0.0)
        assert self.weight(Fourier()) == pytest.approx(expected)

    def test_each_signal_of_a_batch_has_the_weight_it_has_alone(self):
        masks = torch.zeros(3, 1, 8, 8)
        masks[0, 0, 0, :5], masks[1, 0, 0, :7], masks[2, 0, 1] = 1, 1, 1
        whole = default_latent_weight(facts(Mask(masks), SHAPE, count=3), 0.1).tolist()
        assert len(set(whole)) == 3
        assert whole == pytest.approx([self.weight(Mask(mask[None]), 0.1) for mask in masks])
