"""Error on test images against images of the generator's range (Bora et al. 2017, section 6).

Claim: on images that the generator can draw the error keeps falling with m; on test images it
stops at the representation error, which therefore is what limits CSGM with many measurements.

    ganprior figure bora2017/range-images --preset paper
    GANPRIOR_DATA=FOLDER ganprior figure bora2017/range-images-faces --preset paper

Faces are photographs of UTKFace, which are not in the checkout: FOLDER holds ``utkface_64/test``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from experiments.bora2017 import comparison, plots
from experiments.bora2017.held_out import (
    FACES,
    STAND_INS,
    UTKFACE,
    held_out_block,
    range_images,
)
from experiments.bora2017.setting import (
    PAPER,
    compressed,
    cost_per_image,
    inputs_of,
    solved_rows,
)
from experiments.rows import Row
from experiments.sweep.cell import Cell, blocks
from experiments.sweep.figure import Figure, Tables

NAME = f"{PAPER}/range-images"
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


def cells(name: str, config: Config) -> list[Cell]:
    """Every m, kind of image, draw and block."""
    return list(_cells(name, config))


def _cells(name: str, config: Config) -> Iterator[Cell]:
    method = f"csgm {config.prior}"
    for m in config.measurements:
        for panel in (TEST, RANGE):
            for draw in range(config.draws):
                for first, last in blocks(config.images, config.block):
                    yield Cell(name, method, "m", m, panel, draw, first, last)


def rows(config: Config, cell: Cell) -> list[Row]:
    """Errors of CSGM on a block of images of one kind."""
    if cell.panel == RANGE:
        signals = range_images(config.prior, cell)
    else:
        signals = held_out_block(config.data, cell)
    found = compressed(signals, int(cell.value), config.noise_level, cell)
    return solved_rows(found, cell.method, config.effort, config.data)


def inputs(config: Config) -> dict[str, str]:
    """Hashes of images and prior."""
    return inputs_of(config.data, [config.prior])


def _errors(found: list[Row]) -> comparison.Errors:
    return comparison.errors_of({**row, "method": row["panel"]} for row in found)


def tables(found: list[Row]) -> Tables:
    """Mean and interval of both kinds of images per m."""
    return {"summary": comparison.summarise(_errors(found))}


def claims(enough: int, found: list[Row]) -> dict[str, bool]:
    """Images of the range: lower, and by more the more measurements there are."""
    errors = _errors(found)
    ratio = {
        m: errors[RANGE][m].mean() / errors[TEST][m].mean() for m in comparison.places_of(errors)
    }
    first, last = min(ratio), max(ratio)
    return {
        f"images of the generator are below test images from m = {enough} on": all(
            ratio[m] < 1 for m in ratio if m >= enough
        ),
        f"they are at less than a tenth at m = {last:g}": ratio[last] < 0.1,
        f"their share falls from m = {first:g} to m = {last:g}": ratio[last] < ratio[first],
    }


def cost(config: Config, cell: Cell) -> float:
    """Seconds of a cell."""
    return (cell.last - cell.first) * cost_per_image(cell.method, config.effort)


def headline(found: list[Row]) -> str:
    """Errors with the most measurements."""
    errors = _errors(found)
    m = max(comparison.places_of(errors))
    test, own = (errors[kind][m].mean() for kind in (TEST, RANGE))
    return f"m = {m:g}: {test:.4f} on {TEST}, {own:.2g} on {RANGE}"


def plot(n: int, found: list[Row], path: Path) -> None:
    """Both curves against m."""
    errors = _errors(found)
    figure, [axes] = plots.new_figure()
    plots.draw_curves(axes, errors)
    plots.finish(axes, comparison.places_of(errors), f"measurements m (n = {n:,})")
    plots.save(figure, path)


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


def _figure(
    name: str, n: int, enough: int, presets: dict[str, Config], differs: str, short: str = ""
) -> Figure:
    return Figure(
        name=name,
        presets=presets,
        cells=partial(cells, name),
        rows=rows,
        inputs=inputs,
        tables=tables,
        plot=partial(plot, n),
        claims=partial(claims, enough),
        cost=cost,
        headline=headline,
        on_gpu=True,
        published="test images level off, images of the generator go on falling",
        differs=differs,
        short=short,
    )


FIGURES = {
    figure.name: figure
    for figure in (
        _figure(
            NAME,
            784,
            100,
            {
                "paper": Config(),
                "smoke": Config(measurements=(25, 100, 750), images=6, draws=1, effort="smoke"),
            },
            "100 images of each kind; the paper has 1,000 of the generator",
        ),
        _figure(
            f"{NAME}-faces",
            12288,
            500,
            face_presets(),
            "UTKFace, standing in for CelebA; fewer images than the paper's 500 of the generator",
            "16 images of each kind, one draw of A, effort fast",
        ),
    )
}
