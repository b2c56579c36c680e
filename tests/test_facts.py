"""What is found out about a physics: counts, scales, hidden entries, and what no probe may do."""

from __future__ import annotations

import copy

import deepinv
import pytest
import torch
from torch import nn

from ganprior import CSGM, FAST, LassoDCT
from ganprior.physics import (
    Dense,
    Gaussian,
    SingleCoilMRI,
    add_noise,
    cartesian_mask,
    facts,
    inpainting,
    measurement_count,
    measurement_support,
)
from ganprior.physics.probing import PAIRS
from ganprior.solvers.engine import Problem
from ganprior.streams import Streams, uniform
from tests.cases import Fourier, Mask, Phaseless, gaussian, rng, tiny_dcgan
from tests.cases_physics import CASES, make

SHAPE = (1, 8, 8)
MASKS = (torch.rand(3, 1, 8, 8, generator=rng(4)) > 0.5).float()


class Own:
    """Somebody's physics: a matrix, and entries of y that are filled up with a constant."""

    def __init__(self, matrix, hidden=(), filling=0.0):
        self.rows, self.hidden, self.filling = matrix, list(hidden), filling

    def A(self, x):
        y = x.flatten(1) @ self.rows.T
        y[:, self.hidden] = self.filling
        return y

    def A_adjoint(self, y):
        y = y.clone()
        y[:, self.hidden] = 0
        return (y @ self.rows).reshape(-1, *SHAPE)


@pytest.mark.parametrize("name", CASES)
def test_the_scale_is_that_of_the_columns_of_the_dense_matrix(name):
    physics, size = make(name)
    count = 3 if name == "mask per image" else 1
    known = facts(physics, size, count=count)
    n = torch.Size(size).numel()
    for i in range(count):
        units = torch.eye(n).double().reshape(n, 1, *size).expand(n, count, *size)
        columns = torch.stack([physics.A(unit)[i].flatten() for unit in units])
        exact = columns.square().sum() / n
        respond = (columns.abs() > 1e-12).any(0).sum()
        tolerance = 1e-6 if known.matrix is not None or "mask" in name else 0.35
        assert known.scale[i].item() == pytest.approx(exact.item(), rel=tolerance)
        assert known.m[i] == respond
    assert known.linear
    assert known.adjoint


@pytest.mark.parametrize("seed", range(3))
def test_the_users_seeds_are_no_probes_seeds(seed):
    for entries in (
        torch.randn(20, 64, generator=rng(seed)),
        uniform((20, 64), rng(seed)),
        torch.randint(2, (20, 64), generator=rng(seed)).float(),
    ):
        exact = entries.square().sum().item() / 64
        assert facts(Own(entries), SHAPE).scale.item() == pytest.approx(exact, rel=0.5)


def test_many_pairs_are_better_than_one():
    matrices = [gaussian(5, SHAPE, seed=seed).matrix for seed in range(20)]
    exact = [A.square().sum().item() / 64 for A in matrices]
    found = [facts(Own(A), SHAPE).scale.item() for A in matrices]
    errors = [scale / true - 1 for scale, true in zip(found, exact, strict=True)]
    spread = torch.tensor(errors).square().mean().sqrt()
    assert spread < 1.5 * (2 / (PAIRS * 5)) ** 0.5


@pytest.mark.parametrize("filling", [0.0, 0.5, torch.nan])
def test_hidden_entries_of_anybodys_physics_are_no_measurements(filling):
    physics = Own(gaussian(20, SHAPE).matrix, hidden=(3, 7), filling=filling)
    known = facts(physics, SHAPE, count=2)
    assert known.m.tolist() == [18, 18]
    assert (~known.support).nonzero()[:, 1].tolist() == [3, 7]
    assert measurement_count(physics, SHAPE) == 18
    if filling == 0:
        y = physics.A(torch.rand(2, *SHAPE, generator=rng()))
        noise = add_noise(y, 0.1, Streams(0), physics) - y
        assert (noise == 0).nonzero()[:, 1].tolist() == [3, 7, 3, 7]


def test_a_mask_is_the_matrix_of_the_pixels_it_keeps():
    prior, mask = tiny_dcgan(), MASKS[:1]
    rows = torch.eye(64)[mask.flatten() == 1]
    x = prior.sample(2, rng(1))
    problems = []
    for physics in (inpainting(mask, SHAPE), Dense(rows, SHAPE), Own(rows)):
        y = physics.A(x)
        problems.append(Problem(prior, CSGM(prior, 0.01).objective_for(y, physics), y, physics))
    for problem in problems:
        assert problem.measurements.tolist() == 2 * [int(mask.sum())]


