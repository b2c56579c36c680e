"""Masks and inpainting."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ganprior.physics import inpainting, masks
from tests.cases_physics import images, mask_per_image, seeded


def test_center_mask_hides_a_quarter():
    mask = masks.center((1, 28, 28), 0.25)
    expected = torch.ones(1, 28, 28)
    expected[:, 7:21, 7:21] = 0
    assert torch.equal(mask, expected)


@pytest.mark.parametrize(
    ("side", "rows", "columns"),
    [
        ("left", slice(None), slice(0, 2)),
        ("right", slice(None), slice(3, 5)),
        ("top", slice(0, 3), slice(None)),
        ("bottom", slice(3, 6), slice(None)),
    ],
)
def test_half_mask_hides_the_side_named(side, rows, columns):
    expected = torch.ones(1, 6, 5)
    expected[:, rows, columns] = 0
    assert torch.equal(masks.half((3, 6, 5), side), expected)


@given(st.integers(2, 20), st.integers(2, 20), st.floats(0, 0.7), st.integers(0, 10**6))
@settings(max_examples=40, deadline=None)
def test_random_masks_hide_the_fraction(height, width, fraction, seed):
    size = (3, height, width)
    for make_mask in (masks.random, masks.pattern):
        mask = make_mask(size, fraction, seeded(seed))
        assert mask.shape == (1, height, width)
        assert ((mask == 0) | (mask == 1)).all()
        assert (mask == 0).sum() == round(height * width * fraction)
        assert torch.equal(mask, make_mask(size, fraction, seeded(seed)))


def test_random_masks_differ_between_seeds():
    for make_mask in (masks.random, masks.pattern):
        assert not torch.equal(make_mask((1, 28, 28), 0.5), make_mask((1, 28, 28), 0.5, seeded(1)))


def test_pattern_mask_is_made_of_blobs():
    def neighbours_alike(mask):
        return (mask[..., 1:] == mask[..., :-1]).float().mean()

    size = (1, 64, 64)
    blobs = [neighbours_alike(masks.pattern(size, 0.25, seeded(i))) for i in range(10)]
    dust = [neighbours_alike(masks.random(size, 0.25, seeded(i))) for i in range(10)]
    assert min(blobs) > 0.9 > 0.7 > max(dust)


def test_inpainting_keeps_known_pixels():
    mask = mask_per_image((3, 8, 8))
    x = images((3, 8, 8))
    y = inpainting(mask, (3, 8, 8)).A(x)
    assert torch.equal(y, torch.where(mask.bool(), x, 0))


@pytest.mark.parametrize("shape", [(8, 8), (1, 8, 8), (3, 8, 8), (1, 1, 8, 8), (4, 3, 8, 8)])
def test_inpainting_takes_masks_of_every_shape(shape):
    mask = torch.rand(shape, generator=seeded()) > 0.5
    x = images((3, 8, 8), count=4)
    assert torch.equal(inpainting(mask, (3, 8, 8)).A(x), mask * x)


def test_inpainting_never_writes_to_the_users_mask():
    mask = masks.center((1, 8, 8))
    before = mask.clone()
    physics = inpainting(mask, (1, 8, 8))
    physics.A(torch.rand(1, 1, 8, 8), mask=torch.ones(1, 1, 8, 8))
    physics.mask.zero_()
    assert torch.equal(mask, before)
