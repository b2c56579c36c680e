"""One image file of any common format as a tensor.

One rule decides how its numbers are read: what Pillow calls its mode.

=====================  ===================================================================
1, L, LA, La           gray, 8 bits
I;16 (and its orders)  gray, 16 bits; white is 2^b - 1 for a TIFF of b bits, else 65535
I                      the same, of PNG and PPM files, which Pillow scales to 65535; no other
F                      gray, floats in [0, 1]
all others             colour, 8 bits, as Pillow converts them to RGB
=====================  ===================================================================

Two things that Pillow's mode leaves out are looked up in the file: a 16-bit or float TIFF in which
0 is white is inverted, and 16-bit gray with alpha, which Pillow calls RGBA, is gray. What is
transparent is laid over white.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageFile
from PIL.ExifTags import Base as Tag
from torch import Tensor

from ganprior.datasets.floats import unit_floats
from ganprior.datasets.images import Images
from ganprior.image_files import load_image, one_line, open_image, read_file

_GRAY = ("1", "L", "LA", "La")
_DEEPEST = 2**16 - 1
# Pixels converted at a time.
_BAND = 2**22


def read_picture(path: Path) -> Images:
    """One image file as a set of one.

    Raises
    ------
    ValueError
        As :func:`decode`.
    """
    data = read_file(path)
    return Images(decode(data, path)[None], (path.name,), hashlib.sha256(data).hexdigest())


def decode(data: bytes, path: Path) -> Tensor:
    """Pixels of one encoded image, by the rule at the head of this module.

    Parameters
    ----------
    data : bytes
        Content of the file.
    path : Path
        Its path, for the error.

    Returns
    -------
    Tensor
        (C, H, W), C = 1 or 3: uint8, or float32 in [0, 1] where the file has one channel of more
        than 8 bits or of floats. The orientation that a camera noted is applied.

    Raises
    ------
    ValueError
        If the bytes are not an image, are damaged, hold several pages or frames, or numbers that
        the rule gives no meaning: 32-bit integers, floats outside [0, 1].
    """
    image = open_image(data, path)
    _check_transparency(image, path)
    if image.mode == "F" or image.mode.startswith("I"):
        return torch.from_numpy(_deep(image, path))[None]
    # Pillow has no mode for gray with alpha of 16 bits each.
    is_gray = image.mode in _GRAY or _png_raw_mode(image).startswith("LA")
    picture = load_image(image, path)
    with one_line(path):
        return torch.from_numpy(_shallow(picture, is_gray))


def _shallow(picture: Image.Image, is_gray: bool) -> NDArray[np.uint8]:
    """Pixels of 8 bits, (C, H, W), converted in bands: each step of it makes a copy."""
    pixels = np.empty((1 if is_gray else 3, picture.height, picture.width), np.uint8)
    rows = max(1, _BAND // picture.width)
    for top in range(0, picture.height, rows):
        bottom = min(top + rows, picture.height)
        band = np.asarray(_flat(picture.crop((0, top, picture.width, bottom)), is_gray))
        pixels[:, top:bottom] = band if is_gray else band.transpose(2, 0, 1)
    return pixels


def _flat(picture: Image.Image, is_gray: bool) -> Image.Image:
    """Drop transparency and reduce to mode L or RGB."""
    if picture.mode == "La":
        # Pillow converts premultiplied gray to nothing else.
        picture = picture.convert("LA")
    if picture.has_transparency_data:
        picture = picture.convert("RGBA")
        picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture)
    return picture.convert("L" if is_gray else "RGB")


def _deep(image: ImageFile.ImageFile, path: Path) -> NDArray[np.float32]:
    """Pixels of more than 8 bits as float32 in [0, 1], (H, W)."""
    white, is_inverted = _white(image, path)
    transparent = image.info.get("transparency")
    values = np.asarray(load_image(image, path))
    if image.mode == "F":
        pixels = unit_floats(values, path)
    else:
        if values.min() < 0 or values.max() > white:
            raise ValueError(
                f"{path} has pixels from {values.min()} to {values.max()}, outside 0 ... {white}; "
                "rescale it"
            )
        pixels = np.divide(values, white, dtype=np.float32)
    if is_inverted:
        np.subtract(1, pixels, out=pixels)
    if transparent is not None:
        pixels[values == transparent] = 1
    return pixels


def _white(image: ImageFile.ImageFile, path: Path) -> tuple[int, bool]:
    """Number that is white in 16-bit gray, and whether it and 0 change places."""
    if image.mode == "I" and image.format not in ("PNG", "PPM"):
        raise ValueError(
            f"{path} has 32-bit or signed integers, of which none is known to be white; save it "
            "with 16 unsigned bits or as floats in [0, 1]"
        )
    tags = getattr(image, "tag_v2", None)
    if tags is None:
        return _DEEPEST, False
    bits = tags.get(Tag.BitsPerSample, (16,))[0]
    white = 2**bits - 1
    # A number that all ones make says how many of the bits the camera has; others are statistics,
    # "not to be used to affect the visual appearance" (TIFF 6.0, section 8).
    most = tags.get(Tag.MaxSampleValue, (white,))[0]
    if 255 < most < white and most & (most + 1) == 0:
        white = most
    return white, tags.get(Tag.PhotometricInterpretation) == 0


def _check_transparency(image: ImageFile.ImageFile, path: Path) -> None:
    """Refuse one transparent colour that is given in other units than Pillow gives the pixels."""
    raw = _png_raw_mode(image)
    if "transparency" in image.info and raw in ("L;2", "L;4", "RGB;16B"):
        raise ValueError(
            f"{path} has one transparent colour beside {raw} pixels, which Pillow cannot find "
            "among them; save it with an alpha channel"
        )


def _png_raw_mode(image: ImageFile.ImageFile) -> str:
    """How a PNG file stores its pixels, in Pillow's words; empty for other files."""
    return str(image.tile[0][3]) if image.format == "PNG" and image.tile else ""
