"""Places to write to, looked at before any work is done."""

from __future__ import annotations

import os
from pathlib import Path


def check_folder(option: str, folder: Path) -> None:
    """Refuse a folder that could not be made or written to; nothing is made here.

    Parameters
    ----------
    option : str
        The option that named it, for the message.
    folder : Path
        The folder.

    Raises
    ------
    ValueError
        If it, or the nearest folder above it that exists, is not a writable folder.
    """
    nearest = folder.absolute()
    while not os.path.lexists(nearest):
        nearest = nearest.parent
    if not nearest.is_dir():
        raise ValueError(f"{option} {folder}: {nearest} is not a folder; choose another")
    if not os.access(nearest, os.W_OK | os.X_OK):
        raise ValueError(f"{option} {folder}: {nearest} cannot be written to; choose another")
