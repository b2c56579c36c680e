"""Images in NumPy files: ``.npy``, or ``.npz`` with the key ``images`` (and ``labels``)."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ganprior.datasets.images import Images
from ganprior.files import sha256

_CHANNELS = (1, 3)
_LAYOUTS = "(N, H, W), (N, H, W, C) or (N, C, H, W) with C = 1 or 3"


def read_arrays(path: Path, limit: int | None = None) -> Images:
    """Images of one NumPy file; nothing pickled is ever loaded.

    Raises
    ------
    ValueError
        If the file is not NumPy's or is truncated, has no ``images``, or they are not uint8 or
        float in [0, 1] in one of the layouts that :func:`channels_first` accepts.
    """
    images, labels = _load(path)
    count = len(images) if images.ndim else 0
    if labels is not None and (labels.shape != (count,) or labels.dtype.kind not in "iu"):
        raise ValueError(
            f"{path}: labels must be {count} integers, one per image, got {labels.dtype} of "
            f"shape {labels.shape}; correct or drop them"
        )
    pixels = _pixels(channels_first(images, str(path))[:limit], path)
    names = tuple(f"{path.name}[{i}]" for i in range(len(pixels)))
    classes = None if labels is None else torch.from_numpy(labels[:limit].astype(np.int64))
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
    try:
        # Memory-mapped, so that a limit reads no more of a large .npy than it needs.
        content = np.load(path, mmap_mode="r", allow_pickle=False)
        if isinstance(content, np.ndarray):
            return content, None
        with content as archive:
            if "images" not in archive:
                keys = ", ".join(archive.files) or "none"
                raise KeyError(f"{path} has no key 'images' (its keys: {keys}); rename the array")
            labels = archive.get("labels")
            return np.asarray(archive["images"]), labels
    except KeyError as error:
        raise ValueError(error.args[0]) from None
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise ValueError(
            f"{path} cannot be read as NumPy arrays: not a NumPy file, truncated, or holding "
            "Python objects; save it again with numpy.save or numpy.savez"
        ) from error


def _pixels(images: NDArray[Any], path: Path) -> Tensor:
    if images.dtype == np.uint8:
        return torch.from_numpy(np.array(images, order="C"))
    if images.dtype.kind != "f":
        raise ValueError(
            f"{path}: images must be uint8 or float in [0, 1], got {images.dtype}; convert them"
        )
    low, high = float(images.min()), float(images.max())
    if not (np.isfinite(low) and np.isfinite(high)):
        raise ValueError(f"{path}: images hold NaN or infinite pixels; remove or replace them")
    if low < 0 or high > 1:
        raise ValueError(
            f"{path}: float images must lie in [0, 1], got {low:g} to {high:g}; rescale them"
        )
    return torch.from_numpy(np.array(images, dtype=np.float32, order="C"))
