"""A folder of image files: decoded one after the other into one tensor."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from itertools import zip_longest
from pathlib import Path

import torch
from torch import Tensor

from ganprior.datasets.convert import convert
from ganprior.datasets.images import Images
from ganprior.datasets.picture import SUFFIXES, decode

_SPLITS = ("train", "test")
# Files that an error names before it only counts them.
_NAMED = 5


def read_folder(
    folder: Path,
    split: str,
    *,
    size: int | None = None,
    channels: int | None = None,
    limit: int | None = None,
    skip_unreadable: bool = False,
) -> Images:
    """Images of a folder in natural order of their names (``2.png`` before ``10.png``).

    Where no image lies in the folder itself, its subfolder named for the split is read. Where
    either holds one subfolder per class instead, the label of an image is the place of its
    subfolder in natural order; images are taken from the classes in turn, so that the first N
    are of all classes. Files that are hidden or not named as images are passed over.

    Raises
    ------
    ValueError
        If there is no image; if some are unreadable, unless they are to be skipped; if they
        differ in size, channels or depth and ``size`` and ``channels`` do not make them alike.
    """
    files, labels = _find(folder, split)
    if not files:
        raise ValueError(
            f"{folder} holds no images, nor does {folder / split}; give a folder of image files "
            f"({', '.join(SUFFIXES)}), of one such folder per class, or of idx files"
        )
    files = files[:limit]
    names = [_name(path, in_class=labels is not None) for path in files]
    digest = hashlib.sha256()
    read: list[int] = []
    unreadable: list[str] = []
    pixels: Tensor | None = None
    for i, path in enumerate(files):
        try:
            data = path.read_bytes()
            decoded = decode(data, path)
        except (OSError, ValueError) as error:
            unreadable.append(str(error))
            continue
        digest.update(names[i].encode() + data)
        image = convert(decoded[None], size, channels)[0]
        if pixels is None:
            pixels = image.new_empty((len(files), *image.shape))
        if image.shape != pixels.shape[1:] or image.dtype != pixels.dtype:
            raise ValueError(_differ(files[read[0]], pixels[0], path, image))
        pixels[len(read)] = image
        read.append(i)
    if pixels is None or (unreadable and not skip_unreadable):
        raise ValueError(_unreadable(folder, unreadable, len(files)))
    return Images(
        pixels[: len(read)],
        tuple(names[i] for i in read),
        digest.hexdigest(),
        None if labels is None else torch.tensor([labels[i] for i in read]),
        skipped=len(unreadable),
    )


def _find(folder: Path, split: str) -> tuple[list[Path], list[int] | None]:
    """Files to read, and the class of each where they lie in one subfolder per class."""
    for place in (folder, folder / split):
        if files := _image_files(place):
            return files, None
    for place in (folder / split, folder):
        if found := _files_of_classes(place):
            return [path for path, _ in found], [label for _, label in found]
    return [], None


def _files_of_classes(folder: Path) -> list[tuple[Path, int]]:
    # An empty subfolder counts: a class without test images must not move the others.
    classes = _sorted_in(folder, lambda p: p.is_dir() and p.name not in _SPLITS)
    turns = zip_longest(*(_image_files(path) for path in classes))
    return [(path, i) for turn in turns for i, path in enumerate(turn) if path is not None]


def _image_files(folder: Path) -> list[Path]:
    return _sorted_in(folder, lambda p: p.suffix.lower() in SUFFIXES and p.is_file())


def _sorted_in(folder: Path, wanted: Callable[[Path], bool]) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted((p for p in folder.iterdir() if p.name[0] != "." and wanted(p)), key=_natural)


def _name(path: Path, *, in_class: bool) -> str:
    return f"{path.parent.name}/{path.name}" if in_class else path.name


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


def _unreadable(folder: Path, errors: list[str], count: int) -> str:
    if len(errors) == count:
        return f"none of the {count} images of {folder} can be read: {errors[0]}"
    more = f"; and {len(errors) - _NAMED} more" if len(errors) > _NAMED else ""
    return (
        f"{len(errors)} of {count} images of {folder} are unreadable: "
        f"{'; '.join(errors[:_NAMED])}{more}; or leave them out with skip_unreadable "
        "(--skip-unreadable)"
    )
