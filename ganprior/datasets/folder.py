"""A folder of image files: decoded one after the other into one tensor."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from torch import Tensor

from ganprior.datasets.convert import convert
from ganprior.datasets.images import Images
from ganprior.datasets.picture import SUFFIXES, decode


def read_folder(
    folder: Path,
    split: str,
    *,
    size: int | None = None,
    channels: int | None = None,
    limit: int | None = None,
) -> Images:
    """Images of a folder in natural order of their names (``2.png`` before ``10.png``).

    Where no image lies in the folder itself, its subfolder named for the split is read. Files
    that are hidden or not named as images are passed over.

    Raises
    ------
    ValueError
        If there is no image, one is unreadable, or they differ in size, channels or depth and
        ``size`` and ``channels`` do not make them alike.
    """
    files = _image_files(folder) or _image_files(folder / split)
    if not files:
        raise ValueError(
            f"{folder} holds no images, nor does {folder / split}; give a folder of image files "
            f"({', '.join(SUFFIXES)}) or of idx files"
        )
    files = files[:limit]
    digest = hashlib.sha256()
    pixels: Tensor | None = None
    for i, path in enumerate(files):
        data = path.read_bytes()
        digest.update(path.name.encode() + data)
        image = convert(decode(data, path)[None], size, channels)[0]
        if pixels is None:
            pixels = image.new_empty((len(files), *image.shape))
        if image.shape != pixels.shape[1:] or image.dtype != pixels.dtype:
            raise ValueError(_differ(files[0], pixels[0], path, image))
        pixels[i] = image
    assert pixels is not None
    return Images(pixels, tuple(path.name for path in files), digest.hexdigest())


def _image_files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    found = (p for p in folder.iterdir() if p.suffix.lower() in SUFFIXES and p.name[0] != ".")
    return sorted((p for p in found if p.is_file()), key=_natural)


def _natural(path: Path) -> tuple[list[str | int], str]:
    # re.split alternates text and digits, so that two keys never compare a str with an int.
    parts = re.split(r"([0-9]+)", path.name.casefold())
    return [int(part) if i % 2 else part for i, part in enumerate(parts)], path.name


def _differ(first_path: Path, first: Tensor, path: Path, image: Tensor) -> str:
    def words(pixels: Tensor) -> str:
        return f"{'x'.join(map(str, pixels.shape))} {str(pixels.dtype).removeprefix('torch.')}"

    return (
        f"{path} is {words(image)} (channels x height x width) where {first_path.name} is "
        f"{words(first)}; ask for one size and number of channels (size=, channels=), and store "
        "all images with the same bit depth"
    )
