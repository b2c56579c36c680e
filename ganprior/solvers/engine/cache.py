"""What the engine computes once per prior, kept in the user's cache folder.

The folder is ``GANPRIOR_CACHE``, else ``XDG_CACHE_HOME/ganprior``, else ``~/.cache/ganprior``.
Beside every array ``NAME.npy`` lies its SHA-256, ``NAME.npy.sha256``; an array that differs from it
in any byte is not taken.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import numpy as np
from numpy.typing import DTypeLike

from ganprior.files import sha256, write_atomically
from ganprior.solvers.engine.problem import Problem


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


def key_of(problem: Problem, *settings: object) -> str:
    """Hash of the prior's weights and law, and of the settings of what is kept."""
    return hashlib.sha256(repr((problem.prior_hash, *settings)).encode()).hexdigest()[:32]


def keep(name: str, array: np.ndarray) -> np.ndarray:
    """Write an array and map it from there.

    Raises
    ------
    OSError, ValueError
        If the folder cannot be written.
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
    return mapped


def kept(name: str, shape: tuple[int, ...], dtype: DTypeLike) -> np.ndarray | None:
    """Map an array of this shape and type; None if it is not there, or a byte of it is wrong."""
    try:
        path = cache_folder() / name
        if sha256(path) != _hash_of(path).read_text(encoding="utf-8"):
            return None
        array: np.ndarray = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    return array if array.shape == shape and array.dtype == dtype else None


def _hash_of(path: Path) -> Path:
    return path.with_name(f"{path.name}.sha256")


def _write_text(file: Path, text: str) -> None:
    file.write_text(text, encoding="utf-8")
