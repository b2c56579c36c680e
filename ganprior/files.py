"""Files that are either whole or absent."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


# Characters of a file's name that its temporary file has: that must not be too long where the
# file's own name just is not.
_LONGEST_PART = 20


def write_atomically(path: str | Path, write: Callable[[Path], None]) -> None:
    """Write a file so that a crash leaves the old one or the new one, never a part.

    Parameters
    ----------
    path : str or Path
        The file to write; its folder is made when absent.
    write : callable
        Receives the path of a temporary file beside the target and fills it.

    Raises
    ------
    ValueError
        If the folder cannot be made or written to.
    """
    path = Path(path)
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # The suffix is kept: several writers choose the format by it.
        suffix = path.suffix[-_LONGEST_PART:]
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=_part(path), suffix=suffix)
        os.close(handle)
        temporary = Path(name)
        write(temporary)
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.chmod(0o644)
        temporary.replace(path)
    except OSError as error:
        raise ValueError(
            f"cannot write {path}: {error.strerror or error}; choose another output folder"
        ) from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def parts_of(path: str | Path) -> list[Path]:
    """Temporary files that writers of ``path`` left behind who were killed."""
    path = Path(path)
    return [other for other in _siblings(path) if other.name.startswith(_part(path))]


def _siblings(path: Path) -> list[Path]:
    return list(path.parent.iterdir()) if path.parent.is_dir() else []


def _part(path: Path) -> str:
    return f".part-{path.name[:_LONGEST_PART]}-"


def write_tensors(
    path: str | Path, tensors: dict[str, Tensor], metadata: dict[str, str] | None = None
) -> None:
    """Write a safetensors file as :func:`write_atomically` does.

    Parameters
    ----------
    path : str or Path
        The file to write.
    tensors : dict of Tensor
        Contiguous tensors by name.
    metadata : dict of str, optional
        Goes into the file's header.

    Raises
    ------
    ValueError
        If the file cannot be written: a full disk, a folder that cannot be made.
    """
    from safetensors.torch import save

    def write(temporary: Path) -> None:
        # save_file() has an exception of its own for a full disk.
        temporary.write_bytes(save(tensors, metadata))

    write_atomically(path, write)


def expand_user(path: str | Path) -> Path:
    """Path with ``~`` and ``~user`` written out.

    Raises
    ------
    ValueError
        If there is no such user.
    """
    try:
        return Path(path).expanduser()
    except RuntimeError as error:
        raise ValueError(f"{path}: there is no such user, or no home folder") from error


def reason_of(error: Exception) -> str:
    """What an error says, on one line; of the system's without its number."""
    if isinstance(error, OSError) and error.strerror:
        named = f"{error.filename}: " if error.filename else ""
        return f"{named}{error.strerror}"
    return " ".join(str(error).split()) or type(error).__name__


def sha256(*paths: str | Path) -> str:
    """SHA-256 of the bytes of one or more files, in the order given."""
    digest = hashlib.sha256()
    for path in paths:
        with Path(path).open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()
