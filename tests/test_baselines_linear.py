"""What every baseline of linear physics does, whatever its objective."""

import copy
import io
import math
import pickle

import pytest
import torch

from ganprior.baselines.linear_map import count_and_scale
from ganprior.solution import Status
from tests.cases_baselines import (
    LINEAR_BASELINES,
    TUNED_BASELINES,
    DensePhysics,
    FourierPhysics,
    MaskPhysics,
    gaussian,
    images,
)

SHAPE = (1, 8, 8)
# What is iterated ends where its tolerance is met, what is in closed form does not.
CLOSED = ("lmmse", "gaussian-mixture")


def masks(count, seed=3):
    generator = torch.Generator().manual_seed(seed)
    return (torch.rand(count, 1, 8, 8, generator=generator) > 0.4).double()


def physics_of(kind, count):
    return {
        "dense": lambda: gaussian(30, SHAPE),
        "hidden matrix": lambda: gaussian(30, SHAPE, hidden=True),
        "mask per image": lambda: MaskPhysics(masks(count)),
        "fourier": lambda: FourierPhysics([0, 1, 2, 6, 7]),
    }[kind]()


@pytest.fixture(params=LINEAR_BASELINES)
def name(request):
    return request.param


@pytest.fixture
def solver(name):
    return LINEAR_BASELINES[name]()


@pytest.mark.parametrize("kind", ["dense", "hidden matrix", "mask per image", "fourier"])
def test_batch_equals_one_by_one(solver, kind):
    x = images(3, SHAPE)
    y = physics_of(kind, 3).A(x)
    together = solver.solve(y, physics_of(kind, 3))
    assert together.status == (Status.CONVERGED,) * 3
    for i in range(3):
        physics = physics_of(kind, 3)
        if kind == "mask per image":
            physics = MaskPhysics(masks(3)[i : i + 1])
        alone = solver.solve(y[i : i + 1], physics)
        torch.testing.assert_close(together.x[i : i + 1], alone.x, rtol=0, atol=1e-9)
        torch.testing.assert_close(together.objective[i : i + 1], alone.objective)


def test_matrix_shown_or_hidden_gives_the_same(name, solver):
    shown, hidden = gaussian(30, SHAPE), gaussian(30, SHAPE, hidden=True)
    y = shown.A(images(2, SHAPE))
    # The Lassos without the box take another algorithm.
    tolerance = 1e-9 if name in CLOSED or "box" in name or name == "tv" else 1e-2
    torch.testing.assert_close(solver(y, shown), solver(y, hidden), rtol=0, atol=tolerance)


@pytest.mark.parametrize("kind", ["dense", "mask per image"])
def test_measurements_in_other_units_give_the_same_image(name, kind):
    """A, y and the noise times c; the weights that follow from them go along."""
    x, noise_std = images(3, SHAPE), 0.05
    for c in (1e-3, 255.0):
        results = []
        for factor in (1.0, c):
            physics = gaussian(30, SHAPE)
            if kind == "dense":
                physics = DensePhysics(factor * physics.matrix, SHAPE)
            else:
                physics = MaskPhysics(factor * masks(3))
            y = physics.A(x) + factor * noise_std * torch.sin(10 * physics.A(x) / factor)
            results.append(TUNED_BASELINES[name](factor * noise_std)(y, physics))
        torch.testing.assert_close(results[0], results[1], rtol=0, atol=1e-6)


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_signal_that_is_not_finite_disturbs_no_other(solver, bad):
    physics, x = gaussian(30, SHAPE), images(3, SHAPE)
    y = physics.A(x)
    clean = solver.solve(y, physics)
    y[1, 4] = bad
    solution = solver.solve(y, physics)
    assert solution.status == (Status.CONVERGED, Status.NONFINITE, Status.CONVERGED)
    assert (solution.x[1] == 0).all()
    assert solution.objective[1].isnan()
    torch.testing.assert_close(solution.x[::2], clean.x[::2], rtol=0, atol=1e-9)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_dtype_follows_y_and_inputs_stay(solver, dtype):
    physics, x = gaussian(30, SHAPE, dtype=dtype), images(2, SHAPE, dtype=dtype)
    y, state = physics.A(x), copy.deepcopy(solver)
    before, matrix = y.clone(), physics.matrix.clone()
    solution = solver.solve(y, physics)
    assert solution.x.dtype == solution.objective.dtype == dtype
    assert solution.steps.dtype == torch.int64
    assert torch.equal(y, before)
    assert torch.equal(physics.matrix, matrix)
    assert torch.equal(state.solve(y, physics).x, solution.x)


