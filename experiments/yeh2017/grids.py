"""Figures in the layout of Yeh et al. (2017): an image per row, a method per column."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from ganprior.files import write_atomically

# Brightness of a hidden pixel in the column of what is given.
HIDDEN = 0.5
# Inches: side of an image, room above for the names of the columns, beside for those of the rows.
SIDE, ABOVE, BESIDE = 0.75, 0.45, 0.75


@dataclass(frozen=True)
class Block:
    """Rows of one kind: images (N, C, H, W), masks (N, 1, H, W), and filled images by column."""

    label: str
    x: Tensor
    mask: Tensor
    images: dict[str, Tensor]


def draw_grid(path: Path, blocks: list[Block], rows: int = 4) -> None:
    """Draw the first images of every block: original, what is given, and every method's.

    Parameters
    ----------
    path : Path
        PNG file to write.
    blocks : list of Block
        All with the same columns.
    rows : int
        Images of each block.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    strips = [(block, i) for block in blocks for i in range(min(rows, len(block.x)))]
    titles = ["original", "given", *blocks[0].images]
    width, height = BESIDE + SIDE * len(titles), ABOVE + SIDE * len(strips)
    figure = Figure(figsize=(width, height), dpi=110)
    FigureCanvasAgg(figure)
    axes = figure.subplots(
        len(strips),
        len(titles),
        squeeze=False,
        gridspec_kw={
            "left": BESIDE / width,
            "right": 1,
            "top": 1 - ABOVE / height,
            "bottom": 0,
            "wspace": 0.04,
            "hspace": 0.04,
        },
    )
    for line, (block, i) in zip(axes, strips, strict=True):
        given = block.x[i].where(block.mask[i] > 0, HIDDEN)
        shown = [block.x[i], given, *(images[i] for images in block.images.values())]
        for place, image in zip(line, shown, strict=True):
            pixels = image.clamp(0, 1).permute(1, 2, 0).numpy()
            place.imshow(pixels, cmap="gray", vmin=0, vmax=1)
            place.set_xticks([])
            place.set_yticks([])
        if i == 0:
            line[0].set_ylabel(block.label, fontsize=8)
    for place, title in zip(axes[0], titles, strict=True):
        place.set_title(title.replace(" ", "\n"), fontsize=8, pad=3)
    write_atomically(path, lambda temporary: figure.savefig(temporary))
