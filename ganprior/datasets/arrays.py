"""Images in NumPy files: ``.npy``, or ``.npz`` with the key ``images`` (and ``labels``)."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ganprior.datasets.floats import unit_floats
from ganprior.datasets.images import Images
from ganprior.datasets.numpy_files import read_npy, read_npz
from ganprior.datasets.room import plain
from ganprior.files import sha256

_CHANNELS = (1, 3)
# A classifier has an output for each.
_MOST_CLASSES = 1_000_000
_LAYOUTS = "(N, H, W), (N, H, W, C) or (N, C, H, W) with C = 1 or 3"


def read_arrays(path: Path, limit: int | None = None) -> Images:
    """Images of one NumPy file; nothing pickled is ever loaded.

    Raises
    ------
    ValueError
        If the file is not NumPy's, is damaged or a zip bomb, has no ``images``, or they are not
        uint8 or float in [0, 1] in one of the layouts that :func:`channels_first` accepts.
    """
    images, labels = _load(path)
    pixels = _pixels(channels_first(images, str(path))[:limit], path)
    names = tuple(f"{path.name}[{i}]" for i in range(len(pixels)))
    classes = None
    if labels is not None:
        classes = torch.from_numpy(_classes(labels, len(images), path)[:limit])
    return Images(pixels, names, sha256(path), classes)


def channels_first(images: NDArray[Any], source: str) -> NDArray[Any]:
    """View of an image array as (N, C, H, W).

    Parameters
    ----------
    images : array
        (N, H, W), (N, H, W, C) or (N, C, H, W), C = 1 or 3.
    source : str
        Where the array is from, for the error.

    Raises
    ------
    ValueError
        If the array is empty, or its shape fits none of the layouts or more than one: four axes
        with 1 or 3 both second and last, three axes with 1 or 3 last (a colour image without N?).
    """
    if images.size and images.ndim == 3 and images.shape[2] not in _CHANNELS:
        return images[:, None]
    if images.size and images.ndim == 4:
        first, last = (images.shape[axis] in _CHANNELS for axis in (1, 3))
        if first and not last:
            return images
        if last and not first:
            return np.moveaxis(images, 3, 1)
        if first and last:
            raise ValueError(
                f"{source}: images of shape {images.shape} could be channels first or last; "
                "a side of 1 or 3 pixels cannot be told from channels"
            )
    raise ValueError(f"{source}: images must be {_LAYOUTS}, got {images.shape}; reshape them")


def _load(path: Path) -> tuple[NDArray[Any], NDArray[Any] | None]:
    if not zipfile.is_zipfile(path):
        return read_npy(path), None
    arrays, keys = read_npz(path, ("images", "labels"))
    if "images" not in arrays:
        raise ValueError(
            f"{path} has no key 'images' (its keys: {', '.join(keys) or 'none'}); rename the array"
        )
    return arrays["images"], arrays.get("labels")


def _classes(labels: NDArray[Any], count: int, path: Path) -> NDArray[np.int64]:
    if labels.shape != (count,) or labels.dtype.kind not in "iu":
        raise ValueError(
            f"{path}: labels must be {count} integers, one per image, got {labels.dtype} of "
            f"shape {labels.shape}; correct or drop them"
        )
    if not 0 <= int(labels.min()) <= int(labels.max()) < _MOST_CLASSES:
        raise ValueError(
            f"{path}: labels must be classes numbered from 0, got {labels.min()} to "
            f"{labels.max()}; correct or drop them"
        )
    return labels.astype(np.int64)


def _pixels(images: NDArray[Any], path: Path) -> Tensor:
    if images.dtype == np.uint8:
        return torch.from_numpy(plain(images))
    if images.dtype.kind != "f":
        raise ValueError(
            f"{path}: images must be uint8 or float in [0, 1], got {images.dtype}; convert them"
        )
    return torch.from_numpy(unit_floats(images, path))
