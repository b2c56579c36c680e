"""What a run writes for its user to look at: losses as CSV, sheets of samples."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import numpy as np
from PIL import Image
from torch import Tensor

from ganprior.files import write_atomically

COLUMNS = ("step", "discriminator_loss", "generator_loss")


class LossLog:
    """Losses of every step in ``losses.csv``.

    Parameters
    ----------
    path : Path
        The CSV file; rows up to ``step`` are kept, later ones belong to a future that a resumed
        run takes again.
    step : int
        Step that the run starts from.
    """

    def __init__(self, path: Path, step: int) -> None:
        rows: list[list[str]] = []
        if step and path.exists():
            with path.open(newline="") as file:
                rows = [row for row in list(csv.reader(file))[1:] if int(row[0]) <= step]
        text = io.StringIO()
        csv.writer(text).writerows([COLUMNS, *rows])
        write_atomically(path, lambda temporary: _write_text(temporary, text.getvalue()))
        self._file = path.open("a", newline="")
        self._writer = csv.writer(self._file)

    def add(self, step: int, discriminator_loss: float, generator_loss: float) -> None:
        """Append a row."""
        self._writer.writerow([step, f"{discriminator_loss:.6g}", f"{generator_loss:.6g}"])

    def flush(self) -> None:
        """Bring the rows to disk."""
        self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def contact_sheet(images: Tensor, columns: int, *, gap: int = 2, zoom: int = 1) -> Image.Image:
    """Images in a grid, row by row.

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
    """
    pixels = (images.detach().float().cpu().clamp(0, 1) * 255).round().byte()
    tiles = pixels.permute(0, 2, 3, 1).numpy().repeat(zoom, 1).repeat(zoom, 2)
    count, height, width, channels = tiles.shape
    rows = -(-count // columns)
    shape = (rows * (height + gap) + gap, columns * (width + gap) + gap, channels)
    sheet = np.full(shape, 255, np.uint8)
    for i, tile in enumerate(tiles):
        top = gap + (i // columns) * (height + gap)
        left = gap + (i % columns) * (width + gap)
        sheet[top : top + height, left : left + width] = tile
    return Image.fromarray(sheet.squeeze(-1) if channels == 1 else sheet)


def save_sheet(path: Path, images: Tensor, columns: int, *, zoom: int = 1) -> None:
    """Write :func:`contact_sheet` as PNG.

    Raises
    ------
    ValueError
        If the file cannot be written.
    """
    sheet = contact_sheet(images, columns, zoom=zoom)
    write_atomically(path, lambda temporary: sheet.save(temporary, format="PNG"))


def _write_text(path: Path, text: str) -> None:
    path.write_text(text)
