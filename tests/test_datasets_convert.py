"""How images are brought to one square size."""

import numpy as np
import pytest
import torch

from ganprior import load_images
from ganprior.datasets.convert import convert

# A step from 0.2 to 0.8 at two thirds of the width, in images twice as wide as high.
WIDE = torch.where(torch.arange(24) < 16, 0.2, 0.8).expand(1, 1, 12, 24)


def widths(fit):
    """Columns below and above the middle level, in the middle row of a resized image."""
    row = convert(WIDE, 12, None, fit)[0, 0, 6]
    return int((row < 0.5).sum()), int((row > 0.5).sum())


def test_crop_takes_the_centred_square():
    assert torch.equal(convert(WIDE, 12, None), WIDE[..., 6:18])
    assert widths("crop") == (10, 2)


def test_stretch_scales_each_side_by_itself():
    assert widths("stretch") == (8, 4)
    assert convert(WIDE, 24, None, "stretch").shape[2:] == (24, 24)


def test_pad_repeats_the_border():
    gradient = torch.linspace(0, 1, 12).reshape(1, 1, 12, 1).expand(1, 1, 12, 24)
    padded = convert(gradient, 24, None, "pad")[0, 0]
    assert torch.equal(padded[:6], torch.zeros(6, 24))
    assert torch.equal(padded[6:18], gradient[0, 0])
    assert torch.equal(padded[18:], torch.ones(6, 24))
    assert widths("pad") == (8, 4)


@pytest.mark.parametrize("fit", ["crop", "pad", "stretch"])
@pytest.mark.parametrize("shape", [(2, 3, 7, 4), (1, 1, 5, 8)])
def test_every_fit_keeps_type_and_range_and_levels(fit, shape):
    for value in (torch.full(shape, 255, dtype=torch.uint8), torch.ones(shape)):
        resized = convert(value, 6, None, fit)
        assert (resized.shape, resized.dtype) == ((*shape[:2], 6, 6), value.dtype)
        assert (resized == value.max()).all()


@pytest.mark.parametrize("fit", ["crop", "pad", "stretch"])
def test_what_is_made_of_a_missing_pixel_is_missing(fit, tmp_path):
    images = np.full((1, 12, 16), 0.5, np.float32)
    images[0, 5, 9] = np.nan
    np.save(tmp_path / "a.npy", images)
    pixels = load_images(tmp_path / "a.npy", size=6, fit=fit, missing=True).pixels
    missing = pixels.isnan()
    assert 1 <= missing.sum() <= 9
    torch.testing.assert_close(pixels[~missing], torch.full_like(pixels[~missing], 0.5))
