"""A folder of image files: decoded one after the other into one tensor."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor

from ganprior.datasets.class_folders import Found, find_images
from ganprior.datasets.convert import Fit, convert
from ganprior.datasets.images import Images
from ganprior.datasets.picture import decode
from ganprior.datasets.room import room
from ganprior.image_files import read_file

# Files that an error names before it only counts them.
_NAMED = 5
_ARGUMENTS = {
    "convert": "ask for one size (size=) and number of channels (channels=), or store them alike",
    "skip": "mend them, or leave them out (skip_unreadable=True)",
}


class FolderError(ValueError):
    """What is wrong with the images of a folder and, apart from it, what a caller can do.

    Attributes
    ----------
    found : str
        What is wrong.
    remedy : {"convert", "skip"}
        Whether images must be made alike, or unreadable ones be left out. The message names the
        arguments for it; a caller whose arguments have other names can word it anew.
    """

    def __init__(self, found: str, remedy: Literal["convert", "skip"]) -> None:
        super().__init__(f"{found}; {_ARGUMENTS[remedy]}")
        self.found = found
        self.remedy = remedy


def read_folder(
    folder: Path,
    split: str,
    *,
    size: int | None = None,
    channels: int | None = None,
    fit: Fit = "crop",
    limit: int | None = None,
    skip_unreadable: bool = False,
) -> Images:
    """Images of a folder in natural order of their names (``2.png`` before ``10.png``).

    Where no image lies in the folder itself, its subfolder for the split is read: see
    :func:`ganprior.datasets.class_folders.find_images`. Where either holds one subfolder per class
    instead, the label of an image is the place of its subfolder in natural order among those of
    all splits; images are taken from the classes in turn, so that the first N are of all classes.
    Files that are hidden or not named as images are passed over, and so is what systems leave
    behind (``__MACOSX``, ``@eaDir``).

    Raises
    ------
    FolderError
        If some images are unreadable and are not to be skipped, or if they differ in size,
        channels or depth and ``size`` and ``channels`` do not make them alike.
    ValueError
        If there is no image, or its classes contradict each other.
    """
    found = find_images(folder, split)
    if not found.files:
        raise ValueError(
            f"{folder} holds no images, nor does {folder / split}; give a folder of image files "
            "(.png, .jpg, .tif and such), of one such folder per class, or of idx files"
        )
    found = Found(found.files[:limit], found.labels and found.labels[:limit])
    names = found.names
    digest = hashlib.sha256()
    stack = _Stack(len(found.files), converts=channels is not None)
    read: list[int] = []
    unreadable: list[str] = []
    for i, (path, name) in enumerate(zip(found.files, names, strict=True)):
        try:
            data = read_file(path)
            decoded = decode(data, path)
        except OSError as error:
            unreadable.append(f"{path}: {error.strerror or error}")
        except ValueError as error:
            unreadable.append(str(error))
        else:
            digest.update(name.encode(errors="surrogateescape") + data)
            stack.add(convert(decoded[None], size, channels, fit)[0], path)
            read.append(i)
    if not read or (unreadable and not skip_unreadable):
        raise FolderError(_unreadable(folder, unreadable, len(found.files)), "skip")
    return Images(
        stack.pixels(),
        tuple(names[i] for i in read),
        digest.hexdigest(),
        None if found.labels is None else torch.tensor([found.labels[i] for i in read]),
        skipped=len(unreadable),
    )


class _Stack:
    """Images put one after the other into a tensor that has room for all.

    Parameters
    ----------
    room : int
        Most images.
    converts : bool
        Whether images of 8 bits and of floats may be mixed; all become floats.
    """

    def __init__(self, room: int, *, converts: bool) -> None:
        self._room = room
        self._converts = converts
        self._count = 0
        self._first: Path | None = None
        self._pixels = torch.empty(0)

    def add(self, image: Tensor, path: Path) -> None:
        """Add (C, H, W) pixels, uint8 or float32 in [0, 1]."""
        if self._first is None:
            self._first = path
            self._pixels = _make_room(self._room, image, path)
        if self._converts and image.dtype != self._pixels.dtype:
            image, self._pixels = _floats(image), _floats(self._pixels)
        if image.shape != self._pixels.shape[1:] or image.dtype != self._pixels.dtype:
            raise FolderError(_differ(self._first, self._pixels[0], path, image), "convert")
        self._pixels[self._count] = image
        self._count += 1

    def pixels(self) -> Tensor:
        return self._pixels[: self._count]


def _make_room(count: int, image: Tensor, path: Path) -> Tensor:
    try:
        return torch.from_numpy(room((count, *image.shape), image.numpy().dtype))
    except MemoryError as error:
        size = count * image.numel() * image.element_size() / 2**30
        raise ValueError(
            f"{count} images as large as {path} need {size:.0f} GiB of memory; read fewer, or make "
            "them smaller"
        ) from error


def _floats(pixels: Tensor) -> Tensor:
    return pixels.float() / 255 if pixels.dtype == torch.uint8 else pixels


def _differ(first_path: Path, first: Tensor, path: Path, image: Tensor) -> str:
    def words(pixels: Tensor) -> str:
        return f"{'x'.join(map(str, pixels.shape))} {str(pixels.dtype).removeprefix('torch.')}"

    return (
        f"{path} is {words(image)} (channels x height x width) where {first_path.name} is "
        f"{words(first)}"
    )


def _unreadable(folder: Path, errors: list[str], count: int) -> str:
    if len(errors) == count:
        return f"none of the {count} images of {folder} can be read: {errors[0]}"
    more = f"; and {len(errors) - _NAMED} more" if len(errors) > _NAMED else ""
    return (
        f"{len(errors)} of {count} images of {folder} are unreadable: "
        f"{'; '.join(errors[:_NAMED])}{more}"
    )
