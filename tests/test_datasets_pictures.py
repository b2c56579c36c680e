"""Image files, folders of them, and conversions, against Pillow."""

import hashlib
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from ganprior.datasets import load_images
from ganprior.datasets.convert import convert
from ganprior.files import sha256


def noise(*shape, seed=0):
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def png(path, array):
    Image.fromarray(array).save(path)
    return path


def test_folder_in_natural_order_and_its_hash(tmp_path):
    arrays = [noise(4, 5, 3, seed=i) for i in range(3)]
    for number, array in zip((1, 2, 10), arrays, strict=True):
        png(tmp_path / f"im{number}.png", array)
    (tmp_path / "notes.txt").write_text("not an image")
    images = load_images(tmp_path)
    assert images.names == ("im1.png", "im2.png", "im10.png")
    assert np.array_equal(images.pixels, np.stack(arrays).transpose(0, 3, 1, 2))
    digest = hashlib.sha256()
    for name in images.names:
        digest.update(name.encode() + (tmp_path / name).read_bytes())
    assert images.sha256 == digest.hexdigest()
    assert load_images(tmp_path, limit=2).names == ("im1.png", "im2.png")


def test_folder_with_a_subfolder_per_split(tmp_path):
    for split, count in (("train", 2), ("test", 1)):
        (tmp_path / split).mkdir()
        for i in range(count):
            png(tmp_path / split / f"{i}.png", noise(4, 4))
    assert len(load_images(tmp_path)) == 2
    assert len(load_images(tmp_path, split="test")) == 1


def test_mixed_folder_needs_size_and_channels(tmp_path):
    png(tmp_path / "a.png", noise(6, 6))
    png(tmp_path / "b.png", noise(8, 12, 3))
    with pytest.raises(ValueError, match=r"b\.png is 3x8x12 uint8 .* a\.png is 1x6x6 uint8"):
        load_images(tmp_path)
    assert load_images(tmp_path, size=5, channels=3).pixels.shape == (2, 3, 5, 5)


def test_a_subfolder_per_class_gives_labels_and_takes_the_classes_in_turn(tmp_path):
    counts = {"2": 3, "10": 1, "11": 0}
    for name, count in counts.items():
        (tmp_path / "train" / name).mkdir(parents=True)
        for i in range(count):
            png(tmp_path / "train" / name / f"{i}.png", noise(4, 4, seed=10 * int(name) + i))
    for path in (tmp_path, tmp_path / "train"):
        images = load_images(path)
        assert images.names == ("2/0.png", "10/0.png", "2/1.png", "2/2.png")
        assert images.labels.tolist() == [0, 1, 0, 0]
        assert images.labels.dtype == torch.int64
        assert np.array_equal(images.pixels[1, 0], noise(4, 4, seed=100))
    assert load_images(tmp_path, limit=2).labels.tolist() == [0, 1]
    # A class without test images keeps its number for the others.
    (tmp_path / "test/10").mkdir(parents=True)
    (tmp_path / "test/2").mkdir()
    png(tmp_path / "test/10/a.png", noise(4, 4))
    assert load_images(tmp_path, split="test").labels.tolist() == [1]
    assert load_images(tmp_path / "train/2").labels is None


def test_unreadable_files_are_all_named_or_skipped_and_counted(tmp_path):
    for i in range(9):
        path = png(tmp_path / f"{i}.png", noise(9, 9, seed=i))
        if i in (0, 4, 5, 6, 7, 8):
            path.write_bytes(path.read_bytes()[:60])
    with pytest.raises(
        ValueError, match=r"6 of 9 .*0\.png.*4\.png.*7\.png.*and 1 more.*skip"
    ) as seen:
        load_images(tmp_path)
    assert "8.png" not in str(seen.value)
    images = load_images(tmp_path, skip_unreadable=True)
    assert images.skipped == 6
    assert images.names == ("1.png", "2.png", "3.png")
    assert images.select(1).skipped == 6
    assert np.array_equal(images.pixels[:, 0], np.stack([noise(9, 9, seed=i) for i in (1, 2, 3)]))
    for i in (1, 2, 3):
        (tmp_path / f"{i}.png").unlink()
    with pytest.raises(ValueError, match="none of the 6 images"):
        load_images(tmp_path, skip_unreadable=True)


