"""Grids of images that a CSV file can hold: a method per row, an image per column."""

from __future__ import annotations

import base64
import math
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from experiments import plots
from experiments.rows import Row

# Methods that reconstruct nothing: the image itself, which has no error, and its measurements.
ORIGINAL, GIVEN = "original", "given"
# Inches: side of an image, room under it for its error, width of the names of the rows.
SIDE, UNDER, LABEL = 0.8, 0.2, 1.5
# What the numbers below images are, by their column.
NUMBERS = {
    "per_pixel_error": "its per-pixel squared error",
    "psnr": "its PSNR in dB",
    "ssim": "its SSIM",
}


def encode(image: Tensor) -> str:
    """Pixels of an image (C, H, W) in [0, 1], rounded to 8 bits, as text."""
    pixels = (image.detach().nan_to_num().clamp(0, 1) * 255).round().to(torch.uint8).cpu().numpy()
    return base64.b85encode(zlib.compress(pixels.tobytes(), 9)).decode("ascii")


def decode(text: str) -> np.ndarray:
    """Pixels of the text of a square image, uint8: (side, side), or (side, side, 3) of colour."""
    pixels = np.frombuffer(zlib.decompress(base64.b85decode(text)), np.uint8)
    # Three times a square is none: the number of values tells gray from colour.
    side = math.isqrt(len(pixels))
    if side * side == len(pixels):
        return pixels.reshape(side, side)
    side = math.isqrt(len(pixels) // 3)
    return pixels.reshape(3, side, side).transpose(1, 2, 0)


def with_pixels(rows: list[Row], images: Tensor, shown: int) -> list[Row]:
    """Rows with a column ``pixels``, filled for the images that a grid shows."""
    texts = [encode(image) if i < shown else "" for i, image in enumerate(images)]
    return [{**row, "pixels": text} for row, text in zip(rows, texts, strict=True)]


def draw_strips(
    rows: Iterable[Row],
    path: Path,
    label: Sequence[str] = ("method",),
    across: str = "image",
    under: str = "per_pixel_error",
) -> None:
    """Draw every row that has pixels, with its error under it.

    Parameters
    ----------
    rows : iterable of dict
        With the columns named here and ``pixels``.
    path : Path
        File without suffix.
    label : sequence of str
        Columns that name a strip.
    across : str
        Column that tells the images of a strip apart; its values stand above where it is no name of
        an image.
    under : str
        Column of the number under an image; an original has none.
    """
    strips: dict[tuple[str, str], dict[str, Row]] = {}
    for row in rows:
        if row["pixels"]:
            name = "\n".join(str(row[column]) for column in label if row.get(column))
            own = "" if across == "image" else str(row["image"])
            strips.setdefault((name, own), {}).setdefault(str(row[across]), row)
    if not strips:
        return  # rows that are older than their pixels
    columns = list(dict.fromkeys(name for strip in strips.values() for name in strip))
    above = 0 if across == "image" else 2 * UNDER
    width, height = LABEL + len(columns) * SIDE, above + len(strips) * (SIDE + UNDER)
    figure, _ = plots.new_figure(width=width, height=height)
    figure.clear()
    axes = figure.subplots(len(strips), len(columns), squeeze=False)
    for line, ((name, _), strip) in zip(axes, strips.items(), strict=True):
        line[0].set_ylabel(name, rotation=0, ha="right", va="center", fontsize=7)
        for place, column in zip(line, columns, strict=True):
            place.set(xticks=[], yticks=[])
            if column in strip:
                place.imshow(decode(strip[column]["pixels"]), cmap="gray", vmin=0, vmax=255)
                place.set_xlabel(_short(strip[column][under]), fontsize=6, labelpad=1)
    if above:
        for place, column in zip(axes[0], columns, strict=True):
            place.set_title(column.replace(" ", "\n"), fontsize=7)
    figure.supxlabel(f"below each image: {NUMBERS[under]}", fontsize=7)
    plots.save(figure, path)


def _short(number: object) -> str:
    return "" if number == "" else f"{float(str(number)):.4g}"
