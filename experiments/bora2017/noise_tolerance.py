"""Error against the noise of the measurements (Bora et al. 2017, section 6).

Claim: up to a noise level of 1, ten times that of the other figures, CSGM stays below every Lasso
at m = 100, and its error hardly grows.

    ganprior figure bora2017/noise-tolerance --preset paper

The noise level is the paper's: the standard deviation of the noise where A has N(0, 1) entries.
Lambda and alpha follow the noise by the tables that were tuned on other images.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from experiments.bora2017 import comparison, plots
from experiments.bora2017.held_out import held_out_block
from experiments.bora2017.panels import panels_of, summarise_panels
from experiments.bora2017.setting import (
    LASSOS,
    PAPER,
    compressed,
    cost_per_image,
    inputs_of,
    solved_rows,
)
from experiments.rows import Row
from experiments.sweep.cell import Cell, blocks
from experiments.sweep.figure import Figure, Tables

NAME = f"{PAPER}/noise-tolerance"
AXIS = "noise_level"


@dataclass(frozen=True)
class Config:
    """What is run; the presets are below."""

    data: str = "MNIST"
    prior: str = "mnist"
    measurements: tuple[int, ...] = (100, 500)
    noise_levels: tuple[float, ...] = (0.01, 0.1, 1, 2, 5, 10, 20, 50)  # sqrt(m) noise_std
    images: int = 100
    draws: int = 3
    block: int = 50
    effort: str = "balanced"


def cells(config: Config) -> list[Cell]:
    """Every m, noise level, method, draw and block."""
    return list(_cells(config))


def _cells(config: Config) -> Iterator[Cell]:
    for m in config.measurements:
        for level in config.noise_levels:
            for method in (f"csgm {config.prior}", *LASSOS):
                for draw in range(config.draws):
                    for first, last in blocks(config.images, config.block):
                        yield Cell(NAME, method, AXIS, level, f"m = {m}", draw, first, last)


def rows(config: Config, cell: Cell) -> list[Row]:
    """Errors of a method on a block of images."""
    m = int(cell.panel.removeprefix("m = "))
    found = compressed(held_out_block(config.data, cell), m, cell.value, cell)
    return solved_rows(found, cell.method, config.effort, config.data)


def inputs(config: Config) -> dict[str, str]:
    """Hashes of images and prior."""
    return inputs_of(config.data, [config.prior])


def tables(found: list[Row]) -> Tables:
    """Mean and interval per m, noise level and method."""
    return {"summary": summarise_panels(found, AXIS)}


def claims(found: list[Row]) -> dict[str, bool]:
    """At the first m: below every Lasso up to a level of 1, and nearly flat there."""
    panel, own = next(iter(panels_of(found).items()))
    errors = comparison.errors_of(own, AXIS)
    mean = {name: {at: v.mean() for at, v in values.items()} for name, values in errors.items()}
    ours = next(values for name, values in mean.items() if name.startswith("csgm"))
    low = [level for level in ours if level <= 1]
    return {
        f"{panel}: CSGM is below every Lasso up to a noise level of 1": all(
            ours[level] < mean[name][level] for name in LASSOS for level in low
        ),
        f"{panel}: its error at 1 is less than twice that without much noise": ours[max(low)]
        < 2 * ours[min(low)],
        f"{panel}: and noise of {max(ours):g} spoils it": ours[max(ours)] > 2 * ours[min(low)],
    }


def cost(config: Config, cell: Cell) -> float:
    """Seconds of a cell."""
    return (cell.last - cell.first) * cost_per_image(cell.method, config.effort)


def headline(found: list[Row]) -> str:
    """Errors of CSGM and of the best Lasso per noise level, at every m."""
    told = []
    for panel, own in panels_of(found).items():
        errors = comparison.errors_of(own, AXIS)
        ours = next(values for name, values in errors.items() if name.startswith("csgm"))
        shown = []
        for level, values in sorted(ours.items()):
            best = min(errors[name][level].mean() for name in LASSOS)
            shown.append(f"{values.mean():.4f} / {best:.4f} at {level:g}")
        told.append(f"{panel}, CSGM / best Lasso: {', '.join(shown)}")
    return "; ".join(told)


def plot(found: list[Row], path: Path) -> None:
    """A panel per m."""
    parts = panels_of(found)
    figure, panels = plots.new_figure(len(parts), width=4.8)
    for axes, (panel, own) in zip(panels, parts.items(), strict=True):
        errors = comparison.errors_of(own, AXIS)
        plots.draw_curves(axes, errors)
        plots.finish(axes, comparison.places_of(errors), "noise level")
        axes.set_title(panel, fontsize=9)
    plots.save(figure, path)


FIGURES = {
    NAME: Figure(
        name=NAME,
        presets={
            "paper": Config(),
            "smoke": Config(
                measurements=(100,), noise_levels=(0.1, 1, 50), images=6, draws=1, effort="smoke"
            ),
        },
        cells=cells,
        rows=rows,
        inputs=inputs,
        tables=tables,
        plot=plot,
        claims=claims,
        cost=cost,
        headline=headline,
        on_gpu=True,
        published="CSGM is below Lasso until the noise is so large that all methods fail",
        differs="Lasso's alpha follows the noise, the paper keeps it; at m = 500 and little noise "
        "the Lassos are better",
    )
}
