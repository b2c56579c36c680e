"""What holds for every solver and baseline: copies, bad measurements, precision, neighbours."""

from __future__ import annotations

import copy
import importlib
import inspect
import io
import pickle
import pkgutil
from typing import Any

import pytest
import torch

import ganprior.baselines
import ganprior.solvers
from ganprior import Prior, Reconstructor, Status, Streams
from ganprior.solvers import EFFORTS, EFFORTS_L1
from tests.cases import linear_prior, tiny_dcgan
from tests.cases_solvers import CASES, COUNT

everywhere = pytest.mark.parametrize("name", CASES)


def concrete(kind: Any) -> set[type]:
    """Classes of this package below one that can be made."""
    below = {found for part in kind.__subclasses__() for found in concrete(part)}
    ours = kind.__module__.startswith("ganprior.") and not inspect.isabstract(kind)
    return below | ({kind} if ours else set())


def test_every_public_solver_and_baseline_has_a_case():
    for package in (ganprior.solvers, ganprior.baselines):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            importlib.import_module(module.name)
    assert concrete(Reconstructor) == {type(case.solver()) for case in CASES.values()}


def saved(solver):
    file = io.BytesIO()
    torch.save(solver, file)
    file.seek(0)
    return torch.load(file, weights_only=False)


@everywhere
@pytest.mark.parametrize("way", [copy.deepcopy, saved, lambda s: pickle.loads(pickle.dumps(s))])
def test_a_copy_gives_the_same_images(name, way):
    solver, y, physics = CASES[name].problem()
    fresh = way(solver)
    expected = solver(y, physics)
    torch.testing.assert_close(fresh(y, physics), expected, rtol=0, atol=0)
    # One that has worked holds no more than one that has not.
    torch.testing.assert_close(way(solver)(y, physics), expected, rtol=0, atol=0)


def wrong_measurements(y):
    """Measurements that no physics here has made."""
    return {
        "a list": [y],
        "None": None,
        "no batch axis": y[0],
        "no signal": y[:0],
        "no measurement": y.flatten(1)[:, :0],
        "an entry too many": torch.cat([y, y[..., :1]], -1),
        "an axis too many": y[None],
        "whole numbers": (9 * y).long(),
        "bool": y > 0,
        "half": y.half(),
        "bfloat16": y.bfloat16(),
        "complex": torch.complex(y, y),
        "complex half": torch.complex(y, y).to(torch.complex32),
        "sparse": y.to_sparse(),
        "without data": y.to("meta"),
    }


@everywhere
def test_wrong_measurements_are_refused_in_one_line(name):
    solver, y, physics = CASES[name].problem()
    for words, wrong in wrong_measurements(y).items():
        with pytest.raises(ValueError, match=r"y |physics") as caught:
            solver(wrong, physics)
        assert "\n" not in str(caught.value), words


@everywhere
def test_what_is_no_physics_is_refused_in_one_line(name):
    solver, y, _ = CASES[name].problem()
    for wrong in (None, "mask", object()):
        with pytest.raises(ValueError, match="physics must have a method A") as caught:
            solver(y, wrong)
        assert "\n" not in str(caught.value)


@everywhere
@pytest.mark.parametrize("kind", [IndexError, KeyError, AttributeError, AssertionError, TypeError])
def test_whatever_a_physics_raises_becomes_one_line(name, kind):
    solver, y, _ = CASES[name].problem()

    class Raising:
        def A(self, x):
            raise kind("two\nlines")

        A_adjoint = A

    with pytest.raises(ValueError, match=r"physics|fit") as caught:
        solver(y, Raising())
    assert "\n" not in str(caught.value)


@everywhere
def test_autocast_changes_nothing(name):
    solver, y, physics = CASES[name].problem()
    expected = solver(y, physics)
    with torch.autocast("cpu", torch.bfloat16):
        found = solver(y, physics)
    assert found.dtype == expected.dtype
    torch.testing.assert_close(found, expected, rtol=0, atol=0)


