"""The bases of the Lasso against scipy and PyWavelets."""

import math

import numpy as np
import pytest
import pywt
import scipy.fft
import torch

from ganprior.baselines.dct import DCT
from ganprior.baselines.wavelet import WaveletTransform, orthogonal_wavelet

ORTHOGONAL = ["db1", "db4", "sym4", "coif1", "db10"]
SHAPES = [(2, 1, 8, 8), (2, 3, 16, 12), (1, 1, 28, 28), (1, 2, 6, 20)]


def images(shape):
    return torch.rand(shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def bases(x):
    return [DCT(x), *(WaveletTransform(x, orthogonal_wavelet(name)) for name in ORTHOGONAL)]


@pytest.mark.parametrize("shape", SHAPES)
def test_dct_is_that_of_scipy(shape):
    x = images(shape)
    expected = scipy.fft.dctn(x.numpy(), axes=(-2, -1), norm="ortho")
    np.testing.assert_allclose(DCT(x).analysis(x).numpy(), expected, atol=1e-12)


@pytest.mark.filterwarnings("ignore:Level value")  # PyWavelets: the filter is wider than a level
@pytest.mark.parametrize("name", ORTHOGONAL)
@pytest.mark.parametrize("shape", SHAPES)
def test_wavelet_coefficients_are_those_of_pywavelets(name, shape):
    x = images(shape)
    transform = WaveletTransform(x, orthogonal_wavelet(name))
    found = transform.analysis(x).numpy()
    levels = len(transform.levels)
    for image, coefficients in zip(x.flatten(0, 1), found.reshape(-1, *shape[2:]), strict=True):
        tree = pywt.wavedec2(image.numpy(), name, mode="periodization", level=levels)
        np.testing.assert_allclose(coefficients, pywt.coeffs_to_array(tree)[0], atol=1e-11)


@pytest.mark.parametrize(("shape", "levels"), [((28, 28), 2), ((64, 64), 6), ((12, 16), 2)])
def test_wavelet_goes_as_deep_as_both_sides_stay_even(shape, levels):
    transform = WaveletTransform(torch.zeros(1, 1, *shape), orthogonal_wavelet("db1"))
    assert len(transform.levels) == levels


@pytest.mark.parametrize("shape", [(1, 1, 8, 8), (1, 2, 6, 20), (1, 1, 14, 14)])
def test_orthonormal(shape):
    n = math.prod(shape[1:])
    units = torch.eye(n, dtype=torch.float64).reshape(n, *shape[1:])
    for basis in bases(units):
        matrix = basis.analysis(units).flatten(1)
        torch.testing.assert_close(matrix @ matrix.T, torch.eye(n).double(), atol=1e-12, rtol=0)
        torch.testing.assert_close(basis.synthesis(units).flatten(1), matrix.T)


def test_colour_is_transformed_channel_by_channel_and_input_unchanged():
    x = images((2, 3, 8, 8))
    before = x.clone()
    for basis in bases(x):
        single = [basis.analysis(x[:, c : c + 1]) for c in range(3)]
        torch.testing.assert_close(basis.analysis(x), torch.cat(single, 1), rtol=0, atol=0)
        basis.synthesis(x)
        assert torch.equal(x, before)


@pytest.mark.parametrize("name", ["bior2.2", "rbio3.1", "dmey", "mexh", "nonsense", ""])
def test_wavelets_that_are_not_orthonormal_are_refused(name):
    with pytest.raises(ValueError, match=r"wavelet='.*db4, sym4 or coif1"):
        orthogonal_wavelet(name)


def test_odd_images_are_refused():
    with pytest.raises(ValueError, match="even height and width, got 27x28"):
        WaveletTransform(torch.zeros(1, 1, 27, 28), orthogonal_wavelet("db1"))
