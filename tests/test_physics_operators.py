"""Every operator against an oracle of its own: numpy, scipy, deepinv, or its definition."""

import math

import deepinv
import numpy as np
import pytest
import scipy.fft
import scipy.ndimage
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from ganprior.physics import (
    Gaussian,
    SingleCoilMRI,
    StructuredRows,
    blur,
    cartesian_mask,
    downsampling,
    gray,
    identity,
    measurement_count,
    with_missing,
)
from tests import checks
from tests.cases_physics import BATCH, images, make, seeded

pytestmark = pytest.mark.filterwarnings("ignore:Casting complex values to real")


# --- Gaussian --------------------------------------------------------------------------------


def test_gaussian_is_its_matrix():
    physics, size = make("gaussian, colour")
    x = images(size)
    expected = x.numpy().reshape(BATCH, -1) @ physics.matrix.numpy().T
    np.testing.assert_allclose(physics.A(x).numpy(), expected, atol=1e-12)
    assert measurement_count(physics, size) == physics.m == 50


def test_gaussian_entries_have_variance_one_over_m():
    matrix = Gaussian(200, (1, 40, 40)).matrix
    assert abs(matrix.mean()) < 4 / math.sqrt(200 * matrix.numel())
    # The standard error of a variance is sqrt(2 / count) of it.
    assert abs(200 * matrix.var() - 1) < 4 * math.sqrt(2 / matrix.numel())


def test_gaussian_depends_on_the_generator_alone():
    size = (1, 6, 6)
    before = torch.random.get_rng_state()
    single = Gaussian(20, size, seeded(7))
    double = Gaussian(20, size, seeded(7), dtype=torch.float64)
    assert torch.equal(torch.random.get_rng_state(), before)
    assert torch.equal(single.matrix.double(), double.matrix)
    assert not torch.equal(single.matrix, Gaussian(20, size, seeded(8)).matrix)
    assert torch.equal(Gaussian(20, size).matrix, Gaussian(20, size, seeded(0)).matrix)


def test_gaussian_keeps_only_its_matrix():
    names = {name for name, buffer in Gaussian(5, (1, 4, 4)).named_buffers() if buffer.numel() > 1}
    assert names == {"matrix"}


@pytest.mark.slow
def test_large_gaussian_is_built_in_seconds():
    physics = Gaussian(10_000, (3, 64, 64))
    x = torch.rand(1, 3, 64, 64)
    assert abs(physics.A(x).norm() / x.norm() - 1) < 0.05


def test_noise_model_is_deepinvs():
    noise = deepinv.physics.GaussianNoise(0.5, rng=seeded())
    physics = Gaussian(100, (1, 20, 20), noise_model=noise)
    x = torch.rand(50, 1, 20, 20)
    assert abs((physics(x) - physics.A(x)).std() - 0.5) < 0.02


# --- Filters ---------------------------------------------------------------------------------


