"""Properties of every physics, and its pseudo-inverse against the dense one."""

import math

import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from ganprior.physics import Gaussian, least_norm_solution
from tests import checks
from tests.cases_physics import ANY_BATCH, CASES, images, make

pytestmark = pytest.mark.filterwarnings("ignore:Casting complex values to real")


# --- Properties of every case --------------------------------------------------------------


@pytest.mark.parametrize("name", CASES)
def test_adjoint(name):
    physics, size = make(name)
    checks.check_adjoint(physics, images(size))


@pytest.mark.parametrize("name", CASES)
def test_linear(name):
    physics, size = make(name)
    checks.check_linear(physics.A, images(size), images(size, seed=1))


@pytest.mark.parametrize("name", ANY_BATCH)
def test_batch_equals_one_by_one(name):
    physics, size = make(name)
    checks.check_batch(physics.A, images(size))
    checks.check_batch(physics.A_adjoint, physics.A(images(size)))


# deepinv's own least squares goes on until every signal of the batch is done.
@pytest.mark.parametrize("name", [n for n in ANY_BATCH if "blur" not in n and "bicubic" not in n])
def test_dagger_of_a_batch_equals_one_by_one(name):
    physics, size = make(name)
    checks.check_batch(physics.A_dagger, physics.A(images(size)))


@pytest.mark.parametrize("name", CASES)
def test_input_unchanged(name):
    physics, size = make(name)
    x = images(size)
    checks.check_input_unchanged(physics.A, x)
    checks.check_input_unchanged(physics.A_adjoint, physics.A(x))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("name", CASES)
def test_dtype_kept(name, dtype):
    physics, size = make(name, dtype)
    y = physics.A(images(size).to(dtype))
    assert y.dtype == physics.A_adjoint(y).dtype == physics.A_dagger(y).dtype == dtype


@pytest.mark.parametrize("name", CASES)
def test_vmap_over_restarts(name):
    physics, size = make(name)
    checks.check_vmap(physics.A, images(size))


@pytest.mark.parametrize("name", CASES)
def test_forward_mode(name):
    physics, size = make(name)
    checks.check_jvp(physics.A, images(size), images(size, seed=1))


@pytest.mark.parametrize("name", CASES)
def test_call_without_noise_model_is_a(name):
    physics, size = make(name)
    x = images(size)
    assert torch.equal(physics(x), physics.A(x))


# Of our own classes: a deepinv clone takes a third of a second whatever the physics.
@pytest.mark.parametrize("name", ["gaussian", "mri", "structured"])
def test_clone_measures_the_same(name):
    physics, size = make(name)
    assert torch.equal(physics.clone().A(images(size)), physics.A(images(size)))


@pytest.mark.cuda
@pytest.mark.parametrize("name", CASES)
def test_device_changes_nothing(name):
    physics, size = make(name)
    x = images(size)
    y, back = physics.A(x), physics.A_adjoint(physics.A(x))
    physics.to("cuda")
    torch.testing.assert_close(physics.A(x.cuda()).cpu(), y, rtol=0, atol=1e-12)
    torch.testing.assert_close(physics.A_adjoint(y.cuda()).cpu(), back, rtol=0, atol=1e-11)
    assert physics.A_dagger(y.cuda()).is_cuda


# --- A_dagger --------------------------------------------------------------------------------

# Blur is left out: its smallest singular values are at the rounding error. deepinv's own answers
# (down-sampling) are damped by 1e-8 and stop at 1e-4, or have a singular value in float32 (gray).
TOLERANCES = {name: 1e-8 for name in ANY_BATCH if "blur" not in name} | {
    "gaussian, m = n": 1e-4,
    "downsample": 1e-6,
    "downsample, bicubic": 1e-3,
    "gray": 1e-6,
}


@pytest.mark.parametrize("name", TOLERANCES)
def test_dagger_is_the_pseudo_inverse(name):
    physics, size = make(name)
    x = images(size)
    y = physics.A(x)
    v = checks.random_tensor(tuple(y.shape), 5)  # not in the range of A
    inverse = torch.linalg.pinv(checks.dense_matrix(physics, size))
    expected = (v.flatten(1) @ inverse.T).reshape(x.shape)
    error = (physics.A_dagger(v) - expected).norm() / expected.norm()
    assert error < TOLERANCES[name]


@given(st.integers(1, 12), st.integers(1, 12), st.integers(0, 4), st.integers(0, 10**6))
@example(5, 3, 2, 410)  # a signal almost orthogonal to the range of A
@settings(max_examples=50, deadline=None)
def test_least_norm_solution(rows, columns, rank_lost, seed):
    rank = max(1, min(rows, columns) - rank_lost)
    left = checks.random_tensor((rows, rank), seed)
    left = torch.linalg.qr(left)[0]
    right = torch.linalg.qr(checks.random_tensor((columns, rank), seed + 1))[0]
    matrix = left @ torch.diag(torch.linspace(1, 3, rank).double()) @ right.T
    y = checks.random_tensor((2, rows), seed + 2)
    x = least_norm_solution(lambda x: x @ matrix.T, lambda y: y @ matrix, y)
    expected = y @ torch.linalg.pinv(matrix, rtol=1e-10).T
    torch.testing.assert_close(x, expected, rtol=0, atol=1e-9)


def test_dagger_of_a_bad_signal_is_nan_and_spares_the_others():
    physics, size = make("gaussian")
    y = physics.A(images(size))
    good = physics.A_dagger(y)
    y[1, 3] = math.nan
    x = physics.A_dagger(y)
    assert x[1].isnan().any()
    assert physics.A_dagger(y[1:2]).isnan().any()
    torch.testing.assert_close(x[[0, 2]], good[[0, 2]], rtol=0, atol=1e-10)


def test_a_matrix_that_memory_cannot_hold_names_the_physics_without_one():
    with pytest.raises(ValueError, match=r"take StructuredRows\(100000000, \(3, 8192, 8192\)\)"):
        Gaussian(10**8, (3, 8192, 8192))
