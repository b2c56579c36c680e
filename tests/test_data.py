"""The committed images are those that data/PROVENANCE.md describes."""

import importlib.util
import re
from pathlib import Path

import numpy as np
import pytest
import torch

from ganprior.datasets import demo_images, load_images
from ganprior.files import sha256

ROOT = Path(__file__).parents[1]


def test_committed_samples_are_what_provenance_says():
    text = (ROOT / "data/PROVENANCE.md").read_text(encoding="utf-8")
    listed = dict(
        re.findall(r"^\| `(\S+\.(?:npz|png))` \|.*`([0-9a-f]{64})` \|$", text, re.MULTILINE)
    )
    kinds = ("data/*.npz", "data/*.png", "ganprior/data/*.npz")
    committed = [path for kind in kinds for path in ROOT.glob(kind)]
    assert {p.relative_to(ROOT).as_posix(): sha256(p) for p in committed} == listed


@pytest.fixture
def script():
    """``data/make_samples.py``."""
    spec = importlib.util.spec_from_file_location("make_samples", ROOT / "data/make_samples.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_make_samples_writes_the_committed_arrays(script, tmp_path):
    """Not byte for byte: the headers that zipfile writes depend on the version of Python."""
    committed = ROOT / "data/mnist_test_100.npz"
    script.write(tmp_path / "a.npz", load_images(committed), range(100))
    with np.load(tmp_path / "a.npz") as written, np.load(committed) as expected:
        assert written.files == expected.files
        for name in expected.files:
            np.testing.assert_array_equal(written[name], expected[name], strict=True)
    fashion = load_images(ROOT / "data/fashion_mnist_test_100.npz")
    first = script.first_of_each_class(fashion)
    assert torch.equal(fashion.pixels[first], demo_images().pixels)


def test_make_samples_writes_the_committed_portrait(script, tmp_path):
    script.write_astronaut(tmp_path / "face.png")
    written = load_images(tmp_path / "face.png").pixels.int()
    committed = load_images(ROOT / "data/astronaut_face_64.png").pixels.int()
    assert committed.shape == (1, 3, 64, 64)
    # Filters of other versions of Pillow may round otherwise.
    assert (written - committed).abs().max() <= 1


def test_demo_images_are_ten_classes_from_any_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    images = demo_images()
    assert images.pixels.shape == (10, 1, 28, 28)
    assert images.labels is not None
    assert images.labels.tolist() == list(range(10))
    assert images.floats().dtype == torch.float32
