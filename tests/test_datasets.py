"""Idx files, data sets by name, arguments and selections; other sources have files of their own."""

import gzip
import hashlib
import struct
import sys
import types

import numpy as np
import pytest
import torch

from ganprior.datasets import load_images


def noise(*shape, seed=0):
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def idx(array):
    return struct.pack(f">HBB{array.ndim}I", 0, 8, array.ndim, *array.shape) + array.tobytes()


def write_idx(folder, prefix, images, labels=None, pack=gzip.compress, suffix=".gz"):
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{prefix}-images-idx3-ubyte{suffix}"
    path.write_bytes(pack(idx(images)))
    if labels is not None:
        (folder / f"{prefix}-labels-idx1-ubyte{suffix}").write_bytes(pack(idx(labels)))
    return path


def test_idx_folder_splits_labels_names_and_hash(tmp_path):
    train, test, labels = noise(5, 4, 6), noise(3, 4, 6, seed=1), noise(5, seed=2)
    write_idx(tmp_path, "train", train, labels)
    write_idx(tmp_path, "t10k", test)
    images = load_images(tmp_path)
    assert images.pixels.dtype == torch.uint8
    assert np.array_equal(images.pixels[:, 0], train)
    assert images.labels is not None
    assert np.array_equal(images.labels, labels)
    assert images.names[4] == "train-images-idx3-ubyte.gz[4]"
    assert images.sha256 == hashlib.sha256(idx(train)).hexdigest()
    held_out = load_images(tmp_path, split="test", limit=2)
    assert np.array_equal(held_out.pixels[:, 0], test[:2])
    assert held_out.labels is None


def test_idx_has_one_hash_whether_packed_or_not(tmp_path):
    array = noise(2, 3, 3)
    packed = write_idx(tmp_path, "train", array)
    plain = write_idx(tmp_path / "raw", "t10k", array, pack=bytes, suffix="")
    assert load_images(packed).sha256 == load_images(plain).sha256
    assert len(load_images(tmp_path, split="test")) == 2  # from raw/, as torchvision has it


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (gzip.compress(idx(noise(2, 3, 3)))[:-9], "truncated or not gzip"),
        (gzip.compress(idx(noise(2, 3, 3))[:-1]), "is truncated: 17 bytes"),
        (gzip.compress(idx(noise(2, 3, 3)) + b"x"), "too long"),
        (gzip.compress(b"\0\0\x08\x03\0\0"), "inside its header"),
        (gzip.compress(b"text"), "not an idx file"),
        (gzip.compress(idx(noise(4))), "1 axes where images have 3"),
        (gzip.compress(idx(noise(0, 3, 3))), "holds no pixels"),
        (b"text", "not gzip"),
    ],
    ids=["cut gzip", "cut", "long", "header", "text", "one axis", "empty", "not gzip"],
)
def test_bad_idx(tmp_path, content, message):
    path = tmp_path / "train-images-idx3-ubyte.gz"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=message):
        load_images(path)


def test_idx_labels_of_another_length_and_absent_split(tmp_path):
    write_idx(tmp_path, "train", noise(3, 2, 2), noise(4))
    with pytest.raises(ValueError, match="holds 3 images"):
        load_images(tmp_path)
    with pytest.raises(ValueError, match="no test split: t10k-images-idx3-ubyte"):
        load_images(tmp_path, split="test")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"limit": 0}, "limit must be at least 1, got 0"),
        ({"size": -2}, "size must be at least 1, got -2"),
        ({"channels": 4}, "channels must be 1 or 3, got 4"),
        ({"split": "valid"}, "split must be 'train' or 'test', got 'valid'"),
    ],
)
def test_bad_arguments(tmp_path, arguments, message):
    with pytest.raises(ValueError, match=message):
        load_images(tmp_path, **arguments)


def test_missing_source_names_the_data_sets():
    with pytest.raises(ValueError, match=r"no file, folder or data set 'nowhere'.*FashionMNIST"):
        load_images("nowhere")


def test_mnist_by_name_is_its_idx_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GANPRIOR_DATA", str(tmp_path / "root"))
    with pytest.raises(ValueError, match=r"'MNIST' \(train\).*GANPRIOR_DATA.*download=True"):
        load_images("MNIST")
    array = noise(2, 4, 4)
    write_idx(tmp_path / "root/MNIST/raw", "train", array, noise(2), pack=bytes, suffix="")
    assert np.array_equal(load_images("MNIST").pixels[:, 0], array)


def test_cifar_and_svhn_by_name_come_from_torchvision(tmp_path, monkeypatch):
    class CIFAR10:
        def __init__(self, root, train, download):
            assert (root, download) == (tmp_path, False)
            if not train:
                raise RuntimeError("Dataset not found")
            self.data, self.targets = noise(4, 32, 32, 3), [3, 1, 4, 1]

    class SVHN:
        def __init__(self, root, split, download):
            self.data, self.labels = noise(2, 3, 32, 32), np.array([5, 9])

    stub = types.ModuleType("torchvision")
    data_sets = types.SimpleNamespace(CIFAR10=CIFAR10, SVHN=SVHN)
    monkeypatch.setattr(stub, "datasets", data_sets, raising=False)
    monkeypatch.setitem(sys.modules, "torchvision", stub)
    monkeypatch.setenv("GANPRIOR_DATA", str(tmp_path))
    images = load_images("CIFAR10", limit=3)
    assert np.array_equal(images.pixels, noise(4, 32, 32, 3)[:3].transpose(0, 3, 1, 2))
    assert images.names[2] == "CIFAR10-train[2]"
    assert images.labels is not None
    assert images.labels.tolist() == [3, 1, 4]
    assert load_images("SVHN", split="test", channels=1).shape == (1, 32, 32)
    with pytest.raises(ValueError, match=r"'CIFAR10' \(test\).*train=False, download=True"):
        load_images("CIFAR10", split="test")


def test_select_and_head(tmp_path):
    write_idx(tmp_path, "train", noise(5, 2, 2), noise(5))
    images = load_images(tmp_path)
    part = images.select(3)
    assert part.names == images.names[3:]
    assert torch.equal(part.pixels, images.pixels[3:])
    assert part.labels is not None
    assert len(part.labels) == len(images.head(2)) == 2
    assert len(images.head(99)) == 5
    for start, stop in ((2, 2), (-1, 2), (0, 6)):
        with pytest.raises(ValueError, match="start and stop"):
            images.select(start, stop)
    with pytest.raises(ValueError, match="at least 1"):
        images.head(0)
