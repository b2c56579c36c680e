"""Every reconstruction as a picture of its own: what a user with a damaged picture came for."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ganprior.files import write_atomically

if TYPE_CHECKING:
    from torch import Tensor

FOLDER = "images"

# Bytes that a name may have: with a solver's, and the marks of a temporary file, file systems
# take 255, and some that encrypt names take fewer.
_LONGEST = 100


def picture_files(
    names: Sequence[str], solvers: Sequence[str], sure: Sequence[int] = ()
) -> list[str]:
    """``images/NAME-SOLVER.png`` for every image of the first solver, then of the second, ...

    Behind them ``images/NAME-SOLVER-std.png`` of the solvers that say how sure they are.

    Parameters
    ----------
    names : sequence of str
        Names of the images, which differ.
    solvers : sequence of str
        The solvers as asked for.
    sure : sequence of int
        Which of them have maps of standard deviations.
    """
    from ganprior.image_files import SUFFIXES

    # Not at the end alone: "digits.npz[3]".
    suffixes = "|".join(map(re.escape, (*SUFFIXES, ".npz", ".npy")))
    short = [re.sub(rf"({suffixes})\b", "", name, flags=re.IGNORECASE) for name in names]
    stems = file_names(short, names)
    labels = file_names([text.partition(":")[0] for text in solvers], solvers)
    shown = [*labels, *(f"{labels[i]}-std" for i in sure)]
    return [f"{FOLDER}/{stem}-{label}.png" for label in shown for stem in stems]


def write_pictures(out: Path, files: Iterable[str], images: Iterable[Tensor]) -> None:
    """Write pictures below a folder, 8 bits, clipped to [0, 1].

    Parameters
    ----------
    out : Path
        Folder that nobody reads yet: the files are not flushed one by one.
    files : iterable of str
        Their names in it, :func:`picture_files`.
    images : iterable of Tensor
        As many images, (C, H, W).

    Raises
    ------
    ValueError
        If a file cannot be written.
    """
    from ganprior.sheets import contact_sheet

    try:
        (out / FOLDER).mkdir(exist_ok=True)
        for file, x in zip(files, images, strict=True):
            contact_sheet(x.nan_to_num()[None], 1, gap=0).save(out / file, format="PNG")
    except OSError as error:
        raise ValueError(
            f"cannot write {error.filename or out / FOLDER}: {error.strerror or error}; choose "
            "another output folder"
        ) from error


def write_picture(path: Path, x: Tensor) -> None:
    """Write one image (C, H, W) as PNG of 8 bits, clipped to [0, 1].

    Raises
    ------
    ValueError
        If the file cannot be written.
    """
    from ganprior.sheets import contact_sheet

    picture = contact_sheet(x[None], 1, gap=0)
    write_atomically(path, lambda file: picture.save(file, format="PNG"))


def file_names(short: Sequence[str], long: Sequence[str]) -> list[str]:
    """Names without the characters that a file's may not have, all different.

    Parameters
    ----------
    short : sequence of str
        Names to use where they differ from all others.
    long : sequence of str
        Names to use in place of equal ones, numbered where they are equal as well.
    """
    wanted = [_plain(name) for name in short]
    count = Counter(map(str.casefold, wanted))
    wanted = [w if count[w.casefold()] == 1 else _plain(long[i]) for i, w in enumerate(wanted)]
    count = Counter(map(str.casefold, wanted))
    return [w if count[w.casefold()] == 1 else f"{w}-{i}" for i, w in enumerate(wanted)]


def _plain(name: str) -> str:
    plain = re.sub(r"[^\w.=]+", "-", name).strip("-.") or "image"
    return plain.encode(errors="ignore")[:_LONGEST].decode(errors="ignore")
