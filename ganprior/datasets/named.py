"""Data sets that torchvision knows by name, read from a local folder and never fetched."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import numpy as np
import torch

from ganprior.datasets.arrays import channels_first
from ganprior.datasets.idx import holds_idx, read_idx_folder
from ganprior.datasets.images import Images
from ganprior.files import expand_user

# torchvision keeps these as idx files, which need no torchvision to be read.
_IDX = ("MNIST", "FashionMNIST", "KMNIST")
_BY_FLAG = ("CIFAR10", "CIFAR100")
_BY_SPLIT = ("SVHN", "STL10")
NAMES = (*_IDX, *_BY_FLAG, *_BY_SPLIT)


def read_named(name: str, split: str, limit: int | None = None) -> Images:
    """Images and labels of a torchvision data set.

    The root folder is that of torchvision's ``root`` argument: the environment variable
    ``GANPRIOR_DATA``, or ``~/.cache/ganprior/data`` without it. The SHA-256 is that of the
    unpacked idx file for MNIST, FashionMNIST and KMNIST, and of the pixels for the others.

    Raises
    ------
    ValueError
        If the data set is not in the root folder; the text says how to get it.
    """
    root = data_root()
    if name not in _IDX:
        return _read_torchvision(name, split, root, limit)
    if not holds_idx(root / name):
        raise ValueError(_absent(name, split, root))
    return read_idx_folder(root / name, split, limit)


def data_root() -> Path:
    """Folder in which data sets are looked up by name."""
    return expand_user(os.environ.get("GANPRIOR_DATA") or "~/.cache/ganprior/data")


def _read_torchvision(name: str, split: str, root: Path, limit: int | None) -> Images:
    # Imported here: it takes seconds, and files and folders do not need it.
    from torchvision import datasets as torchvision_datasets

    options = {"split": split} if name in _BY_SPLIT else {"train": split == "train"}
    try:
        dataset = getattr(torchvision_datasets, name)(root, download=False, **options)
    except (RuntimeError, OSError) as error:
        raise ValueError(_absent(name, split, root)) from error
    pixels = np.ascontiguousarray(channels_first(np.asarray(dataset.data), name)[:limit])
    classes = dataset.labels if name in _BY_SPLIT else dataset.targets
    return Images(
        torch.from_numpy(pixels),
        tuple(f"{name}-{split}[{i}]" for i in range(len(pixels))),
        hashlib.sha256(pixels.data).hexdigest(),
        torch.as_tensor(np.asarray(classes, dtype=np.int64)[:limit]),
    )


def _absent(name: str, split: str, root: Path) -> str:
    which = f"split='{split}'" if name in _BY_SPLIT else f"train={split == 'train'}"
    return (
        f"data set '{name}' ({split}) is not in {root}; set GANPRIOR_DATA to the folder that holds "
        'it, or fetch it: python -c "import torchvision; '
        f"torchvision.datasets.{name}('{root}', {which}, download=True)\""
    )
