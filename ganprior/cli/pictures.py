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
_SUFFIXES = r"\.(png|jpe?g|bmp|gif|tiff?|webp|npz|npy)\b"


def write_pictures(out: Path, names: Sequence[str], attempts: Sequence[Attempt]) -> list[Path]:
    """Write ``OUT/images/NAME-SOLVER.png`` for every image and solver, 8 bits, clipped to [0, 1].

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
    stems = file_names([re.sub(_SUFFIXES, "", name, flags=re.IGNORECASE) for name in names], names)
    texts = [attempt.solver for attempt in attempts]
    labels = file_names([text.partition(":")[0] for text in texts], texts)
    written = []
    for attempt, label in zip(attempts, labels, strict=True):
        for stem, x in zip(stems, attempt.x.nan_to_num(), strict=True):
            written.append(out / FOLDER / f"{stem}-{label}.png")
            write_picture(written[-1], x)
    return written


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
    count = Counter(wanted)
    wanted = [w if count[w] == 1 else _plain(long[i]) for i, w in enumerate(wanted)]
    count = Counter(wanted)
    return [w if count[w] == 1 else f"{w}-{i}" for i, w in enumerate(wanted)]


def _plain(name: str) -> str:
    return re.sub(r"[^\w.=]+", "-", name).strip("-.") or "image"
