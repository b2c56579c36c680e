"""Places to write to, looked at before any work is done."""

from __future__ import annotations

import errno
import os
from pathlib import Path

# Bytes of the longest path that a command writes below an output folder.
_LONGEST_BELOW = 220


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
        If it, or the nearest folder above it that exists, is not a writable folder; if no file
        can have a name that is in it.
    """
    nearest, absent = folder.absolute(), []
    while not os.path.lexists(nearest):
        absent.append(nearest.name)
        nearest = nearest.parent
    if not nearest.is_dir():
        raise ValueError(f"{option} {folder}: {nearest} is not a folder; choose another")
    if not os.access(nearest, os.W_OK | os.X_OK):
        raise ValueError(f"{option} {folder}: {nearest} cannot be written to; choose another")
    for name in absent:
        _check_name(option, nearest / name)
    # A whole path has a longest length too, and what is written there has names of its own.
    _check_name(option, folder.absolute() / ("x/" * (_LONGEST_BELOW // 2)))


def check_file(option: str, file: Path, suffix: str | None = None) -> None:
    """Refuse the name of a file that could not be written, before any work.

    Parameters
    ----------
    option : str
        The option that named it, for the message.
    file : Path
        The file.
    suffix : str, optional
        What its name must end in.

    Raises
    ------
    ValueError
        If it ends in something else, is a folder, or cannot be written.
    """
    # Not Path.is_dir(), which raises for a name that is too long.
    if os.path.isdir(file):
        raise ValueError(f"{option} {file} is not the name of a {_kind(suffix)}file but a folder")
    if suffix is not None and file.suffix.lower() != suffix:
        raise ValueError(
            f"{option} {file} is not the name of a {_kind(suffix)}file; give one that ends in "
            f"{suffix}"
        )
    check_folder(option, file.parent)
    _check_name(option, file)


def check_network(option: str, file: Path, kind: str) -> None:
    """Refuse the name of a network's two files where they would replace another thing.

    Parameters
    ----------
    option, file
        As for :func:`check_file`.
    kind : str
        What is written, as its card says it: earlier ones of the same kind may be replaced.

    Raises
    ------
    ValueError
        As for :func:`check_file`; or if one of the files is there, and no card of that kind.
    """
    from ganprior.priors.cards import part_of_prior, read_card

    check_file(option, file)
    there = [
        path
        for suffix in (".safetensors", ".json")
        if (path := part_of_prior(file, suffix)).exists()
    ]
    if not there:
        return
    try:
        card = read_card(file)
        found = card.get("kind") or card["architecture"]["name"]
    except (ValueError, LookupError, TypeError):
        found = None
    if found != kind:
        raise ValueError(
            f"{option} {file}: {there[0]} is there already, and of no {kind}; choose another name"
        )


def _kind(suffix: str | None) -> str:
    return f"{suffix.removeprefix('.').upper()} " if suffix else ""


def _check_name(option: str, path: Path) -> None:
    """Ask the file system whether a name can be one: it alone knows how long names may be."""
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        # The latter where a file is called x: lengths are looked at first.
        return
    except (OSError, ValueError) as error:
        too_long = isinstance(error, OSError) and error.errno == errno.ENAMETOOLONG
        reason = "the name is too long" if too_long else str(error)
        raise ValueError(f"{option}: {reason}, {str(path)[:40]!r}...; choose another") from error
