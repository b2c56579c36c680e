"""Room for the pixels of many images: large sets lie in files, and only what is used in memory."""

from __future__ import annotations

import math
import os
import tempfile
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import DTypeLike, NDArray

# Bytes up to which an array simply lies in memory.
LARGE = 2**28
# Images that are worked on at a time, and bytes that are read.
CHUNK = 1024
_PIECE = 2**24


class Stream(Protocol):
    """What bytes are read from: a file, packed or not."""

    def read(self, size: int, /) -> bytes:
        """Read so many bytes, or fewer at the end."""


def room(shape: Sequence[int], dtype: DTypeLike) -> NDArray[Any]:
    """Make an array of which nothing is set yet, a large one in a temporary file without a name.

    The system keeps of such a file in memory what is in use and has place there. The file is gone
    with the array.

    Raises
    ------
    MemoryError
        If neither the folder for temporary files (``TMPDIR``) nor memory can hold it.
    """
    size = math.prod(shape) * np.dtype(dtype).itemsize
    if size > LARGE:
        try:
            with tempfile.TemporaryFile() as file:
                # A file that only claims its size kills the process where the disk turns out full.
                os.posix_fallocate(file.fileno(), 0, size)
                return np.memmap(file, dtype, "r+", shape=tuple(shape))
        except (OSError, AttributeError):
            # No such place on the disk, or no such call on this system.
            pass
    return np.empty(tuple(shape), dtype)


def fill(array: NDArray[Any], stream: Stream) -> int:
    """Fill an array in C order from a stream as far as that goes, and say how many bytes it had."""
    whole = memoryview(array.reshape(-1).view(np.uint8).data)
    for first in range(0, len(whole), _PIECE):
        piece = whole[first : first + _PIECE]
        data = stream.read(len(piece))
        piece[: len(data)] = data
        if len(data) < len(piece):
            return first + len(data)
    return len(whole)


def plain(array: NDArray[Any]) -> NDArray[Any]:
    """Return an array, (N, ...), that torch takes: in C order; itself where it is so already."""
    if array.flags.c_contiguous and array.flags.writeable:
        return array
    copy = room(array.shape, array.dtype)
    for first in range(0, len(array), CHUNK):
        copy[first : first + CHUNK] = array[first : first + CHUNK]
    return copy