@pytest.mark.parametrize(
    ("physics", "linear"),
    [
        (gaussian(10, SHAPE), True),
        (Fourier(), True),
        (Mask(MASKS), True),
        (Phaseless(gaussian(10, SHAPE)), False),
    ],
)
def test_linear_or_not(physics, linear):
    assert facts(physics, SHAPE, count=3).linear == linear


@pytest.mark.parametrize(
    "curve",
    [
        torch.abs,
        torch.tanh,
        torch.square,
        lambda x: x + 1e-2,
        lambda x: x.clamp(0, 1),
        lambda x: x.clamp(0, 1).square() * (3 - 2 * x.clamp(0, 1)),
    ],
    ids=["abs", "tanh", "square", "affine", "clamp", "smoothstep"],
)
def test_curves_that_some_images_take_for_linear(curve):
    class Curve:
        def A(self, x):
            return curve(x)

    assert not facts(Curve(), SHAPE).linear


def test_signals_alike_or_not():
    found = {
        name: facts(physics, SHAPE, count=3).batching
        for name, physics in {
            "shared": Mask(MASKS[:1]),
            "own": Mask(MASKS),
            "as many as pairs": gaussian(3, SHAPE),
        }.items()
    }
    assert found["shared"].alike
    assert not found["own"].alike
    assert found["own"].can_select
    assert found["as many as pairs"].alike
    many = facts(Mask(MASKS[:1].expand(2 * PAIRS + 2, -1, -1, -1)), SHAPE, count=2 * PAIRS + 2)
    assert not many.batching.alike


def test_facts_of_a_signal_are_those_it_has_alone():
    whole = facts(Mask(MASKS), SHAPE, count=3)
    for i, mask in enumerate(MASKS):
        alone = facts(Mask(mask[None]), SHAPE)
        assert alone.m == whole.m[i]
        assert alone.scale.item() == pytest.approx(whole.scale[i].item(), rel=1e-6)


class Stateful(nn.Module):
    """Changes an attribute, a small tensor in place, and its mask, with every call."""

    def __init__(self):
        super().__init__()
        self.mask = MASKS[:1].clone()
        self.calls = torch.zeros(1)
        self.seen = []

    def A(self, x):
        y = self.mask * x
        self.calls += 1
        self.seen.append(len(x))
        self.mask = torch.ones_like(self.mask)
        torch.rand(3)
        return y

    A_adjoint = A


def test_a_probe_leaves_no_trace():
    physics, before = Stateful(), torch.get_rng_state()
    known = facts(physics, SHAPE, count=2)
    assert known.m.tolist() == [int(MASKS[0].sum())] * 2
    assert known.batching.alike
    assert physics.calls == 0
    assert physics.seen == []
    assert torch.equal(physics.mask, MASKS[:1])
    assert torch.equal(torch.get_rng_state(), before)


def test_what_cannot_be_copied_is_used_as_it_is():
    class Uncopied(Own):
        def __deepcopy__(self, memo):
            raise KeyError("one of a kind")

    assert facts(Uncopied(gaussian(20, SHAPE).matrix), SHAPE).m.tolist() == [20]


ERRORS = [ValueError, RuntimeError, AssertionError, AttributeError, KeyError, ZeroDivisionError]


@pytest.mark.parametrize("kind", ERRORS)
def test_a_physics_for_so_many_images_may_raise_what_it_likes(kind):
    class Three:
        def A(self, x):
            if len(x) != 3:
                raise kind("made for three images\nand no other number")
            return x.flatten(1)[:, ::3]

    known = facts(Three(), SHAPE, count=3)
    assert known.m.tolist() == [22] * 3
    assert not known.batching.alike
    assert not known.batching.can_select
    with pytest.raises(ValueError, match=r"Three does not take images of shape \(2, 1") as caught:
        facts(Three(), SHAPE, count=2)
    assert "\n" not in str(caught.value)
    prior = tiny_dcgan()
    x = prior.sample(3, rng(0))
    found = CSGM(prior, 0.0, effort=FAST.replace(restarts=2, steps=10)).solve(Three().A(x), Three())
    assert found.x.isfinite().all()


@pytest.mark.parametrize("method", [CSGM(tiny_dcgan()), LassoDCT()], ids=["csgm", "lasso"])
def test_physics_for_complex_images_say_so(method):
    physics = deepinv.physics.CompressedSensing(
        m=20, img_size=SHAPE, dtype=torch.cfloat, rng=rng(5)
    )
    y = physics.A(torch.rand(2, *SHAPE, generator=rng()).to(torch.complex64))
    with pytest.raises(ValueError, match="takes images of a complex type only") as caught:
        method(y, physics)
    assert "\n" not in str(caught.value)


def test_physics_made_under_inference_mode():
    prior = tiny_dcgan()
    with torch.inference_mode():
        physics = Gaussian(20, SHAPE)
        y = physics.A(prior.sample(2, rng(0)))
    solver = CSGM(prior, 0.0, effort=FAST.replace(restarts=2, steps=10))
    plain = solver.solve(y.clone(), Gaussian(20, SHAPE))
    torch.testing.assert_close(solver.solve(y, physics).x, plain.x)