@pytest.mark.parametrize("context", [torch.no_grad, torch.inference_mode, torch.enable_grad])
def test_works_in_any_gradient_mode(solver, context):
    physics, x = gaussian(30, SHAPE), images(2, SHAPE)
    with context():
        y = physics.A(x)
        inside = solver(y, physics)
    assert not inside.requires_grad
    torch.testing.assert_close(inside, solver(physics.A(x), physics))


def test_measurements_of_zeros_and_a_physics_of_zeros_are_no_failure(solver):
    zero = DensePhysics(torch.zeros(5, 64).double(), SHAPE)
    for physics, y in [
        (gaussian(20, SHAPE), torch.zeros(2, 20).double()),
        (zero, torch.ones(2, 5).double()),
    ]:
        solution = solver.solve(y, physics)
        assert Status.NONFINITE not in solution.status
        assert solution.x.isfinite().all()


def test_the_box_holds(name, solver):
    physics, x = gaussian(30, SHAPE), images(2, SHAPE)
    found = solver(physics.A(2 * x - 0.5), physics)
    boxed = "box" in name or name == "tv"
    assert bool(((found >= 0) & (found <= 1)).all()) == boxed


def test_it_can_be_pickled(solver):
    physics, x = gaussian(30, SHAPE), images(2, SHAPE)
    y, file = physics.A(x), io.BytesIO()
    pickle.dump(solver, file)
    file.seek(0)
    torch.testing.assert_close(pickle.load(file)(y, physics), solver(y, physics))


@pytest.mark.parametrize(
    ("y", "words"),
    [
        ([torch.zeros(2, 30)], "y must be one tensor, got list"),
        (torch.zeros(30), "got (30,)"),
        (torch.zeros(2, 30, dtype=torch.int64), "floating-point"),
        (torch.zeros(2, 29).double(), "does not fit physics"),
    ],
)
def test_a_wrong_y_is_one_line(solver, y, words):
    with pytest.raises(ValueError) as caught:
        solver(y, gaussian(30, SHAPE))
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_physics_that_is_not_linear_is_refused(solver):
    class Squared(DensePhysics):
        def A(self, x):
            return super().A(x).square()

    with pytest.raises(ValueError, match="is not linear"):
        solver(torch.ones(2, 30).double(), Squared(gaussian(30, SHAPE).matrix, SHAPE))


def test_the_noise_that_the_physics_states_counts_unless_it_is_given(name):
    class Noise:
        sigma = 0.3

    physics = gaussian(40, SHAPE)
    y = physics.A(images(2, SHAPE))
    told = TUNED_BASELINES[name](0.3)(y, physics)
    physics.noise_model = Noise()
    torch.testing.assert_close(TUNED_BASELINES[name](None)(y, physics), told)
    assert (TUNED_BASELINES[name](0.0)(y, physics) - told).abs().max() > 1e-4


@pytest.mark.parametrize("seed", [0, 1])
def test_what_weights_follow_is_not_misjudged_of_a_matrix_that_torch_drew_from_a_small_seed(seed):
    """Row 1 of such a matrix is what a probe of torch.randn from seed 0 would be."""
    matrix = torch.randn(50, 64, generator=torch.Generator().manual_seed(seed))
    x = images(3, (1, 8, 8)).float()
    true = float(matrix.square().sum() / 64)
    hidden = DensePhysics(matrix, (1, 8, 8), hidden=True)
    for physics, tolerance in ((DensePhysics(matrix, (1, 8, 8)), 1e-5), (hidden, 0.25)):
        m, scale = count_and_scale(physics, x)
        assert m.tolist() == [50] * 3
        assert scale.tolist() == pytest.approx([true] * 3, rel=tolerance)
