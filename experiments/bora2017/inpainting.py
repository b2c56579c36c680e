"""Inpainting of a centre block by compressed sensing with a mask for A (Bora et al. 2017).

Claim: CSGM fills the block with what belongs there, nearer to the image than the Lassos, which
hardly see that it is missing.

    ganprior figure bora2017/inpainting --preset paper
    ganprior figure bora2017/inpainting-faces --preset paper

The experiments on Yeh et al. (2017), in ``experiments/yeh2017``, have more holes and methods made
for them.
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
from ganprior import inpainting
from ganprior.physics import masks

NAME = "inpainting"
AXIS = "missing"


def rows(config: Config, cell: Cell) -> list[Row]:
    """Errors of a method on a block of images."""
    _, x = held_out_block(config.data, cell)
    channels, height, width = x.shape[1:]
    physics = inpainting(
        masks.center((channels, height, width), cell.value), (channels, height, width)
    )
    return damaged_rows(config, cell, physics, physics.A(x))


def claims(found: list[Row]) -> dict[str, bool]:
    """CSGM is the nearest for every hole."""
    errors = errors_of(found, AXIS)
    return {
        f"CSGM is below all others with {place:.0%} missing": below_all(errors, place)
        for place in comparison.places_of(errors)
    }


def label(fraction: float) -> str:
    """Fraction in words."""
    return f"{fraction:.0%} missing"


FIGURES = {
    figure.name: figure
    for figure in (
        damaged_figure(
            NAME,
            AXIS,
            label,
            presets={
                "paper": Config(values=(0.1, 0.25)),
                "smoke": Config(values=(0.25,), images=6, shown=4, effort="smoke"),
            },
            rows=rows,
            claims=claims,
            published="images to look at: CSGM fills the block of a face",
            differs="digits; errors over the whole image are given too",
        ),
        damaged_figure(
            f"{NAME}-faces",
            AXIS,
            label,
            presets=face_presets((0.1, 0.25), 0.25),
            rows=rows,
            claims=claims,
            published="images to look at: CSGM fills the block of a face",
            differs="no photograph: a portrait and images of the generator, which it can draw "
            "exactly; with 10% missing the wavelet Lasso is nearer to the portrait",
        ),
    )
}
