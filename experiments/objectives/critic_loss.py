"""The critic's loss as a measure of progress: the Wasserstein estimate against image quality.

Sources: M. Arjovsky, S. Chintala, L. Bottou, "Wasserstein GAN", 2017, arXiv 1701.07875, section
4.2 and figures 3 and 4: the estimate of the Wasserstein distance, minus the critic's loss,
correlates with the quality of samples, and the estimate of the Jensen-Shannon divergence of a
standard GAN, log 2 - L_D / 2, does not, or the wrong way round; I. Gulrajani et al., 2017, arXiv
1704.00028, section 5.5, say the former of WGAN-GP, the penalty counted in.

Claims: along a run the estimates of WGAN and WGAN-GP fall as the Fréchet distance falls
(Spearman's coefficient positive, with its whole interval); that of the non-saturating GAN does not.

    ganprior figure objectives/critic-loss --preset paper

The estimate is the mean of the critic's own losses since the look before, as the papers plot it.
The first looks, in which the critic itself is still learning what a distance is, are left out
(``warm_up``). Two quantities that both have a trend correlate whatever they are: the table has the
correlation of their changes from look to look beside that of their values.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path

from experiments import plots
from experiments.objectives.correlation import Correlation, correlate, correlation_columns
from experiments.objectives.fashion import (
    SMOKE,
    Budget,
    hashes_of,
    inputs_of,
    recipe_of,
    run_recipe,
)
from experiments.rows import Row
from experiments.sweep.figure import Tables, declare
from ganprior.jobs import Cell

WASSERSTEIN = ("wgan", "wgan-gp")
OBJECTIVES = (*WASSERSTEIN, "non-saturating")
ESTIMATES = {
    "wgan": "Wasserstein estimate (clipping)",
    "wgan-gp": "Wasserstein estimate (penalty)",
    "non-saturating": "Jensen-Shannon estimate",
}
# Looks in a row that are drawn together: neighbours are no independent observations.
BLOCK = 4
# Looks from which on a correlation is judged.
ENOUGH = 10


@dataclass(frozen=True)
class Config:
    """What is run; the presets are below."""

    budget: Budget
    warm_up: int = 2  # looks
    seed: int = 0


def cells(config: Config) -> list[Cell]:
    """A run per objective."""
    return [Cell(name, "steps", config.budget.steps, "", config.seed) for name in OBJECTIVES]


def rows(config: Config, cell: Cell) -> list[Row]:
    """Train, and look at estimate and quality at equal distances."""
    recipe = recipe_of(cell.method, config.budget, seed=cell.seed)
    run = run_recipe(recipe, config.budget.data)
    found: list[Row] = []
    for before, look in pairwise([0, *(look.step for look in run.looks)]):
        losses = [row for row in run.losses if before < row["step"] <= look]
        loss_d, loss_g = (
            sum(row[name] for row in losses) / len(losses)
            for name in ("discriminator_loss", "generator_loss")
        )
        found.append(
            {
                "step": look,
                "estimate": round(estimate(cell.method, loss_d), 6),
                "generator_loss": round(loss_g, 6),
                "frechet_distance": round(run.looks[len(found)].frechet, 3),
                "used": int(len(found) >= config.warm_up),
                **hashes_of(run, config.budget.data),
            }
        )
    return found


def estimate(objective: str, discriminator_loss: float) -> float:
    """Distance that a discriminator's loss amounts to, by the papers.

    Parameters
    ----------
    objective : str
        Of :data:`OBJECTIVES`.
    discriminator_loss : float
        As descended: E f(G(z)) - E f(x), plus the penalty where there is one; or L_D, the sum of
        both cross-entropies.
    """
    if objective in WASSERSTEIN:
        return -discriminator_loss
    return math.log(2) - discriminator_loss / 2


def series(found: list[Row], objective: str, column: str) -> list[float]:
    """Values of a column along the run of an objective, the warm-up left out."""
    own = (row for row in found if row["method"] == objective and int(row["used"]))
    return [float(row[column]) for row in own]


def changes(values: list[float]) -> list[float]:
    """Differences of neighbours."""
    return [after - before for before, after in pairwise(values)]


def tables(found: list[Row]) -> Tables:
    """Correlation with the Fréchet distance, of values and of changes."""
    table: list[Row] = []
    for objective in OBJECTIVES:
        distance = series(found, objective, "frechet_distance")
        for column in ("estimate", "generator_loss"):
            values = series(found, objective, column)
            moved = correlation_columns(changes(values), changes(distance), block=BLOCK)
            table.append(
                {
                    "objective": objective,
                    "against Fréchet distance": column.replace("_", " "),
                    **correlation_columns(values, distance, block=BLOCK),
                    **{f"{name} of changes": cell for name, cell in moved.items()},
                    "looks": len(values),
                }
            )
    return {"summary": table}


def spearman_of(found: list[Row], objective: str) -> Correlation:
    """Spearman's coefficient of estimate and Fréchet distance."""
    estimates, distances = (
        series(found, objective, name) for name in ("estimate", "frechet_distance")
    )
    return correlate(estimates, distances, block=BLOCK)


