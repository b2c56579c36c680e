"""Every reconstruction as a picture of its own: what a user with a damaged picture came for."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ganprior.cli.comparison import Attempt
from ganprior.files import write_atomically

if TYPE_CHECKING:
    from torch import Tensor

FOLDER = "images"

# Bytes that a name may have: with a solver's, and the marks of a temporary file, file systems
# take 255, and some that encrypt names take fewer.
_LONGEST = 100


def picture_files(names: Sequence[str], solvers: Sequence[str]) -> list[str]:
    """``images/NAME-SOLVER.png`` for every image of the first solver, then of the second, ...

    Parameters
    ----------
    names : sequence of str
        Names of the images, which differ.
    solvers : sequence of str
        The solvers as asked for.
    """
    from ganprior.image_files import SUFFIXES

    # Not at the end alone: "digits.npz[3]".
    suffixes = "|".join(map(re.escape, (*SUFFIXES, ".npz", ".npy")))
    short = [re.sub(rf"({suffixes})\b", "", name, flags=re.IGNORECASE) for name in names]
    stems = file_names(short, names)
    labels = file_names([text.partition(":")[0] for text in solvers], solvers)
    return [f"{FOLDER}/{stem}-{label}.png" for label in labels for stem in stems]


def write_pictures(out: Path, names: Sequence[str], attempts: Sequence[Attempt]) -> list[Path]:
    """Write :func:`picture_files` below a folder, 8 bits, clipped to [0, 1].

    Parameters
    ----------
    out : Path
        Folder of the results.
    names : sequence of str
        Names of the images, which differ.
    attempts : sequence of Attempt
        What the solvers made of them.

    Returns
    -------
    list of Path
        The files.

    Raises
    ------
    ValueError
        If a file cannot be written.
    """
    files = [out / name for name in picture_files(names, [attempt.solver for attempt in attempts])]
    images = (x for attempt in attempts for x in attempt.x.nan_to_num())
    for file, x in zip(files, images, strict=True):
        write_picture(file, x)
    return files


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