def test_unreadable_or_absent_images_are_named(tmp_path):
    with pytest.raises(ValueError, match="holds no images"):
        load_images(tmp_path)
    path = png(tmp_path / "a.png", noise(30, 30))
    (tmp_path / "cut.png").write_bytes(path.read_bytes()[:500])
    with pytest.raises(ValueError, match=r"cut\.png cannot be read as an image"):
        load_images(tmp_path)
    other = tmp_path / "text.jpg"
    other.write_text("not a picture")
    with pytest.raises(ValueError, match=r"text\.jpg cannot be read as an image \(not an image of"):
        load_images(other)


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("1", [255]),
        ("L", [200]),
        ("RGB", [10, 20, 30]),
        ("P", [10, 20, 30]),
        ("RGBA", [255, 255, 255]),
        ("LA", [255]),
        ("I;16", [0.25]),
        ("F", [0.5]),
    ],
)
def test_one_image_of_every_mode(tmp_path, mode, expected):
    colour: dict[str, Any] = {
        "1": 1,
        "L": 200,
        "RGBA": (9, 9, 9, 0),
        "LA": (9, 0),
        "I;16": 16384,
        "F": 0.5,
    }
    rgb = Image.new("RGB", (5, 4), (10, 20, 30))
    picture = Image.new(mode, (5, 4), colour[mode]) if mode in colour else rgb
    picture = picture.quantize() if mode == "P" else picture
    path = tmp_path / ("a.tif" if mode == "F" else "a.png")
    picture.save(path)
    images = load_images(path)
    assert images.names == (path.name,)
    assert images.sha256 == sha256(path)
    assert images.shape == (len(expected), 4, 5)
    assert images.pixels.dtype == (torch.float32 if mode in ("I;16", "F") else torch.uint8)
    assert np.allclose(images.pixels[0, :, 1, 2], expected, atol=1e-5)


def test_opaque_alpha_changes_nothing_and_deep_pixels_out_of_range_are_refused(tmp_path):
    colour = noise(4, 4, 3)
    alpha = np.full((4, 4, 1), 255, dtype=np.uint8)
    images = load_images(png(tmp_path / "a.png", np.concatenate([colour, alpha], 2)))
    assert np.array_equal(images.pixels[0].permute(1, 2, 0), colour)
    for value, message in ((1.5, r"\[0, 1\], got 1.5 to 1.5"), (float("nan"), "NaN")):
        deep = png(tmp_path / "a.tif", np.full((4, 4), value, dtype=np.float32))
        with pytest.raises(ValueError, match=message):
            load_images(deep)


def test_luma_is_pillows_and_gray_repeats():
    colour = noise(3, 16, 16, 3)
    pixels = torch.from_numpy(colour).permute(0, 3, 1, 2)
    luma = convert(pixels, None, 1)
    pillow = np.stack([np.asarray(Image.fromarray(c).convert("L")) for c in colour])
    assert np.abs(luma[:, 0].numpy().astype(int) - pillow).max() <= 1
    assert torch.equal(convert(luma, None, 3), luma.expand(-1, 3, -1, -1))
    floats = convert(pixels / 255, None, 1)
    assert torch.allclose(floats, luma / 255, atol=0.51 / 255)


@pytest.mark.parametrize("size", [7, 12, 40])
def test_resize_is_pillows_antialiased_bilinear_of_the_centre(size):
    array = noise(20, 25)
    square = Image.fromarray(array[:, 2:22])
    pillow = np.asarray(square.resize((size, size), Image.Resampling.BILINEAR))
    ours = convert(torch.from_numpy(array)[None, None], size, None)
    assert np.abs(ours[0, 0].numpy().astype(int) - pillow).max() <= 1


def test_nothing_is_converted_unasked():
    pixels = torch.from_numpy(noise(2, 1, 8, 8))
    assert convert(pixels, None, None) is pixels
    assert convert(pixels, 8, 1) is pixels
