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

from dataclasses import dataclass
from functools import partial
from pathlib import Path

from experiments import plots
from experiments.bora2017.setting import EFFORTS, compressed, hashes_of, image_rows, inputs_of
from experiments.comparison import errors_of, means_of, places_of
from experiments.images import held_out_block, load_prior
from experiments.rows import Row
from experiments.sweep.figure import declare, place_columns
from ganprior import CSGM, REFERENCE
from ganprior.jobs import Cell, grid

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
    steps: int = REFERENCE.most_steps
    images: int = 100
    draws: int = 3
    block: int = 50
    effort: str = "reference"


def cells(config: Config) -> list[Cell]:
    """Every m, value, draw and block."""
    return grid(
        [f"csgm {config.prior}"],
        config.axis,
        config.values,
        panels=[f"m = {m}" for m in config.measurements],
        draws=config.draws,
        images=config.images,
        block=config.block,
    )


def rows(config: Config, cell: Cell) -> list[Row]:
    """Errors of CSGM with the value of the cell."""
    m = int(cell.panel.removeprefix("m = "))
    found = compressed(held_out_block(config.data, cell), m, config.noise_level, cell)
    effort = EFFORTS[config.effort]
    if config.effort == "reference":
        own = {} if config.axis == LAMBDA else {config.axis: int(cell.number)}
        effort = effort.replace(**{"restarts": config.restarts, "steps": config.steps, **own})
    weight = cell.number if config.axis == LAMBDA else None
    solver = CSGM(load_prior(config.prior), weight, noise_std=found.noise_std, effort=effort)
    solution = solver.solve(found.y, found.physics, rng=found.streams)
    return image_rows(found, solution.x, solution.status, **hashes_of(config.data, cell.method))


def claims(found: list[Row]) -> dict[str, bool]:
    """What the module says, on means over images."""
    axis, held = place_columns(found)[1], {}
    for panel, mean in means_of(errors_of(found, axis, across="panel")).items():
        least, most = min(mean), max(mean)
        if axis != LAMBDA:
            held[f"{panel}: {most:g} {axis} are better than {least:g}"] = mean[most] < mean[least]
            continue
        lowest = min(error for value, error in mean.items() if value)
        if int(panel.removeprefix("m = ")) <= 50:
            held[f"{panel}: some lambda is better than 0"] = lowest < mean[0]
        worse = mean[most] > min(mean.values())
        held[f"{panel}: the largest lambda is worse than the best"] = worse
    return held


def plot(found: list[Row], path: Path) -> None:
    """A curve per m."""
    axis = place_columns(found)[1]
    errors = errors_of(found, axis, across="panel")
    figure, [axes] = plots.new_figure()
    plots.draw_curves(axes, errors)
    if axis == LAMBDA:  # which has a 0
        axes.set_xscale("symlog", linthresh=min(value for value in places_of(errors) if value))
    plots.finish(axes, places_of(errors), axis)
    plots.save(figure, path)


OWN_RATE = "Adam's rate is 0.1, and not 0.01, for the shipped priors"
_declare = partial(declare, __name__, inputs=inputs_of, across="panel", on_gpu=True)
_declare(
    f"bora2017/effect-of-{LAMBDA}",
    "a small lambda helps where measurements are few",
    paper=Config(LAMBDA, (0, 0.01, 0.03, 0.1, 0.3, 1, 3), (25, 100), effort="balanced"),
    smoke=Config(LAMBDA, (0, 1, 100), (25, 100), images=8, draws=1, effort="smoke"),
    published="the paper takes 0.1 on MNIST, beside 0",
    differs="lambda in units of images in [0, 1] and A with N(0, 1/m) entries, which are the "
    "paper's on MNIST",
)
_declare(
    f"bora2017/effect-of-{RESTARTS}",
    "more restarts lower the error",
    paper=Config(RESTARTS, (1, 2, 5, 10), (100,), steps=300),
    smoke=Config(RESTARTS, (1, 4), (100,), steps=60, images=8, draws=1),
    published="10 restarts",
    differs=f"of 300 steps each; {OWN_RATE}",
)
_declare(
    f"bora2017/effect-of-{STEPS}",
    "more steps lower the error",
    paper=Config(STEPS, (50, 100, 200, 500, 1000), (100,), restarts=3),
    smoke=Config(STEPS, (5, 60), (100,), restarts=2, images=8, draws=1),
    published="1,000 steps",
    differs=f"of 3 restarts; {OWN_RATE}",
)
