"""The effect of lambda, of the number of restarts and of steps (Bora et al. 2017).

Claims: a small lambda helps where measurements are few and costs nothing where they are many;
more restarts and more steps lower the error, each less than the one before.

    ganprior figure bora2017/effect-of-lambda --preset paper
    ganprior figure bora2017/effect-of-restarts --preset paper
    ganprior figure bora2017/effect-of-steps --preset paper

Restarts and steps are those of the paper's protocol, Adam from random starts (effort
``reference``), since the default effort has a bank of starts and stops by itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from experiments.bora2017 import comparison, plots
from experiments.bora2017.held_out import held_out_block, load_prior
from experiments.bora2017.panels import summarise_panels
from experiments.bora2017.setting import (
    EFFORTS,
    PAPER,
    compressed,
    cost_per_image,
    hashes_of,
    image_rows,
    inputs_of,
)
from experiments.rows import Row
from experiments.sweep.cell import Cell, blocks
from experiments.sweep.figure import Figure, Tables
from ganprior import CSGM, REFERENCE

LAMBDA, RESTARTS, STEPS = "lambda", "restarts", "steps"


@dataclass(frozen=True)
class Config:
    """What is run; the presets are below."""

    axis: str
    values: tuple[float, ...]
    measurements: tuple[int, ...]
    data: str = "MNIST"
    prior: str = "mnist"
    noise_level: float = 0.1  # sqrt(m) noise_std
    restarts: int = REFERENCE.restarts
    steps: int = REFERENCE.steps
    images: int = 100
    draws: int = 3
    block: int = 50
    effort: str = "reference"


def cells(config: Config) -> list[Cell]:
    """Every m, value, draw and block."""
    return list(_cells(config))


def _cells(config: Config) -> Iterator[Cell]:
    name, method = f"{PAPER}/effect-of-{config.axis}", f"csgm {config.prior}"
    for m in config.measurements:
        for value in config.values:
            for draw in range(config.draws):
                for first, last in blocks(config.images, config.block):
                    yield Cell(name, method, config.axis, value, f"m = {m}", draw, first, last)


def rows(config: Config, cell: Cell) -> list[Row]:
    """Errors of CSGM with the value of the cell."""
    m = int(cell.panel.removeprefix("m = "))
    found = compressed(held_out_block(config.data, cell), m, config.noise_level, cell)
    restarts, steps = _schedule(config, cell)
    effort = EFFORTS[config.effort]
    if config.effort == "reference":
        effort = effort.replace(restarts=restarts, steps=steps)
    weight = cell.value if config.axis == LAMBDA else None
    solver = CSGM(load_prior(config.prior), weight, noise_std=found.noise_std, effort=effort)
    solution = solver.solve(found.y, found.physics, rng=found.streams)
    return image_rows(found, solution.x, solution.status, **hashes_of(config.data, cell.method))


def _schedule(config: Config, cell: Cell) -> tuple[int, int]:
    restarts = int(cell.value) if config.axis == RESTARTS else config.restarts
    steps = int(cell.value) if config.axis == STEPS else config.steps
    return restarts, steps


def inputs(config: Config) -> dict[str, str]:
    """Hashes of images and prior."""
    return inputs_of(config.data, [config.prior])


def _axis(found: list[Row]) -> str:
    return next(axis for axis in (LAMBDA, RESTARTS, STEPS) if axis in found[0])


def _curves(found: list[Row]) -> comparison.Errors:
    """Errors with the panel for the method."""
    return comparison.errors_of(({**row, "method": row["panel"]} for row in found), _axis(found))


def tables(found: list[Row]) -> Tables:
    """Mean and interval per m and value."""
    return {"summary": summarise_panels(found, _axis(found))}


def claims(found: list[Row]) -> dict[str, bool]:
    """What the module says, on means over images."""
    axis, held = _axis(found), {}
    for panel, own in _curves(found).items():
        mean = {value: errors.mean() for value, errors in own.items()}
        least, most = min(mean), max(mean)
        if axis != LAMBDA:
            held[f"{panel}: {most:g} {axis} are better than {least:g}"] = mean[most] < mean[least]
            continue
        positive = {value: error for value, error in mean.items() if value}
        m = int(panel.removeprefix("m = "))
        if m <= 50:
            held[f"{panel}: some lambda is better than 0"] = min(positive.values()) < mean[0]
        held[f"{panel}: the largest lambda is worse than the best"] = mean[most] > min(
            mean.values()
        )
    return held


def cost(config: Config, cell: Cell) -> float:
    """Seconds of a cell."""
    restarts, steps = _schedule(config, cell)
    share = restarts * steps / (REFERENCE.restarts * REFERENCE.steps)
    share = share if config.effort == "reference" else 1.0
    return share * (cell.last - cell.first) * cost_per_image(cell.method, config.effort)


def headline(found: list[Row]) -> str:
    """Errors along the axis."""
    axis = _axis(found)
    return "; ".join(
        f"{panel}: "
        + ", ".join(f"{v.mean():.4f} at {axis} {place:g}" for place, v in sorted(own.items()))
        for panel, own in _curves(found).items()
    )


def plot(found: list[Row], path: Path) -> None:
    """A curve per m."""
    errors, axis = _curves(found), _axis(found)
    figure, [axes] = plots.new_figure()
    plots.draw_curves(axes, errors)
    if axis == LAMBDA:  # which has a 0
        smallest = min(value for value in comparison.places_of(errors) if value)
        axes.set_xscale("symlog", linthresh=smallest)
    plots.finish(axes, comparison.places_of(errors), axis)
    plots.save(figure, path)


def _figure(axis: str, paper: Config, smoke: Config, published: str, differs: str) -> Figure:
    return Figure(
        name=f"{PAPER}/effect-of-{axis}",
        presets={"paper": paper, "smoke": smoke},
        cells=cells,
        rows=rows,
        inputs=inputs,
        tables=tables,
        plot=plot,
        claims=claims,
        cost=cost,
        headline=headline,
        on_gpu=True,
        published=published,
        differs=differs,
    )


FIGURES = {
    figure.name: figure
    for figure in (
        _figure(
            LAMBDA,
            Config(LAMBDA, (0, 0.01, 0.03, 0.1, 0.3, 1, 3), (25, 100), effort="balanced"),
            Config(LAMBDA, (0, 1, 100), (25, 100), images=8, draws=1, effort="smoke"),
            "the paper takes 0.1 on MNIST, beside 0",
            "lambda in units of images in [0, 1] and A with N(0, 1/m) entries, which are the "
            "paper's on MNIST",
        ),
        _figure(
            RESTARTS,
            Config(RESTARTS, (1, 2, 5, 10), (100,), steps=300),
            Config(RESTARTS, (1, 4), (100,), steps=60, images=8, draws=1),
            "10 restarts",
            "of 300 steps each; Adam's rate is 0.1, and not 0.01, for the shipped priors",
        ),
        _figure(
            STEPS,
            Config(STEPS, (50, 100, 200, 500, 1000), (100,), restarts=3),
            Config(STEPS, (5, 60), (100,), restarts=2, images=8, draws=1),
            "1,000 steps",
            "of 3 restarts; Adam's rate is 0.1, and not 0.01, for the shipped priors",
        ),
    )
}