@everywhere
def test_the_default_type_changes_no_image(name):
    solver, y, physics = CASES[name].problem()
    expected = solver(y, physics)
    torch.set_default_dtype(torch.float64)
    try:
        found = solver(y, physics)
    finally:
        torch.set_default_dtype(torch.float32)
    assert found.dtype == expected.dtype
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-3)


@everywhere
@pytest.mark.parametrize("scale", [1e-42, 1e20, float("nan"), float("inf"), 0.0])
def test_an_extreme_signal_leaves_the_others_alone(name, scale):
    solver, y, physics = CASES[name].problem()
    expected = solver.solve(y, physics, rng=Streams(0))
    extreme = y.clone()
    extreme[1] *= scale
    found = solver.solve(extreme, physics, rng=Streams(0))
    others = [0, 2]
    assert [found.status[i] for i in others] == [expected.status[i] for i in others]
    torch.testing.assert_close(found.x[others], expected.x[others], rtol=1e-3, atol=1e-3)
    assert found.x[others].isfinite().all()
    if not scale < 1e30:
        assert found.status[1] == Status.NONFINITE
    assert len(found.status) == COUNT


class TestArguments:
    """Of the latent solvers."""

    latent = pytest.mark.parametrize("name", ["csgm", "csgm + D", "semantic"])

    def make(self, name, prior, **options):
        gamma = (0.1,) if name == "csgm + D" else ()
        return type(CASES[name].solver())(prior, *gamma, **options)

    @latent
    def test_a_name_is_no_prior(self, name):
        with pytest.raises(ValueError, match=r"give Prior.load\('mnist'\)"):
            self.make(name, "mnist")

    @latent
    def test_a_module_is_no_prior(self, name):
        with pytest.raises(ValueError, match=r"got Linear; make one with Prior.from_module"):
            self.make(name, torch.nn.Linear(3, 4))

    @latent
    def test_efforts_have_names(self, name):
        efforts = EFFORTS_L1 if name == "semantic" else EFFORTS
        for effort, expected in efforts.items():
            assert self.make(name, tiny_dcgan(), effort=effort).effort == expected

    @latent
    @pytest.mark.parametrize("effort", ["quick", 3, None])
    def test_other_efforts_are_refused(self, name, effort):
        with pytest.raises(ValueError, match="one of reference, balanced, fast") as caught:
            self.make(name, tiny_dcgan(), effort=effort)
        assert "\n" not in str(caught.value)

    @latent
    def test_restarts_and_steps(self, name):
        solver = self.make(name, tiny_dcgan(), effort="reference", restarts=5, steps=7)
        assert (solver.effort.restarts, solver.effort.most_steps) == (5, 7)
        with pytest.raises(
            ValueError, match="restarts must be a whole number of at least 1, got 0"
        ):
            self.make(name, tiny_dcgan(), restarts=0)
        case = CASES[name]
        physics = case.physics()
        assert solver.solve(physics.A(case.images()), physics).steps.max() <= 7

    @latent
    @pytest.mark.parametrize("wrong", ["0", None, -1, torch.Generator()])
    def test_what_is_neither_streams_nor_seed_is_refused(self, name, wrong):
        solver, y, physics = CASES[name].problem()
        with pytest.raises(ValueError, match="rng must be Streams or a seed") as caught:
            solver.solve(y, physics, rng=wrong)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_generators_of_any_precision_work(dtype):
    exact = linear_prior()
    rounded = Prior.from_module(exact.generator.to(dtype), 5, image_range=(0, 1))
    expected = Prior.from_module(rounded.generator.float(), 5, image_range=(0, 1))
    physics = ganprior.Gaussian(20, (1, 6, 6))
    y = physics.A(torch.rand(2, 1, 6, 6))
    found = ganprior.CSGM(rounded, 0.1)(y, physics)
    torch.testing.assert_close(found, ganprior.CSGM(expected, 0.1)(y, physics))