def test_one_kernel_for_each_image():
    kernels = torch.rand(3, 1, 3, 3, generator=rng(2))
    physics = deepinv.physics.Blur(filter=kernels, padding="circular")
    prior = tiny_dcgan()
    x = prior.sample(3, rng(0))
    known = facts(physics, SHAPE, count=3)
    assert known.scale.tolist() == pytest.approx(kernels.square().sum((1, 2, 3)).tolist(), rel=0.5)
    found = CSGM(prior, 0.0, effort=FAST).solve(physics.A(x), physics)
    assert (found.x - x).square().mean() < 1e-3
    assert LassoDCT(alpha=1e-3, max_steps=50)(physics.A(x), physics).isfinite().all()


class TestMRI:
    full = SingleCoilMRI(torch.ones(8, 8), SHAPE)
    mask = cartesian_mask(SHAPE, 4)[None]

    def test_a_mask_of_a_call_is_measured_with_and_kept(self):
        ours, theirs = copy.deepcopy(self.full), deepinv.physics.MRI(mask=torch.ones(8, 8))
        x = torch.rand(2, *SHAPE, generator=rng())
        for mask in (self.mask, self.mask.expand(1, 2, 8, 8)):
            as_complex = torch.cat([x, torch.zeros_like(x)], 1)
            torch.testing.assert_close(ours(x, mask=mask), theirs(as_complex, mask=mask))
            torch.testing.assert_close(ours.A(x), theirs.A(as_complex))
            back = theirs.A_adjoint(ours.A(x))[:, :1]
            torch.testing.assert_close(ours.A_adjoint(ours.A(x), mask=mask), back)
        ours.update(mask=torch.ones(8, 8))
        torch.testing.assert_close(ours.A(x), self.full.A(x))

    @pytest.mark.parametrize("call", ["__call__", "A", "A_adjoint", "A_dagger"])
    def test_unknown_arguments_are_refused(self, call):
        argument = torch.rand(1, *SHAPE) if call in ("__call__", "A") else torch.rand(1, 2, 8, 8)
        with pytest.raises(ValueError, match="takes no argument 'maks'; it takes mask"):
            getattr(self.full, call)(argument, maks=self.mask)

    def test_arguments_of_the_noise_model_are_its_own(self):
        noisy = SingleCoilMRI(self.mask, SHAPE, deepinv.physics.GaussianNoise(0.1, rng=rng()))
        x = torch.rand(1, *SHAPE, generator=rng())
        assert torch.equal(noisy(x, sigma=0.0), noisy.A(x))
        with pytest.raises(ValueError, match="Gaussian takes no argument 'sigma'"):
            Gaussian(5, SHAPE)(x, sigma=0.1)

    @pytest.mark.parametrize("bad", [torch.zeros(8, 8), torch.full((8, 8), 0.5), torch.ones(7, 8)])
    def test_bad_masks_of_a_call_are_refused(self, bad):
        with pytest.raises(ValueError, match="mask"):
            self.full.A(torch.rand(1, *SHAPE), mask=bad)

    def test_differentiable_as_deepinvs_own(self):
        """By image and by mask, as in the tests of deepinv's operators."""
        physics = copy.deepcopy(self.full)
        x = torch.randn(1, *SHAPE, generator=rng(), requires_grad=True)
        mask = self.mask.clone().requires_grad_()
        (physics(x, mask=mask) - 1).square().mean().backward()
        assert x.grad.isfinite().all()
        assert mask.grad.isfinite().all()
        assert mask.grad.any()


def test_support_of_one_mask_for_each_image():
    support = measurement_support(inpainting(MASKS, SHAPE), SHAPE)
    assert support is not None
    assert torch.equal(support, MASKS == 1)
    assert measurement_support(Gaussian(5, SHAPE), SHAPE) is None


def test_probes_in_small_groups_find_the_same(monkeypatch):
    physics = gaussian(30, (1, 8, 8), dtype=torch.float64)
    like = torch.zeros(2, 30, dtype=torch.float64)
    whole = facts(physics, (1, 8, 8), count=2, like=like)
    monkeypatch.setattr("ganprior.physics.probing.BYTES", 1)
    sizes: list[int] = []
    measure = type(physics).A

    def noted(self, x):
        sizes.append(len(x))
        return measure(self, x)

    monkeypatch.setattr(type(physics), "A", noted)
    parts = facts(physics, (1, 8, 8), count=2, like=like)
    assert max(sizes) == 4
    torch.testing.assert_close(parts.scale, whole.scale)
    assert parts.linear
    assert parts.adjoint == whole.adjoint
    assert torch.equal(parts.m, whole.m)
