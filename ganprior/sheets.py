"""Contact sheets: many small images as one PNG."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from ganprior.files import write_atomically

# Screen pixels that the side of a small image is zoomed to.
_SHOWN = 64
# Size of the letters beside rows.
_LETTERS = 12


def contact_sheet(
    images: Tensor, columns: int, *, gap: int = 2, zoom: int = 1, rows: Sequence[str] = ()
) -> Image.Image:
    """Images in a grid, row by row, on white.

    Parameters
    ----------
    images : Tensor
        (N, C, H, W) in [0, 1], C = 1 or 3; values outside are clipped.
    columns : int
        Images per row.
    gap : int
        Pixels between images.
    zoom : int
        Size of one image pixel on the sheet.
    rows : sequence of str
        What the rows are, written to the right of them.

    Raises
    ------
    ValueError
        If there is no image, ``columns`` is below 1, or C is neither 1 nor 3.
    """
    if images.dim() != 4 or images.shape[1] not in (1, 3):
        raise ValueError(
            f"a sheet shows (N, 1, H, W) or (N, 3, H, W) images, got {tuple(images.shape)}"
        )
    if columns < 1 or not len(images):
        raise ValueError(
            f"a sheet needs at least 1 image and 1 column, got {len(images)} and {columns}"
        )
    pixels = (images.detach().float().cpu().clamp(0, 1) * 255).round().byte()
    tiles = pixels.permute(0, 2, 3, 1).numpy().repeat(zoom, 1).repeat(zoom, 2)
    count, height, width, channels = tiles.shape
    lines = -(-count // columns)
    shape = (lines * (height + gap) + gap, columns * (width + gap) + gap, channels)
    sheet = np.full(shape, 255, np.uint8)
    for i, tile in enumerate(tiles):
        top = gap + (i // columns) * (height + gap)
        left = gap + (i % columns) * (width + gap)
        sheet[top : top + height, left : left + width] = tile
    drawn = Image.fromarray(sheet.squeeze(-1) if channels == 1 else sheet)
    return _labelled(drawn, rows, height + gap) if rows else drawn


def _labelled(sheet: Image.Image, rows: Sequence[str], step: int) -> Image.Image:
    """Widen a sheet by the names of its rows, ``step`` pixels apart."""
    font = ImageFont.load_default(_LETTERS)
    width = round(max(font.getlength(text) for text in rows)) + _LETTERS
    whole = Image.new(sheet.mode, (sheet.width + width, sheet.height), "white")
    whole.paste(sheet)
    pen = ImageDraw.Draw(whole)
    for i, text in enumerate(rows):
        middle = (sheet.width + _LETTERS // 2, i * step + step // 2)
        pen.text(middle, text, fill="black", font=font, anchor="lm")
    return whole


def sheet_png(images: Tensor, columns: int = 10, *, most: int = 20) -> bytes:
    """PNG file of a sheet of the first images, zoomed, as notebooks show it.

    Parameters
    ----------
    images : Tensor
        As for :func:`contact_sheet`.
    columns : int
        Images per row at most.
    most : int
        Images at most.
    """
    shown = images[:most].nan_to_num()
    zoom = max(1, _SHOWN // max(images.shape[2:]))
    sheet = contact_sheet(shown, min(columns, len(shown)), zoom=zoom)
    file = io.BytesIO()
    sheet.save(file, format="PNG")
    return file.getvalue()


def save_sheet(
    path: Path, images: Tensor, columns: int, *, zoom: int = 1, rows: Sequence[str] = ()
) -> None:
    """Write :func:`contact_sheet` as PNG.

    Raises
    ------
    ValueError
        If there is nothing to draw or the file cannot be written.
    """
    sheet = contact_sheet(images, columns, zoom=zoom, rows=rows)
    write_atomically(path, lambda temporary: sheet.save(temporary, format="PNG"))
