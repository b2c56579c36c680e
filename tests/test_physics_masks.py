"""Masks and inpainting."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from scipy import ndimage

from ganprior.physics import inpainting, masks
from ganprior.streams import Streams
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


def test_grid_mask_keeps_every_fourth_pixel_of_every_fourth_row():
    mask = masks.grid((1, 9, 6), 4)
    known = [(i, j) for i in range(9) for j in range(6) if i % 4 == 0 and j % 4 == 0]
    assert mask.nonzero()[:, 1:].tolist() == [list(place) for place in known]


@given(st.integers(10, 30), st.integers(10, 30), st.integers(1, 4), st.integers(0, 10**6))
@settings(max_examples=30, deadline=None)
def test_holes_are_so_many_squares_of_one_size_apart_from_each_other(height, width, count, seed):
    mask = masks.holes((3, height, width), count, 0.15, seeded(seed))
    side = max(1, round((height * width * 0.15 / count) ** 0.5))
    # Diagonal neighbours connect: a pixel lies between any two.
    labels, found = ndimage.label(mask[0].numpy() == 0, structure=np.ones((3, 3)))
    assert found == count
    for place in ndimage.find_objects(labels):
        assert (labels[place] > 0).all()
        assert labels[place].shape == (side, side)
    assert torch.equal(mask, masks.holes((3, height, width), count, 0.15, seeded(seed)))


def test_text_mask_hides_letters_all_over_the_image():
    mask = masks.text((3, 64, 64))
    assert mask.shape == (1, 64, 64)
    assert torch.equal(mask, masks.text((3, 64, 64)))
    assert ((mask == 0) | (mask == 1)).all()
    assert 0.05 < (mask == 0).float().mean() < 0.4
    for quarter in (mask[:, :32, :32], mask[:, :32, 32:], mask[:, 32:, :32], mask[:, 32:, 32:]):
        assert 0 < quarter.mean() < 1
    assert not torch.equal(mask, masks.text((3, 64, 64), "other words"))


def test_a_mask_per_image_belongs_to_the_image_and_not_to_its_place():
    def draw(rng):
        return masks.random((1, 8, 8), 0.5, rng)

    found = masks.per_image(3, draw, Streams(5))
    assert found.shape == (3, 1, 8, 8)
    assert not torch.equal(found[0], found[1])
    assert torch.equal(masks.per_image(2, draw, Streams(5, [2, 1])), found[[2, 1]])
    assert not torch.equal(masks.per_image(3, draw, Streams(6)), found)


@pytest.fixture
def drawing(tmp_path):
    """Save an array, (H, W) or (H, W, 4), as a PNG file."""

    def save(array, name="mask.png"):
        Image.fromarray(np.asarray(array, dtype=np.uint8)).save(tmp_path / name)
        return tmp_path / name

    return save


STROKE = np.zeros((6, 5))
STROKE[2, 1:4] = 1


def test_freehand_masks_hide_what_is_white_or_transparent(drawing):
    expected = torch.from_numpy(1 - STROKE).float()[None]
    white = drawing(255 * STROKE)
    assert torch.equal(masks.freehand(white, (3, 6, 5)), expected)
    assert torch.equal(masks.freehand(white, inverted=True), 1 - expected)
    # Where anything is transparent colours are not looked at: all is white here.
    pixels = np.full((6, 5, 4), 255)
    pixels[..., 3] = 255 * (1 - STROKE)
    erased = drawing(pixels, "erased.png")
    assert torch.equal(masks.freehand(erased), expected)
    assert torch.equal(masks.freehand(erased, inverted=True), 1 - expected)
    opaque = np.full((6, 5, 4), 255)
    opaque[..., :3] = 255 * STROKE[..., None]
    assert torch.equal(masks.freehand(drawing(opaque, "opaque.png")), expected)


def test_a_drawing_that_is_not_binary_needs_a_threshold(drawing):
    soft = drawing(255 * STROKE + 51 * (STROKE == 0) * (np.arange(5) == 4))
    with pytest.raises(ValueError, match=r"mask.png is not binary: 6 of 30 pixels .* threshold"):
        masks.freehand(soft)
    assert (masks.freehand(soft, threshold=0.2) == 0).sum() == 9
    assert (masks.freehand(soft, threshold=0.21) == 0).sum() == 3
    assert (masks.freehand(soft, threshold=0.2, inverted=True) == 1).sum() == 9


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda drawing, _: masks.freehand(drawing(0 * STROKE)), "hides no pixel"),
        (lambda drawing, _: masks.freehand(drawing(0 * STROKE + 255)), "hides all pixels"),
        (lambda drawing, _: masks.freehand(drawing(STROKE * 255), (1, 5, 6)), "6 x 5 .* are 5 x 6"),
        (lambda drawing, _: masks.freehand(drawing(STROKE), threshold=0.0), "threshold must be"),
        (lambda _, folder: masks.freehand(folder / "none.png"), "none.png: No such file"),
        (lambda _, folder: masks.freehand(folder), "cannot read the mask"),
        (lambda *_: masks.grid((1, 8, 8), 1), "spacing .* at least 2, got 1"),
        (lambda *_: masks.holes((1, 8, 8), 0), "count of holes must be at least 1"),
        (lambda *_: masks.holes((1, 8, 8), 2, 0.9), "2 holes of 5 x 5 pixels do not fit into 8 x"),
        (lambda *_: masks.holes((1, 4, 30), 1, 0.5), "do not fit"),
        (lambda *_: masks.text((1, 28, 28), " "), "hides no pixel"),
        (lambda *_: masks.center((1, 8, 8), 1.0), "fraction"),
    ],
)
def test_masks_that_cannot_be_are_refused_in_one_line(drawing, tmp_path, make, message):
    with pytest.raises(ValueError, match=message) as caught:
        make(drawing, tmp_path)
    assert "\n" not in str(caught.value)


def test_a_text_file_is_no_mask(tmp_path):
    (tmp_path / "mask.png").write_text("no picture")
    with pytest.raises(ValueError, match="not an image of"):
        masks.freehand(tmp_path / "mask.png")


def test_a_grid_wider_than_the_image_knows_one_pixel():
    for spacing in (28, 10**21):
        mask = masks.grid((1, 28, 28), spacing)
        assert mask.sum() == mask[0, 0, 0] == 1
