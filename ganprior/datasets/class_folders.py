"""Which files of a folder are images, of which split and of which class."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import zip_longest
from pathlib import Path

from ganprior.image_files import SUFFIXES

# Where several stand for one split, the first that is there holds its images.
_SPLITS = {
    "train": (("train", "training"),),
    "test": (("test", "testing"), ("val", "valid", "validation")),
}
_SPLIT_NAMES = {name for kinds in _SPLITS.values() for names in kinds for name in names}
# What systems and file servers leave in folders, beside what is hidden.
_RUBBISH = (
    "__macosx",
    "__pycache__",
    "@eadir",
    "@recycle",
    "#recycle",
    "#snapshot",
    "$recycle.bin",
    "lost+found",
    "system volume information",
    "thumbs.db",
    "ehthumbs.db",
    "desktop.ini",
    "icon\r",
    "network trash folder",
    "temporary items",
)
# Pictures that are not read: named or counted, rather than passed over.
_FOREIGN = (".heic", ".heif", ".jxl", ".tga", ".psd", ".dng", ".svg", ".exr", ".dcm")
_PICTURES = {*SUFFIXES, *_FOREIGN}


@dataclass(frozen=True)
class Found:
    """Image files in the order in which they are read.

    Attributes
    ----------
    files : list of Path
        The files.
    labels : list of int or None
        The class of each, where they lie in one subfolder per class.
    """

    files: list[Path]
    labels: list[int] | None = None

    @property
    def names(self) -> list[str]:
        """Name of each file, with its class where there are classes."""
        return [p.name if self.labels is None else f"{p.parent.name}/{p.name}" for p in self.files]


def find_images(folder: Path, split: str) -> Found:
    """Image files of a folder, of its subfolder for the split, or of its subfolders by class.

    Parameters
    ----------
    folder : Path
        The folder.
    split : {"train", "test"}
        For ``train`` the subfolder ``train`` or ``training``; for ``test`` the subfolder ``test``
        or ``testing``, or else ``val``, ``valid`` or ``validation``, in any case of letters.

    Returns
    -------
    Found
        None where there are none. Files whose name ends as pictures' do count even where a link
        dangles or the format is not read, so that reading them says so.

    Raises
    ------
    ValueError
        If two subfolders stand for one split, two splits spell a class differently, or a
        subfolder beside classes holds images, but deeper than a class does.
    """
    inside = _split_folder(folder, split)
    places = [folder] if inside is None else [folder, inside]
    for place in places:
        if files := _image_files(place):
            return Found(files)
    for place in reversed(places):
        if found := list(_in_turn(place)):
            return Found([path for path, _ in found], [label for _, label in found])
    return Found([])


def _split_folder(folder: Path, split: str) -> Path | None:
    for names in _SPLITS[split]:
        there = _sorted_in(folder, partial(_is_folder, names))
        if len(there) > 1:
            raise ValueError(
                f"{folder} holds both {there[0].name} and {there[1].name} for the {split} split; "
                "give one of them"
            )
        if there:
            return there[0]
    return None


def _in_turn(folder: Path) -> Iterator[tuple[Path, int]]:
    """One image of each class, then the next of each, with the number of the class."""
    turns = zip_longest(*(_image_files(folder / name) for name in _classes(folder)))
    for turn in turns:
        for label, path in enumerate(turn):
            if path is not None:
                yield path, label


def _classes(folder: Path) -> list[str]:
    """Classes of a folder and of the splits beside it: one numbering for all of them."""
    splits = [folder]
    if _is_folder(_SPLIT_NAMES, folder.absolute()):
        splits = _sorted_in(folder.absolute().parent, partial(_is_folder, _SPLIT_NAMES))
    classes: dict[str, Path] = {}
    spelt: dict[tuple[str | int, ...], Path] = {}
    found = [path for split in splits for path in _sorted_in(split, _is_class)]
    if found:
        _refuse_nested(splits)
    for path in found:
        alike = spelt.setdefault(tuple(_natural(path)[0]), path)
        if path.name not in classes | {alike.name: alike} and alike.parent != path.parent:
            raise ValueError(
                f"{path} and {alike} may be one class or two; give a class one name in all splits"
            )
        classes.setdefault(path.name, path)
    return [path.name for path in sorted(classes.values(), key=_natural)]


def _refuse_nested(splits: list[Path]) -> None:
    """Refuse a folder beside classes that has images in folders of its own alone."""
    folders = (path for split in splits for path in _sorted_in(split, Path.is_dir))
    for folder in folders:
        if _is_folder(_SPLIT_NAMES, folder) or _is_class(folder):
            continue
        for deep in _below(folder):
            raise ValueError(
                f"{folder} would be a class, but its images lie deeper, such as {deep}; put the "
                "images of a class into one folder"
            )


def _below(folder: Path) -> Iterator[Path]:
    """Images at any depth; links to folders, which may lead back, are not followed."""
    for path in _entries(folder):
        if _is_image(path):
            yield path
        elif not path.is_symlink():
            yield from _below(path)


def _is_folder(names: Collection[str], path: Path) -> bool:
    """Whether a path is a folder of one of these names."""
    return path.name.casefold() in names and path.is_dir()


def _is_class(path: Path) -> bool:
    if _is_folder(_SPLIT_NAMES, path) or not path.is_dir():
        return False
    # An empty subfolder counts: a class without test images must not move the others.
    inside = list(_entries(path))
    return not inside or any(map(_is_image, inside))


def _image_files(folder: Path) -> list[Path]:
    return _sorted_in(folder, _is_image)


def _is_image(path: Path) -> bool:
    # A link to nothing is for the reader to name; a pipe would keep it waiting.
    return path.suffix.lower() in _PICTURES and (path.is_file() or not path.exists())


def _sorted_in(folder: Path, wanted: Callable[[Path], bool]) -> list[Path]:
    return sorted(filter(wanted, _entries(folder)), key=_natural)


def _entries(folder: Path) -> Iterator[Path]:
    """Files and folders in a folder, if it is one, that a person has put there."""
    if folder.is_dir():
        for path in folder.iterdir():
            if path.name[0] != "." and path.name.casefold() not in _RUBBISH:
                yield path


def _natural(path: Path) -> tuple[list[str | int], str]:
    # re.split alternates text and digits, so that two keys never compare a str with an int.
    parts = re.split(r"([0-9]+)", path.name.casefold())
    return [int(part) if i % 2 else part for i, part in enumerate(parts)], path.name
