"""Images from wherever the user has them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Literal, get_args

import torch

from ganprior.datasets.arrays import read_arrays
from ganprior.datasets.convert import Fit, convert
from ganprior.datasets.folder import read_folder
from ganprior.datasets.idx import holds_idx, is_idx, read_idx_folder, read_idx_images
from ganprior.datasets.images import Images
from ganprior.datasets.named import NAMES, read_named
from ganprior.datasets.picture import read_picture
from ganprior.datasets.room import CHUNK

Split = Literal["train", "test"]


def load_images(
    source: str | Path,
    *,
    split: Split = "train",
    size: int | None = None,
    channels: int | None = None,
    fit: Fit = "crop",
    limit: int | None = None,
    skip_unreadable: bool = False,
    missing: bool = False,
) -> Images:
    """Read images from a file, a folder or a data set known by name.

    Parameters
    ----------
    source : str or Path
        One of

        - a folder with idx files as MNIST and Fashion-MNIST have them, gzipped or not (also in a
          subfolder ``raw``, where torchvision puts them), or one such file;
        - a folder of image files, in natural order of their names; a subfolder for the split
          (``train`` or ``training``; ``test`` or ``testing``, or else ``val`` or ``validation``) is
          read where the folder itself holds none; a folder with one subfolder per class gives
          labels too, numbered over all splits;
        - one image file: see :mod:`ganprior.datasets.picture`;
        - ``.npz`` with key ``images`` (``labels`` optional) or ``.npy``: uint8, or float in
          [0, 1]; (N, H, W), (N, H, W, C) or (N, C, H, W);
        - the name of a torchvision data set that is on this machine already: see
          :func:`ganprior.datasets.named.read_named`. A path of that name goes first.
    split : {"train", "test"}
        Which part, where the source has parts; all other sources are read whole.
    size : int, optional
        Side in pixels, resized with antialiasing. Without it images keep their size.
    channels : {1, 3}, optional
        1 turns colour into ITU-R BT.601 luma, 3 repeats gray. Without it they keep theirs. With
        it the files of a folder may also differ in depth: where some are floats all become floats.
    fit : {"crop", "pad", "stretch"}
        What is resized to ``size``: the largest centred square of an image, the square that its
        border fills where it is repeated, or the whole image, whose sides are scaled apart.
    limit : int, optional
        Read at most the first ``limit`` images.
    skip_unreadable : bool
        Leave out the files of a folder that cannot be read, and count them in ``skipped``.
    missing : bool
        NaN marks pixels that are missing, and stays; without it images that hold some are refused.
        One that holds nothing else is refused either way.

    Returns
    -------
    Images
        Its ``sha256`` is that of the file; of the unpacked file for idx; for a folder that of
        name and bytes of each file read, in order.

    Raises
    ------
    ValueError
        If an argument is out of range, the source is absent, unreadable, empty or malformed, or
        its images differ in shape.

    Examples
    --------
    >>> import numpy as np
    >>> import tempfile
    >>> from ganprior import load_images
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     np.save(f"{folder}/mine.npy", np.zeros((3, 40, 30), dtype=np.uint8))
    ...     images = load_images(f"{folder}/mine.npy", size=28)
    >>> images.shape, len(images)
    ((1, 28, 28), 3)
    """
    _check_arguments(split, size, channels, limit)
    try:
        images = _read(source, split, size, channels, fit, limit, skip_unreadable)
    except OSError as error:
        raise ValueError(
            f"cannot read {source}: {error.strerror or error}; check the path and its permissions"
        ) from error
    images = replace(images, pixels=convert(images.pixels, size, channels, fit))
    return _usable(images, source, skip_unreadable, missing)


def _usable(images: Images, source: str | Path, skip: bool, missing: bool) -> Images:
    """Images without NaN, or with some where pixels may be missing; others left out or refused."""
    if not images.pixels.is_floating_point():
        return images
    lost = torch.all if missing else torch.any
    parts = images.pixels.split(CHUNK)
    usable = ~torch.cat([lost(part.isnan().flatten(1), 1) for part in parts])
    if usable.all():
        return images
    if skip and usable.any():
        return replace(images.pick(usable), skipped=images.skipped + int((~usable).sum()))
    first = images.names[int((~usable).nonzero()[0])]
    if missing:
        raise ValueError(f"{source}: every pixel of {first} is NaN; leave it out")
    raise ValueError(f"{source} holds NaN pixels, in {first}; remove or replace them")


def _read(
    source: str | Path,
    split: Split,
    size: int | None,
    channels: int | None,
    fit: Fit,
    limit: int | None,
    skip_unreadable: bool,
) -> Images:
    path = _expanded(source)
    if not path.exists():
        if str(source) in NAMES:
            return read_named(str(source), split, limit)
        raise ValueError(
            f"no file, folder or data set {str(source)!r}; give a path or one of {', '.join(NAMES)}"
        )
    if path.is_dir():
        if holds_idx(path):
            return read_idx_folder(path, split, limit)
        # Here each image is converted as it is read: they may differ in size before.
        return read_folder(
            path,
            split,
            size=size,
            channels=channels,
            fit=fit,
            limit=limit,
            skip_unreadable=skip_unreadable,
        )
    if path.is_char_device() or path.is_block_device():
        raise ValueError(f"{source} is a device; give a file or a folder")
    if is_idx(path):
        return read_idx_images(path, limit)
    if path.suffix.lower() in (".npz", ".npy"):
        return read_arrays(path, limit)
    return read_picture(path)


def _expanded(source: str | Path) -> Path:
    try:
        return Path(source).expanduser()
    except RuntimeError as error:
        raise ValueError(f"{source}: {error}; write the folder out") from error


def _check_arguments(split: str, size: int | None, channels: int | None, limit: int | None) -> None:
    if split not in get_args(Split):
        raise ValueError(f"split must be 'train' or 'test', got {split!r}")
    if channels not in (None, 1, 3):
        raise ValueError(f"channels must be 1 or 3, got {channels!r}; leave it out to keep them")
    for name, value in (("size", size), ("limit", limit)):
        if value is not None and value < 1:
            raise ValueError(f"{name} must be at least 1, got {value}; leave it out for no {name}")
