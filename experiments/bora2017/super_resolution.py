"""Super-resolution: images from means of blocks of 2 x 2 and 4 x 4 pixels (Bora et al. 2017).

Claim: from a sixteenth of the pixels CSGM is nearer to the image than the Lassos and the blocks
themselves.

    ganprior figure bora2017/super-resolution --preset paper
    ganprior figure bora2017/super-resolution-faces --preset paper
"""

from __future__ import annotations

from experiments.bora2017 import comparison
from experiments.bora2017.damaged import (
    Config,
    below_all,
    damaged_figure,
    damaged_rows,
    errors_of,
    face_presets,
)
from experiments.bora2017.held_out import held_out_block
from experiments.rows import Row
from experiments.sweep.cell import Cell
from ganprior import downsampling

NAME = "super-resolution"
AXIS = "factor"


def rows(config: Config, cell: Cell) -> list[Row]:
    """Errors of a method on a block of images."""
    factor = int(cell.value)
    _, x = held_out_block(config.data, cell)
    channels, height, width = x.shape[1:]
    physics = downsampling((channels, height, width), factor)
    given = physics.A(x).repeat_interleave(factor, -1).repeat_interleave(factor, -2)
    return damaged_rows(config, cell, physics, given)


def claims(found: list[Row]) -> dict[str, bool]:
    """CSGM is the nearest at the largest factor."""
    errors = errors_of(found, AXIS)
    most = max(comparison.places_of(errors))
    return {f"CSGM is below all others at x{most:g}": below_all(errors, most)}


def label(factor: float) -> str:
    """Factor in words."""
    return f"x{factor:g}"


FIGURES = {
    figure.name: figure
    for figure in (
        damaged_figure(
            NAME,
            AXIS,
            label,
            presets={
                "paper": Config(values=(2, 4)),
                "smoke": Config(values=(4,), images=6, shown=4, effort="smoke"),
            },
            rows=rows,
            claims=claims,
            published="images to look at: CSGM draws sharp digits from 7 x 7 pixels",
            differs="digits, no noise; errors are given too",
        ),
        damaged_figure(
            f"{NAME}-faces",
            AXIS,
            label,
            presets=face_presets((2, 4), 4),
            rows=rows,
            claims=claims,
            published="images to look at",
            differs="no photograph: a portrait and images of the generator, which it can draw "
            "exactly; the DCT Lasso is nearer to the portrait",
        ),
    )
}
