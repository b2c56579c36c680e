"""The parallel lines: which distances see how far apart two disjoint supports are.

M. Arjovsky, S. Chintala, L. Bottou, "Wasserstein GAN", 2017, arXiv 1701.07875, example 1 and
figure 1. P is the law of (0, U), U uniform on [0, 1], and P_theta that of (theta, U). For
theta != 0: W1 = |theta|, Jensen-Shannon = log 2, KL = infinity, total variation = 1; all are 0 at
theta = 0.

Each is estimated from samples, twice where that is possible: W1 by exact optimal transport between
samples and by trained critics (weights clipped; gradient penalty), the others by histograms and by
the bound that a trained discriminator gives (minimax, f-GAN). A clipped critic measures K W1 with
an unknown K: its estimate is divided by its steepest slope. Then the derivative of each with
respect to theta, and plain gradient descent in theta with the discriminator trained on.

Claims: the estimates are those values; the derivative of W1 is the sign of theta, by transport and
by critics; that of the other bounds vanishes; so that W1 brings theta to 0 from wherever it begins,
and the others leave it where it is.

    ganprior figure objectives/parallel-lines --preset paper

Over 300 lines: every distance has its estimates, their derivatives and a descent of its own.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import nn

from experiments import plots
from experiments.objectives.game import Game, Network, Settings
from experiments.objectives.lines import (
    JS,
    KL,
    TRUTH,
    TV,
    W1,
    WORDS,
    Line,
    draw_line,
    estimates,
    histograms,
    slope_of_transport,
)
from experiments.objectives.readings import generator_gradients
from experiments.rows import Row
from experiments.sweep.figure import Tables, declare
from ganprior.jobs import Cell
from ganprior.streams import derive_seed

TRANSPORT, HISTOGRAM = "optimal transport", "histogram"
# What each trained discriminator estimates.
GAMES = {
    "wgan": W1,
    "wgan-gp": W1,
    "minimax": JS,
    "f-gan kl": KL,
    "f-gan total-variation": TV,
}
LABELS = {"wgan": "critic, clipped weights", "wgan-gp": "critic, gradient penalty"}


@dataclass(frozen=True)
class Config:
    """What is run; the presets are below."""

    methods: tuple[str, ...] = (TRANSPORT, HISTOGRAM, *GAMES)
    thetas: tuple[float, ...] = (-1.0, -0.75, -0.5, -0.25, 0.0, 0.25, 0.5, 0.75, 1.0)
    samples: int = 256  # of each kind, for transport
    counted: int = 4096  # of each kind, for histograms
    hidden: int = 32
    batch: int = 128
    steps: int = 1500  # of a discriminator, before anything is estimated
    rate: float = 1e-3
    descent_steps: int = 100
    descent_rate: float = 0.03
    critic_steps: int = 5
    seed: int = 0


def cells(config: Config) -> list[Cell]:
    """One per way to estimate: all thetas at once."""
    return [
        Cell(method, "thetas", len(config.thetas), seed=config.seed) for method in config.methods
    ]


def rows(config: Config, cell: Cell) -> list[Row]:
    """Estimate, derivative and end of the descent for every theta."""
    rng = torch.Generator().manual_seed(derive_seed(cell.seed, "parallel lines"))
    if cell.method in GAMES:
        return _trained(config, cell.method, rng)
    return _transported(config, rng) if cell.method == TRANSPORT else _counted(config, rng)


def _transported(config: Config, rng: torch.Generator) -> list[Row]:
    found = []
    for theta in config.thetas:
        value, gradient = slope_of_transport(theta, config.samples, rng)
        end = theta
        for _ in range(config.descent_steps):
            _, downhill = slope_of_transport(end, config.samples // 4, rng)
            end -= config.descent_rate * downhill
        found.append(_row(theta, W1, value, gradient, end))
    return found


def _counted(config: Config, rng: torch.Generator) -> list[Row]:
    found = []
    for theta in config.thetas:
        places = (0.0, theta)
        x, y = (draw_line(1, config.counted, rng, at)[0].double().numpy() for at in places)
        for name, value in histograms(x, y).items():
            # Constant in theta as long as no point changes its bin.
            gradient = math.nan if value == math.inf or not theta else 0.0
            found.append(_row(theta, name, value, gradient, theta))
    return found


def _trained(config: Config, method: str, rng: torch.Generator) -> list[Row]:
    runs = len(config.thetas)
    settings = Settings(
        method,
        critic_steps=config.critic_steps,
        batch=config.batch,
        discriminator_rate=config.rate,
        steps=config.steps,
    )
    sizes = 2, config.hidden, config.hidden, 1
    critic = Network(runs, sizes, partial(nn.LeakyReLU, 0.2), rng)
    line = Line(config.thetas)
    game = Game(settings, line, critic, draw_line, runs, rng)
    game.converge()
    values, gradients = estimates(game), generator_gradients(game, line.theta)
    for _ in range(config.descent_steps):
        for _ in range(config.critic_steps):
            game.discriminator_step()
        step = config.descent_rate * generator_gradients(game, line.theta)
        with torch.no_grad():
            line.theta.sub_(step)
    ends = line.theta.tolist()
    return [
        _row(theta, GAMES[method], values[i].item(), gradients[i].item(), ends[i])
        for i, theta in enumerate(config.thetas)
    ]


def _row(theta: float, name: str, value: float, gradient: float, end: float) -> Row:
    return {
        "theta": theta,
        "distance": name,
        "estimate": round(value, 5),
        "truth": round(TRUTH[name](theta), 5),
        "gradient": round(gradient, 6),
        "descended_to": round(end, 5),
    }


Curves = dict[tuple[str, str], dict[float, Row]]


def curves_of(found: list[Row]) -> Curves:
    """Rows by distance, method and theta."""
    curves: Curves = {}
    for row in found:
        curves.setdefault((row["distance"], row["method"]), {})[float(row["theta"])] = row
    return curves


def apart(own: dict[float, Row], column: str) -> np.ndarray:
    """A column where theta is not 0."""
    return np.array([float(row[column]) for theta, row in own.items() if theta])


def tables(found: list[Row]) -> Tables:
    """Per distance and method: estimates, derivatives, and where the descent ends."""
    lines = []
    for (name, method), own in curves_of(found).items():
        shown = {t: own[t] for t in sorted(own) if t in (0.0, 0.25, 0.5, 1.0)}
        signs = np.sign(apart(own, "theta"))
        lines.append(
            {
                "distance": name,
                "estimated by": LABELS.get(method, method),
                **{f"theta = {t:g}": f"{float(row['estimate']):.3f}" for t, row in shown.items()},
                "derivative, times the sign of theta (least)": _least(own, signs),
                "farthest from 0 after descent": _farthest(own),
            }
        )
    return {"summary": lines}


def _farthest(own: dict[float, Row]) -> str:
    farthest = np.abs(apart(own, "descended_to")).max()
    return "diverged" if np.isnan(farthest) else f"{farthest:.2f}"


def _least(own: dict[float, Row], signs: np.ndarray) -> str:
    least = (apart(own, "gradient") * signs).min()
    return "undefined" if np.isnan(least) else f"{least:.4f}"


def claims(found: list[Row]) -> dict[str, bool]:
    """What the module says, for every theta."""
    held = {}
    for (name, method), own in curves_of(found).items():
        label = f"{name} by {LABELS.get(method, method)}"
        values, truth = apart(own, "estimate"), apart(own, "truth")
        if name == KL:
            least = math.inf if method == HISTOGRAM else 5.0
            held[f"{label} is above {least:g} for theta other than 0"] = bool(
                (values >= least).all()
            )
        else:
            near = np.abs(values - truth) <= 0.05 + 0.1 * truth
            held[f"{label} is {WORDS[name]} to 10% + 0.05"] = bool(near.all())
        if method == HISTOGRAM:
            continue
        slopes_, ends = apart(own, "gradient"), np.abs(apart(own, "descended_to"))
        if name == W1:
            right = slopes_ * np.sign(apart(own, "theta"))
            held[f"{label}: its derivative has the sign of theta, and is at least 0.1"] = bool(
                (right >= 0.1).all()
            )
            held[f"{label} brings theta to within 0.1 of 0"] = bool((ends <= 0.1).all())
        else:
            held[f"{label}: its derivative is below 0.05"] = bool((np.abs(slopes_) < 0.05).all())
            moved = np.abs(ends - np.abs(apart(own, "theta")))
            held[f"{label} leaves theta within 0.1 of where it began"] = bool((moved <= 0.1).all())
    return held


def headline(found: list[Row]) -> str:
    """Where each distance brings theta."""
    parts = []
    for (name, method), own in curves_of(found).items():
        if method != HISTOGRAM:
            parts.append(f"{name} ({LABELS.get(method, method)}) {_farthest(own)}")
    return f"|theta| after descent from at most 1, at most: {', '.join(parts)}"


def plot(found: list[Row], path: Path) -> None:
    """Estimates, derivatives and ends of the descent, each against theta."""
    figure, panels = plots.new_figure(3, width=4.2)
    columns = ("estimate", "gradient", "descended_to")
    curves = curves_of(found)
    for i, ((name, method), own) in enumerate(curves.items()):
        at = sorted(own)
        label = f"{name}: {LABELS.get(method, method)}"
        for axes, column in zip(panels, columns, strict=True):
            values = [float(own[theta][column]) for theta in at]
            axes.plot(at, values, label=label, **plots.unhidden(i, len(curves)))
    panels[0].set(ylim=(-0.1, 3), ylabel="estimate (of KL above the panel)")
    panels[1].set(ylim=(-1.6, 1.6), ylabel="derivative in theta (of KL partly outside)")
    panels[2].set(xlabel="theta", ylabel="theta after descent")
    panels[0].legend(fontsize=6)
    plots.save(figure, path)


declare(
    __name__,
    "objectives/parallel-lines",
    "of disjoint lines W1 alone is |theta|, and brings theta to 0",
    paper=Config(),
    smoke=Config(
        methods=(TRANSPORT, HISTOGRAM, "wgan-gp", "minimax"),
        thetas=(-1.0, 0.0, 0.5),
        samples=128,
        steps=700,
        descent_steps=60,
    ),
    published="example 1: W1 = |theta|; off theta = 0, JS = log 2, KL is infinite, TV = 1",
    differs="estimated from samples, and by discriminators trained to convergence",
    trains=True,
)
