"""Masks that are drawn: letters over the image, and pictures of masks from a paint program."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from ganprior.image_files import load_image, one_line, open_image, read_file
from ganprior.physics.arguments import checked_img_size
from ganprior.registry import Text, register

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from PIL import Image

# Lines of text in an image, where letters do not become smaller than can be drawn.
_LINES = 5
_SMALLEST_LETTER = 8


@register(
    "mask",
    "text",
    "the letters of a text, again and again",
    Text("text", "the words", argument="words", example="WORDS", default="semantic inpainting"),
)
def text(img_size: Sequence[int], words: str = "semantic inpainting") -> Tensor:
    """Hide the letters of a text that is written over the whole image, again and again.

    Parameters
    ----------
    img_size : sequence of int
        (C, H, W) of the images.
    words : str
        The text; Pillow's own font has Latin letters.

    Returns
    -------
    Tensor
        Mask, float32 (1, H, W).

    Raises
    ------
    ValueError
        If nothing of the text can be seen.
    """
    from PIL import Image, ImageDraw, ImageFont

    _, height, width = checked_img_size(img_size)
    size = max(_SMALLEST_LETTER, round(height / (1.5 * _LINES)))
    font = ImageFont.load_default(size)
    canvas = Image.new("1", (width, height), 1)
    pen = ImageDraw.Draw(canvas)
    pen.fontmode = "1"  # No gray edges.
    length = max(1.0, pen.textlength(words + " ", font))
    line = (words + " ") * (2 + int(width / length))
    for number, top in enumerate(range(0, height, round(1.5 * size))):
        # Every second line sets in half a text later, or the letters would stand in columns.
        pen.text((-(number % 2) * length / 2, top), line, fill=0, font=font)
    return _as_mask(~np.array(canvas), f"text {words!r}")


def freehand(
    path: str | Path,
    img_size: Sequence[int] | None = None,
    *,
    inverted: bool = False,
    threshold: float | None = None,
) -> Tensor:
    """Read a mask that was painted: what is white, or else transparent, is hidden.

    Parameters
    ----------
    path : str or Path
        An image file that keeps its pixels, such as PNG. Where anything in it is transparent its
        opacity is the mask and its colours are not looked at; otherwise its brightness is.
    img_size : sequence of int, optional
        (C, H, W) of the images; the mask must be of that size.
    inverted : bool
        Hide what is black, or opaque, instead.
    threshold : float, optional
        In (0, 1]: brightness (or transparency) from which on a pixel counts as white (or
        transparent). Without it a pixel that is neither black nor white is an error.

    Returns
    -------
    Tensor
        Mask, float32 (1, H, W): 1 where a pixel is known.

    Raises
    ------
    ValueError
        If the file cannot be read, has another size, has pixels between black and white without
        a ``threshold``, or hides all pixels or none.
    """
    if threshold is not None and not 0 < threshold <= 1:
        raise ValueError(f"threshold must be above 0 and at most 1, got {threshold}")
    codes, level = _levels(_opened(path, img_size), path)
    between = int(((codes > 0) & (codes < 255)).sum())
    if threshold is None and between:
        raise ValueError(
            f"{path} is not binary: {between} of {codes.size} pixels are between black and white "
            "or half transparent; give a threshold, such as 0.5"
        )
    hidden = (level >= (1 if threshold is None else threshold))[codes]
    return _as_mask(~hidden if inverted else hidden, str(path))


def _opened(path: str | Path, img_size: Sequence[int] | None) -> Image.Image:
    try:
        image = open_image(read_file(Path(path)), path)
    except OSError as error:
        raise ValueError(
            f"cannot read the mask {path}: {error.strerror or error}; give a PNG file"
        ) from error
    # Before the pixels, of which there may be many, are decoded; a camera may have been turned.
    if img_size is not None:
        height, width = checked_img_size(img_size)[1:]
        if image.size not in ((width, height), (height, width)):
            raise _another_size(path, image, (height, width))
    picture = load_image(image, path)
    if img_size is not None and picture.size != (width, height):
        raise _another_size(path, picture, (height, width))
    return picture


def _another_size(path: str | Path, image: Image.Image, wanted: tuple[int, int]) -> ValueError:
    return ValueError(
        f"{path} is {image.height} x {image.width} (height x width), the images are "
        f"{wanted[0]} x {wanted[1]}; resize it"
    )


def _levels(
    picture: Image.Image, path: str | Path
) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """How much a pixel is hidden, by its transparency where there is any, else its brightness.

    Codes of the pixels, and what each of the 256 codes means, 0 to 1.
    """
    if picture.mode.startswith(("I", "F")):
        raise ValueError(f"{path} has more than 8 bits per pixel; save the mask with 8")
    level = np.arange(256) / 255
    with one_line(path):
        if picture.mode == "La":
            # Pillow converts premultiplied gray to nothing else.
            picture = picture.convert("LA")
        if picture.has_transparency_data:
            opacity = np.array(picture.convert("RGBA").getchannel("A"))
            if (opacity < 255).any():
                return opacity, 1 - level
        return np.array(picture.convert("L")), level


def _as_mask(hidden: NDArray[np.bool_], whose: str) -> Tensor:
    if hidden.all() or not hidden.any():
        raise ValueError(
            f"{whose} hides {'all pixels' if hidden.all() else 'no pixel'} of the image; a mask "
            "must hide some and leave some"
        )
    return torch.from_numpy(~hidden).float()[None]
