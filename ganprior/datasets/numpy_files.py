"""NumPy files read so that no header is believed: nothing pickled, nothing larger than the file.

A ``.npz`` file is a zip of ``.npy`` members. Only what ``numpy.savez`` and
``numpy.savez_compressed`` write is unpacked, and only if it is no zip bomb.
"""

from __future__ import annotations

import math
import zipfile
from collections.abc import Collection
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from ganprior.datasets.room import fill, room
from ganprior.files import reason_of

_ABSENT = (FileNotFoundError, PermissionError)
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_HEADERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}
# Deflate shrinks up to a thousandfold, images hardly tenfold.
_SMALL, _MOST_EXPANSION = 2**28, 100


def is_bomb(unpacked: int, packed: int) -> bool:
    """Whether so many bytes come out of so few that no images are to be expected in them."""
    return unpacked > max(_SMALL, _MOST_EXPANSION * packed)


def read_npy(path: Path) -> NDArray[Any]:
    """Array of a ``.npy`` file, mapped into memory: only what is looked at is read.

    What is written to it changes the array, and not the file.

    Raises
    ------
    ValueError
        If it is not a ``.npy`` file, is truncated, or holds Python objects.
    OSError
        If it cannot be read.
    """
    try:
        with path.open("rb") as file:
            _check_header(file, path.stat().st_size)
        array: NDArray[Any] = np.load(path, mmap_mode="c", allow_pickle=False)
    except _ABSENT:
        raise
    except Exception as error:
        raise ValueError(
            f"{path} cannot be read as NumPy arrays: not a NumPy file, truncated, or holding "
            f"Python objects ({reason_of(error)}); save it again with numpy.save or numpy.savez"
        ) from error
    return array


def read_npz(
    path: Path, wanted: Collection[str]
) -> tuple[dict[str, NDArray[Any]], tuple[str, ...]]:
    """Arrays of a ``.npz`` file by their keys.

    Parameters
    ----------
    path : Path
        The file.
    wanted : collection of str
        Keys to read, as far as they are there.

    Returns
    -------
    pair of dict and tuple
        The arrays, and all keys of the file.

    Raises
    ------
    ValueError
        If it is not a ``.npz`` file, is truncated, holds Python objects under a wanted key, or is
        encrypted, packed by another method than NumPy's, or a zip bomb there.
    OSError
        If it cannot be read.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = {m.filename.removesuffix(".npy"): m for m in archive.infolist()}
            arrays = {key: _array(archive, members[key]) for key in wanted if key in members}
    except _ABSENT:
        raise
    except Exception as error:
        raise ValueError(
            f"{path} is no .npz file of plain arrays: of another kind, truncated, or holding "
            f"Python objects ({reason_of(error)}); save it again with numpy.savez"
        ) from error
    return arrays, tuple(members)


def _array(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> NDArray[Any]:
    if member.flag_bits & 1:
        raise ValueError(f"{member.filename} is encrypted")
    if member.compress_type not in _METHODS:
        raise ValueError(f"{member.filename} is packed by a zip method that NumPy does not use")
    if is_bomb(member.file_size, member.compress_size):
        raise ValueError(
            f"{member.filename} unpacks {member.compress_size} bytes to {member.file_size}, as "
            "images never do"
        )
    with archive.open(member) as stream:
        _check_header(stream, member.file_size)
    with archive.open(member) as stream:
        shape, fortran, dtype = _HEADERS[np.lib.format.read_magic(stream)](stream)
        # In Fortran order the transpose lies in C order.
        array = room(shape[::-1] if fortran else shape, dtype)
        if fill(array, stream) < array.nbytes:
            raise ValueError(f"{member.filename} ends too early")
    return array.T if fortran else array


def _check_header(stream: IO[bytes], size: int) -> None:
    """Refuse an array that cannot be what its file, of ``size`` bytes, holds."""
    version = np.lib.format.read_magic(stream)
    if version not in _HEADERS:
        raise ValueError("it has named fields or a later format")
    shape, _, dtype = _HEADERS[version](stream)
    if dtype.hasobject:
        raise ValueError("it holds Python objects")
    needed, left = math.prod(shape) * dtype.itemsize, size - stream.tell()
    if min(shape, default=0) < 0 or needed > left:
        raise ValueError(
            f"its header states an array of shape {shape}, of which the file holds {left} bytes"
        )
