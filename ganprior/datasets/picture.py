"""One image file of any common format as a tensor."""

from __future__ import annotations

import hashlib
import io
import struct
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Tensor

from ganprior.datasets.images import Images

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp", ".pgm", ".ppm")
# What Pillow raises for files that are broken in one way or another.
_BROKEN = (OSError, SyntaxError, ValueError, EOFError, struct.error, Image.DecompressionBombError)


def read_picture(path: Path) -> Images:
    """One image file as a set of one.

    Raises
    ------
    ValueError
        If the file is not an image, is truncated, or has pixels outside its range.
    """
    data = path.read_bytes()
    return Images(decode(data, path)[None], (path.name,), hashlib.sha256(data).hexdigest())


def decode(data: bytes, path: Path) -> Tensor:
    """Pixels of one encoded image.

    Gray stays gray and everything else becomes RGB. Transparent pixels are laid over white, the
    orientation that a camera noted is applied, and of an animation the first frame counts.

    Parameters
    ----------
    data : bytes
        Content of the file.
    path : Path
        Its path, for the error.

    Returns
    -------
    Tensor
        (C, H, W), C = 1 or 3: uint8, or float32 in [0, 1] where the file has one channel of 16
        bits (65535 becomes 1) or of floats.

    Raises
    ------
    ValueError
        If the bytes are not an image, are truncated, or have pixels outside the range.
    """
    try:
        with Image.open(io.BytesIO(data)) as image:
            picture = ImageOps.exif_transpose(image)
            picture.load()
    except _BROKEN as error:
        reason = "not an image" if isinstance(error, UnidentifiedImageError) else str(error)
        raise ValueError(f"{path} cannot be read as an image ({reason}); replace it") from error
    if picture.mode.startswith("I") or picture.mode == "F":
        return _deep(picture, path)
    pixels = torch.from_numpy(np.array(_flat(picture)))
    return pixels[None] if pixels.ndim == 2 else pixels.permute(2, 0, 1).contiguous()


def _flat(picture: Image.Image) -> Image.Image:
    """Drop transparency and reduce to mode L or RGB."""
    mode = "L" if picture.mode in ("1", "L", "LA", "La") else "RGB"
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        white = Image.new("RGBA", picture.size, "white")
        picture = Image.alpha_composite(white, picture)
    return picture.convert(mode)


def _deep(picture: Image.Image, path: Path) -> Tensor:
    """Pixels of a picture with more than 8 bits: integers of 16 bits, or floats in [0, 1]."""
    values = np.array(picture, dtype=np.float64)
    top, words = (1, "[0, 1] (floats)") if picture.mode == "F" else (65535, "0 ... 65535")
    if not (values.min() >= 0 and values.max() <= top):
        raise ValueError(
            f"{path} has pixels from {values.min():g} to {values.max():g}, outside {words}; "
            "rescale it"
        )
    return torch.from_numpy((values / top).astype(np.float32))[None]