def claims(found: list[Row]) -> dict[str, bool]:
    """Which estimates fall with the distance, where there are looks enough to say so."""
    held = {
        f"the critic of {name} tells samples from images": series(found, name, "estimate")[-1] > 0
        for name in WASSERSTEIN
    }
    if len(series(found, OBJECTIVES[0], "estimate")) < ENOUGH:
        return held
    for name in WASSERSTEIN:
        held[f"the estimate of {name} falls with the distance"] = spearman_of(found, name).low > 0
    last = OBJECTIVES[-1]
    held[f"the estimate of {last} does not"] = not spearman_of(found, last).low > 0
    return held


def headline(found: list[Row]) -> str:
    """Spearman's coefficients."""
    return "Spearman's coefficient of estimate and Fréchet distance: " + ", ".join(
        f"{name} {spearman_of(found, name)}" for name in OBJECTIVES
    )


def plot(found: list[Row], path: Path) -> None:
    """Estimate and distance along each run, and one against the other."""
    figure, _ = plots.new_figure(width=4.0 * len(OBJECTIVES), height=6.4)
    figure.clear()
    along, against = figure.subplots(2, len(OBJECTIVES))
    for objective, top, bottom in zip(OBJECTIVES, along, against, strict=True):
        own = [row for row in found if row["method"] == objective]
        steps = [int(row["step"]) for row in own]
        top.plot(steps, [float(row["estimate"]) for row in own], color="C0")
        top.set_xlabel("generator steps")
        top.set_ylabel(ESTIMATES[objective], color="C0")
        other = top.twinx()
        other.plot(steps, [float(row["frechet_distance"]) for row in own], color="C1")
        other.set_ylabel("Fréchet distance", color="C1")
        other.set_yscale("log")
        values = (series(found, objective, name) for name in ("estimate", "frechet_distance"))
        bottom.plot(*values, "o", ms=3)
        bottom.set(xlabel=ESTIMATES[objective], ylabel="Fréchet distance")
        top.set_title(objective, fontsize=10)
        bottom.set_title(f"Spearman {spearman_of(found, objective)}", fontsize=9)
    plots.save(figure, path)


declare(
    __name__,
    "objectives/critic-loss",
    "the Wasserstein estimate falls with the Fréchet distance",
    paper=Config(Budget(steps=400, looks=16)),
    smoke=Config(replace(SMOKE, looks=4), warm_up=0),
    inputs=inputs_of,
    published="the Wasserstein estimate correlates with sample quality, the JS estimate not",
    differs="quality is a Fréchet distance; narrow networks, short runs, one seed",
    trains=True,
)
