"""The INPUT arguments: images of one shape from several files, folders and data sets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from torch import Tensor

    from ganprior.datasets import Images

Shape = tuple[int, int, int]

_SIZE, _CHANNELS = "for one size", "for one number of channels and one depth"
_ALIKE = {"--resize": _SIZE, "--size": _SIZE, "--convert": _CHANNELS, "--channels": _CHANNELS}


@dataclass(frozen=True)
class Inputs:
    """Images in the order of the arguments; the index of an image is its place in it.

    Attributes
    ----------
    sets : tuple of Images
        The images of each source, as they are stored: a byte for a pixel where it has 8 bits.
    names : tuple of str
        One name per image: its file, and its index in the file where there are many.
    sources : tuple of str
        The arguments that were read; those after ``limit`` images are not.
    """

    sets: tuple[Images, ...]
    names: tuple[str, ...]
    sources: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.names)

    @property
    def sha256(self) -> tuple[str, ...]:
        """Checksum of each source."""
        return tuple(images.sha256 for images in self.sets)

    @property
    def shape(self) -> Shape:
        """Channels, height and width of one image."""
        return self.sets[0].shape

    def part(self, first: int, last: int) -> Tensor:
        """Images ``first`` to ``last``, the last one excluded: float32 in [0, 1], (B, C, H, W).

        NaN where a pixel is missing.
        """
        import torch

        parts, begin = [], 0
        for images in self.sets:
            start, stop = max(first - begin, 0), min(last - begin, len(images))
            if start < stop:
                parts.append(images.select(start, stop).floats())
            begin += len(images)
        return torch.cat(parts)


def read_inputs(
    sources: tuple[str, ...],
    *,
    limit: int | None = None,
    size: int | None = None,
    channels: int | None = None,
    fit: str | None = None,
    missing: bool = False,
    expected: tuple[str, Shape] | None = None,
    remedy: str = "",
) -> Inputs:
    """Read images; of a data set with two splits the test images.

    Parameters
    ----------
    sources : tuple of str
        Whatever :func:`ganprior.datasets.load_images` reads; at least one.
    limit : int, optional
        Most images over all sources.
    size, channels : int, optional
        Conversions asked for, as for :func:`ganprior.datasets.load_images`.
    fit : str, optional
        As there; ``crop`` when absent.
    missing : bool
        As there.
    expected : pair of str and tuple, optional
        What the images must fit, in words, and the (C, H, W) that they must have. When absent,
        all must have the shape of the first.
    remedy : str
        What to do about images of another shape, for the message.

    Raises
    ------
    ValueError
        If a source cannot be read or its images have another shape.
    """
    sets, read, count = [], [], 0
    for source in sources:
        left = None if limit is None else limit - count
        if left == 0:
            break
        images = load_images(
            source,
            split="test",
            size=size,
            channels=channels,
            fit=fit or "crop",
            limit=left,
            missing=missing,
        )
        whose, shape = expected = expected or (source, images.shape)
        if images.shape != shape:
            raise ValueError(
                f"the images of {source} are {words(images.shape)} (channels x height x width), "
                f"those of {whose} are {words(shape)}; {remedy}"
            )
        sets.append(images)
        read.append(source)
        count += len(images)
    names = [(source, name) for source, part in zip(read, sets, strict=True) for name in part.names]
    return Inputs(tuple(sets), _distinct(names), tuple(read))


def load_images(source: str, **arguments: Any) -> Images:
    """Read images as :func:`ganprior.datasets.load_images`; errors name the command's options.

    Parameters
    ----------
    source : str
        What to read.
    **arguments
        As there.

    Raises
    ------
    ValueError
        As there.
    """
    from ganprior.datasets import load_images as load

    with naming_options():
        return load(source, **arguments)


@contextmanager
def naming_options() -> Iterator[None]:
    """Let errors about the images of a folder name the command's options, not arguments."""
    from ganprior.datasets.folder import FolderError

    try:
        yield
    except FolderError as error:
        raise ValueError(f"{error.found}; {_remedy(error.remedy)}") from error


def _remedy(kind: str) -> str:
    """What the running command offers for images of a folder that differ or cannot be read."""
    context = click.get_current_context(silent=True)
    parameters = context.command.params if context else []
    options = {option for parameter in parameters for option in parameter.opts}
    if kind == "skip":
        can_skip = "--skip-unreadable" in options
        return f"replace them or {'give --skip-unreadable' if can_skip else 'move them away'}"
    offered = [f"{option} {what}" for option, what in _ALIKE.items() if option in options]
    return f"give {', '.join(offered)}" if offered else "store them all alike"


def words(shape: tuple[int, ...]) -> str:
    """``1 x 28 x 28``."""
    return " x ".join(map(str, shape))


def _distinct(names: list[tuple[str, str]]) -> tuple[str, ...]:
    """Names of images; with their folders where two sources hold a file of the same name."""
    seen = Counter(name for _, name in names)
    if max(seen.values()) == 1:
        return tuple(name for _, name in names)
    folders = {source: _folder(Path(source)) for source, _ in names}
    return tuple(str(folders[source] / name) for source, name in names)


def _folder(source: Path) -> Path:
    return source if source.is_dir() else source.parent
