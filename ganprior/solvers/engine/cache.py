"""What the engine computes once per prior, kept in the user's cache folder.

The folder is ``GANPRIOR_CACHE``, else ``XDG_CACHE_HOME/ganprior``, else ``~/.cache/ganprior``.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import numpy as np
from numpy.typing import DTypeLike

from ganprior.files import write_atomically
from ganprior.solvers.engine.problem import Problem


def cache_folder() -> Path:
    """Where arrays are kept; the folder need not be there."""
    own = os.environ.get("GANPRIOR_CACHE")
    if own:
        return Path(own)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ganprior"


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

    def write(temporary: Path) -> None:
        with temporary.open("wb") as file:
            np.save(file, array, allow_pickle=False)

    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, write)
    mapped: np.ndarray = np.load(path, mmap_mode="r", allow_pickle=False)
    return mapped


def kept(name: str, shape: tuple[int, ...], dtype: DTypeLike) -> np.ndarray | None:
    """Map an array of this shape and type; None if it is not there, or is damaged."""
    try:
        array: np.ndarray = np.load(cache_folder() / name, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    return array if array.shape == shape and array.dtype == dtype else None
