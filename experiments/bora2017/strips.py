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

from experiments.bora2017 import plots
from experiments.rows import Row

# Inches: side of an image, room under it for its error, width of the names of the rows.
SIDE, UNDER, LABEL = 0.8, 0.2, 1.5


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


def draw_strips(rows: Iterable[Row], path: Path, label: Sequence[str] = ("method",)) -> None:
    """Draw every row that has pixels, with its error under it.

    Parameters
    ----------
    rows : iterable of dict
        With ``image``, ``per_pixel_error``, ``status`` and ``pixels``.
    path : Path
        File without suffix.
    label : sequence of str
        Columns that name a strip.
    """
    strips: dict[str, dict[str, Row]] = {}
    for row in rows:
        if row["pixels"]:
            name = "\n".join(str(row[column]) for column in label if row.get(column))
            strips.setdefault(name, {}).setdefault(str(row["image"]), row)
    columns = max(len(strip) for strip in strips.values())
    width, height = LABEL + columns * SIDE, len(strips) * (SIDE + UNDER)
    figure, _ = plots.new_figure(width=width, height=height)
    figure.clear()
    axes = figure.subplots(len(strips), columns, squeeze=False)
    for line, (name, strip) in zip(axes, strips.items(), strict=True):
        line[0].set_ylabel(name, rotation=0, ha="right", va="center", fontsize=7)
        for place in line:
            place.set(xticks=[], yticks=[])
        for place, row in zip(line, strip.values(), strict=False):
            place.imshow(decode(row["pixels"]), cmap="gray", vmin=0, vmax=255)
            if float(row["per_pixel_error"]) or row["status"]:  # not under an original
                place.set_xlabel(f"{float(row['per_pixel_error']):.4f}", fontsize=6, labelpad=1)
    plots.save(figure, path)
