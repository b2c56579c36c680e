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
from io import BufferedIOBase
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ganprior.datasets.images import Images
from ganprior.datasets.numpy_files import is_bomb
from ganprior.datasets.room import fill, room

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
    entries, digest = _read(path, 3, "images", "(count, height, width)")
    if entries.size == 0:
        raise ValueError(f"{path} holds no pixels: its shape is {entries.shape}")
    pixels = torch.from_numpy(entries[:limit, None])
    names = tuple(f"{path.name}[{i}]" for i in range(len(pixels)))
    return Images(pixels, names, digest, _labels(path, len(entries), limit))


def _read(path: Path, axes: int, what: str, words: str) -> tuple[NDArray[np.uint8], str]:
    """Entries of an idx file of unsigned bytes, and the SHA-256 of its plain bytes."""
    is_packed = path.suffix == ".gz"
    try:
        with gzip.open(path) if is_packed else path.open("rb") as file:
            header = _header(file, path)
            shape = tuple(int(n) for n in np.frombuffer(header, ">u4", offset=4))
            if len(shape) != axes:
                raise ValueError(
                    f"{path} has {len(shape)} axes where {what} have {axes} {words}; give the "
                    f"{what} file"
                )
            expected = math.prod(shape)
            _check_size(expected, path, is_packed)
            entries = room(shape, np.uint8)
            read = fill(entries, file) + len(file.read(1))
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise ValueError(f"{path} is truncated or not gzip ({error}); fetch it again") from error
    if read != expected:
        found = f"truncated: {read} bytes" if read < expected else "too long: more bytes"
        raise ValueError(
            f"{path} is {found} after the header where its shape {shape} needs {expected}; fetch "
            "it again"
        )
    # Of the unpacked bytes: mirrors compress the same file differently.
    digest = hashlib.sha256(header)
    digest.update(entries.data)
    return entries, digest.hexdigest()


def _header(file: BufferedIOBase, path: Path) -> bytes:
    start = file.read(4)
    if len(start) < 4 or start[:2] != b"\0\0" or start[2] != _UNSIGNED_BYTE:
        raise ValueError(f"{path} is not an idx file of unsigned bytes; give another file")
    lengths = file.read(4 * start[3])
    if len(lengths) < 4 * start[3]:
        raise ValueError(f"{path} is truncated inside its header; fetch it again")
    return start + lengths


def _check_size(expected: int, path: Path, is_packed: bool) -> None:
    """Refuse a header before room is made for what it promises."""
    size = path.stat().st_size
    if is_bomb(expected, size) if is_packed else expected > size:
        raise ValueError(
            f"{path} is truncated or no images: {size} bytes where its header promises {expected}; "
            "fetch it again"
        )


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
    entries, _ = _read(beside, 1, "labels", "(count)")
    if entries.shape != (count,):
        raise ValueError(
            f"{beside} has shape {entries.shape} where {path.name} holds {count} images; "
            "fetch both again"
        )
    return torch.from_numpy(entries[:limit].astype(np.int64))
