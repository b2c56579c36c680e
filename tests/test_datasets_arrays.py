"""NumPy files give the pixels that were stored; every bad one a text that helps."""

import re

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ganprior.datasets import load_images
from ganprior.datasets.arrays import channels_first
from ganprior.files import sha256


def noise(*shape, seed=0):
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


@st.composite
def layouts(draw):
    """An (N, C, H, W) array and one of the layouts that states it without ambiguity."""
    side = st.integers(1, 9).filter(lambda n: n not in (1, 3))
    shape = (draw(st.integers(1, 4)), draw(st.sampled_from([1, 3])), draw(side), draw(side))
    array = noise(*shape, seed=draw(st.integers(0, 9)))
    if draw(st.booleans()):
        array = (array / 255).astype(draw(st.sampled_from([np.float32, np.float64])))
    views = [array, np.moveaxis(array, 1, 3)]
    if shape[1] == 1:
        views.append(array[:, 0])
    return array, draw(st.sampled_from(views))


@settings(max_examples=60, deadline=None)
@given(layouts(), st.booleans())
def test_arrays_round_trip_in_every_layout(tmp_path_factory, pair, packed):
    array, stored = pair
    path = tmp_path_factory.mktemp("arrays") / f"a.{'npz' if packed else 'npy'}"
    if packed:
        np.savez_compressed(path, images=stored, labels=np.arange(len(stored)))
    else:
        np.save(path, stored)
    images = load_images(path)
    assert images.pixels.dtype == (torch.uint8 if array.dtype == np.uint8 else torch.float32)
    assert np.array_equal(images.pixels, array.astype(images.pixels.numpy().dtype))
    scale = 255 if array.dtype == np.uint8 else 1
    assert np.allclose(images.floats(), array / scale, atol=1e-7)
    assert (images.labels is not None) == packed
    assert images.names[0] == f"{path.name}[0]"
    assert images.sha256 == sha256(path)


@pytest.mark.parametrize(
    "shape", [(4, 4), (5, 5, 3), (5, 5, 1), (2, 4, 5, 2), (2, 3, 5, 3), (0, 4, 4), (1, 1, 1, 4, 4)]
)
def test_unknown_or_ambiguous_layouts_are_refused(shape):
    with pytest.raises(ValueError, match=re.escape(str(shape))):
        channels_first(np.zeros(shape), "here")


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"images": np.full((1, 4, 4), np.nan)}, r"holds NaN pixels, in a.npz\[0\]"),
        ({"images": np.full((1, 4, 4), -np.inf)}, "holds infinite pixels"),
        ({"images": np.full((1, 4, 4), 255.0)}, r"\[0, 1\], got 255 to 255"),
        ({"images": np.full((1, 4, 4), -0.5)}, "got -0.5"),
        ({"images": np.zeros((1, 4, 4), dtype=np.int64)}, "got int64"),
        ({"images": np.array([[["object"]]], dtype=object)}, "Python objects"),
        ({"images": noise(2, 4, 4), "labels": np.arange(3)}, "labels must be 2 integers"),
        ({"images": noise(2, 4, 4), "labels": np.zeros(2)}, "labels must be 2 integers"),
        ({"y": np.zeros(3)}, "no key 'images'.*y"),
    ],
)
def test_bad_arrays(tmp_path, arrays, message):
    path = tmp_path / "a.npz"
    np.savez(path, **arrays)
    with pytest.raises(ValueError, match=message):
        load_images(path)


@pytest.mark.parametrize("name", ["a.npz", "a.npy"])
@pytest.mark.parametrize("keep", [0, 40, 200])
def test_truncated_arrays(tmp_path, name, keep):
    path = tmp_path / name
    np.savez(path, images=noise(4, 9, 9)) if name == "a.npz" else np.save(path, noise(4, 9, 9))
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(ValueError, match="cannot be read as NumPy arrays"):
        load_images(path)
