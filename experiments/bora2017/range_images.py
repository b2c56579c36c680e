"""Error on test images against images of the generator's range (Bora et al. 2017, section 6).

Claim: on images that the generator can draw the error keeps falling with m; on test images it
stops at the representation error, which therefore is what limits CSGM with many measurements.

    ganprior figure bora2017/range-images --preset paper
    GANPRIOR_DATA=FOLDER ganprior figure bora2017/range-images-faces --preset paper

Faces are photographs of UTKFace, which are not in the checkout: FOLDER holds ``utkface_64/test``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from experiments.bora2017.setting import compressed, inputs_of, solved_rows
from experiments.comparison import errors_of, means_of
from experiments.images import FACES, STAND_INS, UTKFACE, held_out_block, range_images
from experiments.rows import Row
from experiments.sweep.figure import declare
from ganprior.jobs import Cell, grid

TEST, RANGE = "test images", "images of the generator"


@dataclass(frozen=True)
class Config:
    """What is run; the presets are below."""

    data: str = "MNIST"
    prior: str = "mnist"
    measurements: tuple[int, ...] = (10, 25, 50, 100, 200, 400, 750)
    noise_level: float = 0.1  # sqrt(m) noise_std
    images: int = 100
    draws: int = 3
    block: int = 50
    effort: str = "balanced"


def cells(config: Config) -> list[Cell]:
    """Every kind of image, m, draw and block."""
    return grid(
        [f"csgm {config.prior}"],
        "m",
        config.measurements,
        panels=(TEST, RANGE),
        draws=config.draws,
        images=config.images,
        block=config.block,
    )


def rows(config: Config, cell: Cell) -> list[Row]:
    """Errors of CSGM on a block of images of one kind."""
    own = cell.panel == RANGE
    signals = range_images(config.prior, cell) if own else held_out_block(config.data, cell)
    found = compressed(signals, int(cell.number), config.noise_level, cell)
    return solved_rows(found, cell.method, config.effort, config.data)


def claims(enough: int, found: list[Row]) -> dict[str, bool]:
    """Images of the range: lower, and by more the more measurements there are."""
    mean = means_of(errors_of(found, across="panel"))
    ratio = {m: mean[RANGE][m] / error for m, error in mean[TEST].items()}
    first, last = min(ratio), max(ratio)
    return {
        f"images of the generator are below test images from m = {enough} on": all(
            ratio[m] < 1 for m in ratio if m >= enough
        ),
        f"they are at less than a tenth at m = {last:g}": ratio[last] < 0.1,
        f"their share falls from m = {first:g} to m = {last:g}": ratio[last] < ratio[first],
    }


def headline(found: list[Row]) -> str:
    """Errors with the most measurements."""
    mean = means_of(errors_of(found, across="panel"))
    m = max(mean[TEST])
    return f"m = {m:g}: {mean[TEST][m]:.4f} on {TEST}, {mean[RANGE][m]:.2g} on {RANGE}"


def face_presets() -> dict[str, Config]:
    """Presets at 64 x 64 in colour; the smoke preset needs no photograph."""
    paper = Config(UTKFACE, FACES, (20, 50, 100, 200, 500, 1000, 2500), noise_level=0.005)
    short = replace(
        paper,
        measurements=(50, 200, 500, 1000, 2500),
        images=16,
        draws=1,
        block=16,
        effort="fast",
    )
    smoke = replace(short, data=STAND_INS, measurements=(50, 1000), images=1, effort="smoke")
    return {"paper": paper, "short": short, "smoke": smoke}


SMOKE = Config(measurements=(25, 100, 750), images=6, draws=1, effort="smoke")
SHARED: dict[str, Any] = {
    "inputs": inputs_of,
    "across": "panel",
    "on_gpu": True,
    "published": "test images level off, images of the generator go on falling",
}
declare(
    __name__,
    "bora2017/range-images",
    "on images of the generator the error falls on; on test images it levels off",
    paper=Config(),
    smoke=SMOKE,
    claims=partial(claims, 100),
    differs="100 images of each kind; the paper has 1,000 of the generator",
    **SHARED,
)
declare(
    __name__,
    "bora2017/range-images-faces",
    "the same for faces, 64 x 64 in colour",
    **face_presets(),
    claims=partial(claims, 500),
    differs="UTKFace, standing in for CelebA; fewer images than the paper's 500 of the generator",
    reduced="16 images of each kind, one draw of A, effort fast",
    **SHARED,
)