@pytest.mark.parametrize("factor", [2, 3, 4, 6, 12])
def test_downsampling_is_the_mean_of_blocks(factor):
    x = images((3, 12, 24))
    expected = x.reshape(BATCH, 3, 12 // factor, factor, 24 // factor, factor).mean((3, 5))
    y = downsampling((3, 12, 24), factor).double().A(x)
    torch.testing.assert_close(y, expected, rtol=0, atol=1e-7)


@pytest.mark.parametrize("sigma", [0.5, 2, 2.5])
def test_blur_is_scipys_gaussian_filter(sigma):
    x = images((1, 28, 20))
    y = blur((1, 28, 20), sigma).double().A(x).numpy()
    expected = scipy.ndimage.gaussian_filter(
        x.numpy(), sigma, axes=(2, 3), mode="wrap", radius=int(sigma / 0.3 + 1)
    )
    np.testing.assert_allclose(y, expected, atol=1e-6)


# --- MRI -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["mri", "mri, odd"])
def test_mri_is_the_masked_fourier_transform(name):
    physics, size = make(name)
    x = images(size)
    axes = (-2, -1)
    spectrum = np.fft.fftshift(
        np.fft.fft2(np.fft.ifftshift(x.numpy(), axes=axes), norm="ortho"), axes=axes
    )
    y = physics.A(x).numpy()
    mask = physics.mask.numpy()
    np.testing.assert_allclose(y[:, :1] + 1j * y[:, 1:], mask * spectrum, atol=1e-12)


@pytest.mark.parametrize("name", ["mri", "mri, odd"])
def test_mri_agrees_with_deepinv_on_real_images(name):
    physics, size = make(name)
    x = images(size)
    theirs = deepinv.physics.MRI(mask=physics.mask)
    both = torch.cat([x, torch.zeros_like(x)], dim=1)
    torch.testing.assert_close(physics.A(x), theirs.A(both), rtol=0, atol=1e-12)
    y = checks.random_tensor((BATCH, 2, *size[1:]), 2)
    back = theirs.A_adjoint(y)[:, :1]
    torch.testing.assert_close(physics.A_adjoint(y), back, rtol=0, atol=1e-12)


@given(st.integers(4, 40), st.floats(1, 4), st.integers(0, 10**6))
@settings(max_examples=40, deadline=None)
def test_cartesian_mask(width, acceleration, seed):
    mask = cartesian_mask((1, 5, width), acceleration, seeded(seed))
    columns = mask[0, 0]
    assert torch.equal(mask, columns.expand(1, 5, width))
    assert columns.sum() == max(1, round(width / acceleration))
    centre = max(1, round(0.32 * columns.sum().item()))
    first = width // 2 - centre // 2
    assert columns[first : first + centre].all()
    assert columns[width // 2] == 1  # the mean of the image is always measured
    assert torch.equal(mask, cartesian_mask((1, 5, width), acceleration, seeded(seed)))


def test_cartesian_mask_is_denser_towards_the_centre():
    total = sum(cartesian_mask((1, 1, 64), 4, seeded(i))[0, 0] for i in range(200))
    inner, outer = total[16:48].sum(), total[:16].sum() + total[48:].sum()
    assert inner > 3 * outer > 0


def test_mri_noise_falls_on_measured_lines_only():
    noise = deepinv.physics.GaussianNoise(0.5, rng=seeded())
    size = (1, 12, 12)
    physics = SingleCoilMRI(cartesian_mask(size, 3), size, noise_model=noise)
    y = physics(torch.zeros(2, *size))
    measured = physics.mask.expand_as(y) == 1
    assert y[measured].all()
    assert not y[~measured].any()


# --- Structured ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["structured", "structured, colour, m = n"])
def test_structured_is_rows_of_scipys_dct(name):
    physics, size = make(name)
    x = images(size)
    signed = x.numpy() * physics.diagonals[0].numpy()
    coefficients = scipy.fft.dctn(signed, axes=(1, 2, 3), norm="ortho").reshape(BATCH, -1)
    expected = coefficients[:, physics.rows.numpy()] * math.sqrt(x[0].numel() / physics.m)
    np.testing.assert_allclose(physics.A(x).numpy(), expected, atol=1e-12)


@pytest.mark.parametrize("name", ["structured", "structured, colour, m = n"])
def test_structured_rows_are_orthogonal(name):
    physics, size = make(name)
    matrix = checks.dense_matrix(physics, size)
    gram = matrix @ matrix.T
    n = matrix.shape[1]
    assert matrix.shape[0] == physics.m == measurement_count(physics, size)
    torch.testing.assert_close(gram, n / physics.m * torch.eye(physics.m).double())


def test_structured_keeps_energy_as_a_gaussian_matrix_does():
    # A non-negative image of one level: without the signs its energy sits in one coefficient.
    x = torch.ones(1, 1, 28, 28)
    ratios = [StructuredRows(100, (1, 28, 28), seeded(i)).A(x).norm() / 28 for i in range(20)]
    assert all(0.7 < ratio < 1.3 for ratio in ratios)


def test_structured_has_random_signs_and_rows():
    first, second = (StructuredRows(20, (1, 8, 8), seeded(i)) for i in (0, 1))
    assert set(first.diagonals.unique().tolist()) == {-1.0, 1.0}
    assert len(first.rows.unique()) == 20
    assert not torch.equal(first.rows, second.rows)
    assert not torch.equal(first.diagonals, second.diagonals)


def test_structured_float32_is_exact_at_large_sizes():
    x = torch.rand(1, 1, 256, 256, generator=seeded())
    physics = StructuredRows(256**2, (1, 256, 256))
    torch.testing.assert_close(physics.A_adjoint(physics.A(x)), x, rtol=0, atol=1e-5)


# --- Missing entries -------------------------------------------------------------------------


def missing_in(name):
    """A physics of three images, what is known of the pictures it makes, and the restriction."""
    physics, size = make(name)
    y = physics.A(images(size))
    known = torch.rand(y.shape, generator=seeded()) > 0.3
    return physics, size, known, with_missing(physics, known).double()


@pytest.mark.parametrize(
    "name", ["downsample", "blur", "gray", "identity", "mask random", "mask per channel"]
)
def test_missing_entries_are_zero_and_others_as_before(name):
    physics, size, known, restricted = missing_in(name)
    x = images(size)
    assert torch.equal(restricted.A(x), physics.A(x) * known)
    checks.check_adjoint(restricted, x)
    checks.check_linear(restricted.A, x, images(size, seed=1))
    checks.check_input_unchanged(restricted.A, x)
    checks.check_vmap(restricted.A, x)
    expected = (known & (physics.A(x) != 0)).flatten(1).sum(1)
    assert torch.equal(torch.as_tensor(measurement_count(restricted, size)), expected)


# --- Gray ------------------------------------------------------------------------------------


def test_gray_is_pillows_luma():
    """Pillow turns RGB into gray by Rec. 601 as well, rounded to whole levels."""
    levels = torch.randint(256, (8, 8, 3), generator=seeded(), dtype=torch.uint8)
    luma = np.asarray(Image.fromarray(levels.numpy()).convert("L"))
    y = gray((3, 8, 8)).A(levels.permute(2, 0, 1)[None].float() / 255) * 255
    assert y.shape == (1, 1, 8, 8)
    assert np.abs(y[0, 0].numpy() - luma).max() <= 0.51


def test_gray_pictures_keep_their_level():
    x = torch.rand(1, 1, 5, 4, generator=seeded())
    torch.testing.assert_close(gray((3, 5, 4)).A(x.expand(-1, 3, -1, -1)), x)


def test_gray_of_gray_is_refused():
    with pytest.raises(ValueError, match=r"three channels, got images of size \(1, 8, 8\)"):
        gray((1, 8, 8))


# --- Identity --------------------------------------------------------------------------------


def test_identity_adds_nothing():
    x = images((1, 5, 5))
    assert torch.equal(identity()(x), x)
    assert torch.equal(identity().A_dagger(x), x)
