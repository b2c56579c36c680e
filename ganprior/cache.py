"""What is computed once per prior, kept in the user's cache folder.

The folder is ``GANPRIOR_CACHE``, else ``XDG_CACHE_HOME/ganprior``, else ``~/.cache/ganprior``.
Beside every array ``NAME.npy`` lies its SHA-256, ``NAME.npy.sha256``; an array that differs from it
in any byte is not taken. All of them together take at most ``GANPRIOR_CACHE_GB`` gigabytes, 1 by
default: those that were used least recently go first.
"""

from __future__ import annotations

import math
import os
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import DTypeLike

from ganprior.files import sha256, write_atomically


def cache_folder() -> Path:
    """Where arrays are kept; the folder need not be there.

    Raises
    ------
    OSError
        If the environment names none and the user has no home.
    """
    own = os.environ.get("GANPRIOR_CACHE")
    if own:
        return Path(own)
    above = os.environ.get("XDG_CACHE_HOME")
    if above:
        return Path(above) / "ganprior"
    try:
        return Path.home() / ".cache" / "ganprior"
    except RuntimeError as error:
        raise OSError("no folder for a cache: there is no home folder") from error


class Kept(NamedTuple):
    """One array of the folder: its file, its size in bytes, and when it was used last."""

    path: Path
    size: int
    used: float


def most_bytes() -> float:
    """Bytes that all arrays together may take.

    Raises
    ------
    ValueError
        If ``GANPRIOR_CACHE_GB`` is no number of at least 0.
    """
    text = os.environ.get("GANPRIOR_CACHE_GB", "1")
    try:
        most = float(text)
    except ValueError:
        most = math.nan
    if not most >= 0:
        raise ValueError(f"GANPRIOR_CACHE_GB must be a number of gigabytes, got {text!r}")
    return most * 1e9


def arrays() -> list[Kept]:
    """Arrays that are kept, the one that was used last first."""
    found = []
    for path in cache_folder().glob("*-*.npy"):
        with suppress(OSError):  # another process may take it away meanwhile
            known = path.stat()
            found.append(Kept(path, known.st_size, known.st_mtime))
    return sorted(found, key=lambda one: one.used, reverse=True)


def clear(most: float = 0) -> int:
    """Remove arrays, least recently used ones first, until the others take at most so many bytes.

    One that another process has mapped stays there for it.

    Returns
    -------
    int
        Bytes that were removed.
    """
    total = removed = 0
    for one in arrays():
        total += one.size
        if total > most:
            for path in (one.path, _hash_of(one.path)):
                with suppress(OSError):
                    path.unlink(missing_ok=True)
            removed += one.size
    return removed


def keep(name: str, array: np.ndarray) -> np.ndarray:
    """Write an array and map it from there.

    Raises
    ------
    OSError, ValueError
        If the folder cannot be written, or ``GANPRIOR_CACHE_GB`` is no number.
    """
    path = cache_folder() / name
    digest = ""

    def write(temporary: Path) -> None:
        nonlocal digest
        with temporary.open("wb") as file:
            np.save(file, array, allow_pickle=False)
        digest = sha256(temporary)

    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, write)
    # A kill in between leaves an array without its hash, which is computed anew.
    write_atomically(_hash_of(path), lambda file: _write_text(file, digest))
    mapped: np.ndarray = np.load(path, mmap_mode="r", allow_pickle=False)
    clear(max(most_bytes(), path.stat().st_size))  # the newest one stays
    return mapped


def kept(name: str, shape: tuple[int, ...], dtype: DTypeLike) -> np.ndarray | None:
    """Map an array of this shape and type; None if it is not there, or a byte of it is wrong."""
    try:
        path = cache_folder() / name
        if sha256(path) != _hash_of(path).read_text(encoding="utf-8"):
            return None
        os.utime(path)  # used now
        array: np.ndarray = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    return array if array.shape == shape and array.dtype == dtype else None


def _hash_of(path: Path) -> Path:
    return path.with_name(f"{path.name}.sha256")


def _write_text(file: Path, text: str) -> None:
    file.write_text(text, encoding="utf-8")
