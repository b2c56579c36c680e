"""The idx format of MNIST and Fashion-MNIST, plain or gzipped.

A file holds two zero bytes, a type code, the number of axes, the length of each axis as a
big-endian 32-bit integer, and the entries. Images are unsigned bytes (code 8) on three axes.
"""

from __future__ import annotations

import gzip
import hashlib
import math
import re
import zlib
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ganprior.datasets.images import Images

_UNSIGNED_BYTE = 8
_PREFIX = {"train": "train", "test": "t10k"}
_IMAGE_FILES = (
    "{}-images-idx3-ubyte.gz",
    "{}-images-idx3-ubyte",
    "{}-images.idx3-ubyte.gz",
    "{}-images.idx3-ubyte",
)


def is_idx(path: Path) -> bool:
    """Whether the name of a file is that of an idx file."""
    return re.search(r"(-ubyte|\.idx)$|\.gz$", path.name) is not None


def holds_idx(folder: Path) -> bool:
    """Whether a folder, or ``raw`` inside it (torchvision's layout), holds idx images."""
    return any(_find(folder, prefix) is not None for prefix in _PREFIX.values())


def read_idx_folder(folder: Path, split: str, limit: int | None = None) -> Images:
    """Images and labels of one split of an MNIST-like folder.

    Raises
    ------
    ValueError
        If the split is absent or its file is malformed.
    """
    path = _find(folder, _PREFIX[split])
    if path is None:
        wanted = _IMAGE_FILES[0].format(_PREFIX[split])
        raise ValueError(f"{folder} has no {split} split: {wanted} is absent; add it")
    return read_idx_images(path, limit)


def read_idx_images(path: Path, limit: int | None = None) -> Images:
    """Images of one idx file, with the labels of the file beside it where there is one.

    Raises
    ------
    ValueError
        If a file is malformed, does not hold images, or the labels do not match them.
    """
    data = _bytes(path)
    entries = _entries(data, path)
    if entries.ndim != 3:
        raise ValueError(
            f"{path} has {entries.ndim} axes where images have 3 (count, height, width); "
            "give the images file"
        )
    if entries.size == 0:
        raise ValueError(f"{path} holds no pixels: its shape is {entries.shape}")
    pixels = torch.from_numpy(entries[:limit, None].copy())
    names = tuple(f"{path.name}[{i}]" for i in range(len(pixels)))
    # Of the unpacked bytes: mirrors compress the same file differently.
    digest = hashlib.sha256(data).hexdigest()
    return Images(pixels, names, digest, _labels(path, len(entries), limit))


def _entries(data: bytes, path: Path) -> NDArray[np.uint8]:
    """Entries of an idx file of unsigned bytes, read-only, in the shape that the file states."""
    if len(data) < 4 or data[:2] != b"\0\0" or data[2] != _UNSIGNED_BYTE:
        raise ValueError(f"{path} is not an idx file of unsigned bytes; give another file")
    start = 4 + 4 * data[3]
    if len(data) < start:
        raise ValueError(f"{path} is truncated inside its header; fetch it again")
    shape = tuple(int(n) for n in np.frombuffer(data, ">u4", count=data[3], offset=4))
    expected, found = math.prod(shape), len(data) - start
    if found != expected:
        state = "truncated" if found < expected else "too long"
        raise ValueError(
            f"{path} is {state}: {found} bytes after the header where its shape {shape} needs "
            f"{expected}; fetch it again"
        )
    return np.frombuffer(data, np.uint8, offset=start).reshape(shape)


def _bytes(path: Path) -> bytes:
    data = path.read_bytes()
    if path.suffix != ".gz":
        return data
    try:
        return gzip.decompress(data)
    except (OSError, EOFError, zlib.error) as error:
        raise ValueError(f"{path} is truncated or not gzip ({error}); fetch it again") from error


def _find(folder: Path, prefix: str) -> Path | None:
    for place in (folder, folder / "raw"):
        for pattern in _IMAGE_FILES:
            path = place / pattern.format(prefix)
            if path.is_file():
                return path
    return None


def _labels(path: Path, count: int, limit: int | None) -> Tensor | None:
    name = path.name.replace("images", "labels").replace("idx3", "idx1")
    beside = path.with_name(name)
    if name == path.name or not beside.is_file():
        return None
    entries = _entries(_bytes(beside), beside)
    if entries.shape != (count,):
        raise ValueError(
            f"{beside} has shape {entries.shape} where {path.name} holds {count} images; "
            "fetch both again"
        )
    return torch.from_numpy(entries[:limit].astype(np.int64))
