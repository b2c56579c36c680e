"""An ``.npz`` file written piece by piece: no array of it is ever in memory whole."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ganprior.files import write_atomically

if TYPE_CHECKING:
    from numpy.typing import NDArray

# Shape of an array, and its pieces along the first axis.
Stream = tuple[tuple[int, ...], "Iterable[NDArray[Any]]"]


def write_arrays(path: Path, arrays: Mapping[str, Stream]) -> None:
    """Write what ``numpy.savez`` would, uncompressed.

    Parameters
    ----------
    path : Path
        The file.
    arrays : mapping
        By key: the shape of an array, and its pieces, which all have the type of the first.

    Raises
    ------
    ValueError
        If the pieces do not make an array of that shape, or the file cannot be written.
    """

    def write(temporary: Path) -> None:
        with zipfile.ZipFile(temporary, "w", zipfile.ZIP_STORED) as archive:
            for key, (shape, pieces) in arrays.items():
                # Larger than 4 GiB, perhaps, which is not known before.
                with archive.open(f"{key}.npy", "w", force_zip64=True) as file:
                    _write_array(file, key, shape, pieces)

    write_atomically(path, write)


def _write_array(file: Any, key: str, shape: tuple[int, ...], pieces: Iterable[Any]) -> None:
    import numpy as np

    rows, dtype = 0, None
    for piece in pieces:
        if dtype is None:
            dtype = piece.dtype
            header = {"descr": dtype.str, "fortran_order": False, "shape": shape}
            np.lib.format.write_array_header_1_0(file, header)
        rows += len(piece)
        if piece.dtype != dtype or piece.shape[1:] != shape[1:]:
            raise ValueError(f"{key}: a piece is {piece.dtype} {piece.shape}, not {dtype} {shape}")
        file.write(np.ascontiguousarray(piece).data)
    if rows != shape[0]:
        raise ValueError(f"{key}: the pieces have {rows} rows, not {shape[0]}")
