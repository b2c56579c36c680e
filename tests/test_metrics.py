"""Errors per image against scikit-image, and the closed form where there is one."""

import numpy as np
import pytest
import skimage.metrics
import torch

from ganprior.metrics import per_pixel_error, psnr, ssim

METRICS = (per_pixel_error, psnr, ssim)


@pytest.fixture(params=[(4, 1, 28, 28), (3, 3, 20, 33)], ids=["gray28", "colour"])
def pair(request):
    generator = torch.Generator().manual_seed(1)
    x = torch.rand(request.param, generator=generator)
    return x + 0.3 * torch.randn(x.shape, generator=generator), x


def numpy_pairs(pair):
    """Each image of the batch as clipped float64 arrays."""
    x_hat, x = (tensor.clamp(0, 1).double().numpy() for tensor in pair)
    return zip(x_hat, x, strict=True)


def test_per_pixel_error_is_the_mean_square(pair):
    expected = [skimage.metrics.mean_squared_error(b, a) for a, b in numpy_pairs(pair)]
    assert np.allclose(per_pixel_error(*pair), expected, rtol=1e-5)


def test_psnr_is_scikit_images(pair):
    expected = [
        skimage.metrics.peak_signal_noise_ratio(b, a, data_range=1) for a, b in numpy_pairs(pair)
    ]
    assert np.allclose(psnr(*pair), expected, rtol=1e-5)


def test_ssim_is_scikit_images_with_the_papers_window(pair):
    expected = [
        skimage.metrics.structural_similarity(
            b,
            a,
            channel_axis=0,
            data_range=1,
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
        )
        for a, b in numpy_pairs(pair)
    ]
    assert np.allclose(ssim(*pair), expected, atol=1e-6)


def test_closed_forms():
    x = torch.full((2, 1, 12, 12), 0.25)
    assert torch.allclose(per_pixel_error(x + 0.5, x), torch.full((2,), 0.25))
    assert torch.allclose(psnr(x + 0.1, x), torch.full((2,), 20.0))
    assert psnr(x, x).isinf().all()
    assert torch.allclose(ssim(x, x), torch.ones(2))
    # Without variance only luminance is left: (2ab + c1) / (a^2 + b^2 + c1), c1 = 1e-4.
    expected = (2 * 0.25 * 0.75 + 1e-4) / (0.25**2 + 0.75**2 + 1e-4)
    assert torch.allclose(ssim(x + 0.5, x), torch.full((2,), expected))


@pytest.mark.parametrize("metric", METRICS)
def test_one_number_per_image_whatever_the_batch(metric, pair):
    x_hat, x = pair
    values = metric(x_hat, x)
    assert values.shape == (len(x),)
    assert values.dtype == x.dtype
    alone = torch.cat([metric(x_hat[i : i + 1], x[i : i + 1]) for i in range(len(x))])
    assert torch.allclose(values, alone, rtol=1e-6)


@pytest.mark.parametrize("metric", METRICS)
def test_reconstructions_are_clipped_and_left_as_they_are(metric, pair):
    x_hat, x = pair
    before = x_hat.clone()
    assert torch.equal(metric(x_hat, x), metric(x_hat.clamp(0, 1), x))
    assert torch.equal(x_hat, before)


@pytest.mark.parametrize("metric", METRICS)
def test_nan_stays_with_its_image(metric, pair):
    x_hat, x = pair
    x_hat[0, 0, 3, 3] = torch.nan
    assert metric(x_hat, x).isnan().tolist() == [True] + [False] * (len(x) - 1)


@pytest.mark.parametrize("metric", METRICS)
def test_shapes_that_differ_are_refused(metric):
    x = torch.zeros(2, 1, 12, 12)
    for other in (x[:1], x[0], x.reshape(2, 1, 6, 24)):
        with pytest.raises(ValueError, match="must have one shape"):
            metric(other, x)


def test_ssim_refuses_images_smaller_than_its_window():
    with pytest.raises(ValueError, match="at least 11 x 11"):
        ssim(torch.zeros(1, 1, 10, 28), torch.zeros(1, 1, 10, 28))
