"""Error against the noise of the measurements (Bora et al. 2017, section 6).

Claim: up to a noise level of 1, ten times that of the other figures, CSGM stays below every Lasso
at m = 100, and its error hardly grows.

    ganprior figure bora2017/noise-tolerance --preset paper

The noise level is the paper's: the standard deviation of the noise where A has N(0, 1) entries.
Lambda and alpha follow the noise by the tables that were tuned on other images.
"""

from __future__ import annotations

from dataclasses import dataclass

from experiments.bora2017.setting import LASSOS, compressed, inputs_of, solved_rows
from experiments.comparison import errors_of, means_of
from experiments.images import held_out_block
from experiments.intervals import grouped
from experiments.rows import Row
from experiments.sweep.figure import declare
from ganprior.jobs import Cell, grid

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
    return grid(
        (f"csgm {config.prior}", *LASSOS),
        AXIS,
        config.noise_levels,
        panels=[f"m = {m}" for m in config.measurements],
        draws=config.draws,
        images=config.images,
        block=config.block,
    )


def rows(config: Config, cell: Cell) -> list[Row]:
    """Errors of a method on a block of images."""
    m = int(cell.panel.removeprefix("m = "))
    found = compressed(held_out_block(config.data, cell), m, cell.number, cell)
    return solved_rows(found, cell.method, config.effort, config.data)


def claims(found: list[Row]) -> dict[str, bool]:
    """At the first m: below every Lasso up to a level of 1, and nearly flat there."""
    (panel,), own = next(iter(grouped(found, ["panel"]).items()))
    mean = means_of(errors_of(own, AXIS))
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


def headline(found: list[Row]) -> str:
    """Errors of CSGM and of the best Lasso per noise level, at every m."""
    told = []
    for (panel,), own in grouped(found, ["panel"]).items():
        mean = means_of(errors_of(own, AXIS))
        ours = next(values for name, values in mean.items() if name.startswith("csgm"))
        shown = [
            f"{error:.4f} / {min(mean[name][level] for name in LASSOS):.4f} at {level:g}"
            for level, error in sorted(ours.items())
        ]
        told.append(f"{panel}, CSGM / best Lasso: {', '.join(shown)}")
    return "; ".join(told)


SMOKE = Config(measurements=(100,), noise_levels=(0.1, 1, 50), images=6, draws=1, effort="smoke")
declare(
    __name__,
    "bora2017/noise-tolerance",
    "CSGM stays below Lasso at ten times the usual noise",
    paper=Config(),
    smoke=SMOKE,
    inputs=inputs_of,
    on_gpu=True,
    published="CSGM is below Lasso until the noise is so large that all methods fail",
    differs="Lasso's alpha follows the noise, the paper keeps it; at m = 500 and little noise "
    "the Lassos are better",
)
