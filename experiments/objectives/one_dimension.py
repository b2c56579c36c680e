"""Adversarial learning in one dimension. Over 300 lines: one game, its two looks and its plot.

I. Goodfellow et al., "Generative Adversarial Networks", 2014, arXiv 1406.2661: figure 1;
Proposition 1, the best discriminator of a fixed generator is D* = p / (p + q); Theorem 1, the value
of the game, E log D + E log(1 - D), is then -log 4 + 2 JS(p || q), and least where p = q.

Data p = N(1, 0.5^2); the generator G(z) = mean + std z begins at q = N(-1, 1). Both densities are
known through the whole training. At some steps of it a new discriminator is trained to convergence
against the generator as it is.

Claims: the converged discriminator is within 0.05 of D* wherever p + q is above 0.05; its value is
within 0.02 of -log 4 + 2 JS; at p = q it is -log 4 to 1e-3; and the game brings q to p: mean and
standard deviation to within 0.05.

    ganprior figure objectives/one-dimension --preset paper
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import nn

from experiments import plots
from experiments.objectives.densities import Mixture, divergence, grid, log_normal
from experiments.objectives.game import Affine, Game, Network, Settings
from experiments.objectives.readings import game_values, probabilities
from experiments.rows import Row
from experiments.sweep.figure import Tables, declare
from ganprior.jobs import Cell
from ganprior.streams import derive_seed

EQUAL = "p = q"
# Where D is compared: elsewhere there are next to no points that it could learn from.
DENSE = 0.05


@dataclass(frozen=True)
class Config:
    """What is run; the presets are below."""

    methods: tuple[str, ...] = ("minimax", "non-saturating")
    runs: int = 3
    stages: tuple[int, ...] = (0, 60, 200, 1000)
    batch: int = 128
    hidden: int = 64
    generator_rate: float = 5e-3
    discriminator_rate: float = 2e-3
    converged_steps: int = 4000
    converged_batch: int = 512
    seed: int = 0


DATA = Mixture((1.0,), ((1.0,),), (0.5,))
START = (-1.0, 1.0)
LOW, HIGH = -5.0, 4.0
CURVE = 61  # places of a drawn curve
SAMPLES = 100_000  # of each kind, for the value


def cells(config: Config) -> list[Cell]:
    """One per objective: its stages follow from each other."""
    return [Cell(method, "runs", config.runs, seed=config.seed) for method in config.methods]


def rows(config: Config, cell: Cell) -> list[Row]:
    """Curves of the first run and numbers of all runs at every stage, and at p = q."""
    game, generator = new_game(config, cell)
    found: list[Row] = []
    for stage in config.stages:
        while game.step < stage:
            game.play()
        found += look(config, game, str(stage))
    with torch.no_grad():
        generator.mean.fill_(DATA.mean[0])
        generator.log_std.fill_(math.log(DATA.std))
    return found + look(config, game, EQUAL)


def new_game(config: Config, cell: Cell) -> tuple[Game, Affine]:
    """Fresh players, and the generator among them."""
    rng = torch.Generator().manual_seed(derive_seed(cell.seed, "one dimension"))
    settings = Settings(
        cell.method,
        batch=config.batch,
        generator_rate=config.generator_rate,
        discriminator_rate=config.discriminator_rate,
        decay=True,
        steps=max(config.stages),
    )
    mean, std = (torch.full((config.runs,), value) for value in START)
    generator = Affine(mean[:, None], std)
    players = generator, discriminator(config, rng)
    return Game(settings, *players, DATA.draw, config.runs, rng), generator


def discriminator(config: Config, rng: torch.Generator) -> Network:
    """A new one: two hidden layers with tanh, as smooth as D*."""
    return Network(config.runs, (1, config.hidden, config.hidden, 1), nn.Tanh, rng)


def judge_of(config: Config, game: Game) -> Game:
    """The same generator with a discriminator trained to convergence against it."""
    settings = replace(
        game.settings, batch=config.converged_batch, steps=config.converged_steps, beta=0.9
    )
    players = game.generator, discriminator(config, game.rng)
    judge = Game(settings, *players, game.real, game.runs, game.rng)
    judge.converge()
    return judge


def look(config: Config, game: Game, stage: str) -> list[Row]:
    """Rows of a stage: the curves of the first run, and the numbers of every run."""
    judge = judge_of(config, game)
    with torch.no_grad():
        return _numbers(game, judge, stage) + _curves(game, judge, stage)


def gaussian_of(game: Game, run: int) -> tuple[float, float]:
    """Mean and standard deviation of a run's generator."""
    assert isinstance(game.generator, Affine)
    return game.generator.mean[run].item(), game.generator.std[run].item()


def _numbers(game: Game, judge: Game, stage: str) -> list[Row]:
    x, volume = grid(LOW, HIGH, 4001)
    log_p, values = DATA.log_density(x), game_values(judge, SAMPLES)
    found = []
    for run in range(game.runs):
        mean, std = gaussian_of(game, run)
        log_q = log_normal(x, (mean,), std)
        best = torch.sigmoid(log_p - log_q)
        dense = log_p.exp() + log_q.exp() > DENSE
        bound = divergence("jensen-shannon", log_p, log_q, volume)
        error = (probabilities(judge, x)[run] - best).abs()[dense].max().item()
        found.append(
            {
                **blank(stage, run),
                "mean": round(mean, 5),
                "std": round(std, 5),
                "error": round(error, 5),
                "value": round(values[run].item(), 6),
                "best_value": round(bound - math.log(4), 6),
            }
        )
    return found


def _curves(game: Game, judge: Game, stage: str) -> list[Row]:
    x, _ = grid(LOW, HIGH, CURVE)
    mean, std = gaussian_of(game, 0)
    p, q = DATA.log_density(x).exp(), log_normal(x, (mean,), std).exp()
    columns = {
        "x": x[:, 0],
        "data": p,
        "generator": q,
        "discriminator": probabilities(game, x)[0],
        "converged": probabilities(judge, x)[0],
        "best": p / (p + q),
    }
    return [
        {**blank(stage, 0), **{key: round(own[i].item(), 4) for key, own in columns.items()}}
        for i in range(len(x))
    ]


def blank(stage: str, run: int) -> Row:
    """All columns of a row, those of numbers and those of curves, empty."""
    names = "mean std error value best_value x data generator discriminator converged best"
    return {"stage": stage, "run": run, **dict.fromkeys(names.split(), "")}


def numbers(found: list[Row]) -> list[Row]:
    """Rows of runs, without those of curves."""
    return [row for row in found if row["value"] != ""]


def tables(found: list[Row]) -> Tables:
    """Per objective and stage: the generator, and how near the converged discriminator comes."""
    lines = []
    for method, stage in dict.fromkeys((row["method"], row["stage"]) for row in numbers(found)):
        own = [r for r in numbers(found) if (r["method"], r["stage"]) == (method, stage)]
        lines.append(
            {
                "objective": method,
                "step": stage,
                "generator's mean": f"{mean_of(own, 'mean'):.3f}",
                "generator's std": f"{mean_of(own, 'std'):.3f}",
                "largest |D - p/(p+q)|": f"{max(float(row['error']) for row in own):.3f}",
                "value": f"{mean_of(own, 'value'):.4f}",
                "-log 4 + 2 JS": f"{mean_of(own, 'best_value'):.4f}",
                "runs": len(own),
            }
        )
    return {"summary": lines}


def mean_of(found: list[Row], column: str) -> float:
    """Mean of a column."""
    return sum(float(row[column]) for row in found) / len(found)


def gaps(found: list[Row]) -> list[float]:
    """Distance of each run's value from the closed form."""
    return [abs(float(row["value"]) - float(row["best_value"])) for row in numbers(found)]


def claims(found: list[Row]) -> dict[str, bool]:
    """What the module says, on every run."""
    equal = [row for row in numbers(found) if row["stage"] == EQUAL]
    off = [abs(float(row["value"]) + math.log(4)) for row in equal]
    (mean,), std = DATA.mean, DATA.std
    stages = [row["stage"] for row in numbers(found) if row["stage"] != EQUAL]
    ends = [row for row in numbers(found) if row["stage"] == stages[-1]]
    return {
        "the converged D is within 0.05 of p / (p + q) where p + q > 0.05": all(
            float(row["error"]) <= 0.05 for row in numbers(found)
        ),
        "its value is within 0.02 of -log 4 + 2 JS": max(gaps(found)) <= 0.02,
        "at p = q its value is -log 4 to 1e-3": max(off) <= 1e-3,
        "the game brings mean and std to within 0.05 of the data's": all(
            abs(float(row["mean"]) - mean) <= 0.05 and abs(float(row["std"]) - std) <= 0.05
            for row in ends
        ),
    }


def headline(found: list[Row]) -> str:
    """Largest deviations."""
    error = max(float(row["error"]) for row in numbers(found))
    equal = [row for row in numbers(found) if row["stage"] == EQUAL]
    off = max(abs(float(row["value"]) + math.log(4)) for row in equal)
    return (
        f"converged D within {error:.3f} of p / (p + q); value within {max(gaps(found)):.4f} of "
        f"-log 4 + 2 JS, and within {off:.5f} of -log 4 at p = q"
    )


def plot(found: list[Row], path: Path) -> None:
    """Figure 1 of the paper, by stages of the last objective; D where p + q is above DENSE."""
    method = found[-1]["method"]
    lines = [row for row in found if row["method"] == method and row["x"] != ""]
    stages = list(dict.fromkeys(row["stage"] for row in lines))
    figure, panels = plots.new_figure(len(stages), width=3.2, height=3.4)
    styles = {
        "data": ("k:", "data p"),
        "generator": ("g-", "generator q"),
        "discriminator": ("b--", "D in the game"),
        "converged": ("r-", "D converged"),
        "best": ("k--", "p / (p + q)"),
    }
    for axes, stage in zip(panels, stages, strict=True):
        own = [row for row in lines if row["stage"] == stage]
        dense = [row for row in own if float(row["data"]) + float(row["generator"]) > DENSE]
        for column, (style, label) in styles.items():
            shown = own if column in ("data", "generator") else dense
            x, y = ([float(row[key]) for row in shown] for key in ("x", column))
            axes.plot(x, y, style, lw=1.2, label=label)
        axes.set(title=stage if stage == EQUAL else f"step {stage}", xlabel="x", ylim=(0, 1.05))
    panels[0].legend(fontsize=7)
    panels[0].set_ylabel(f"density, or D ({method})")
    plots.save(figure, path)


declare(
    __name__,
    "objectives/one-dimension",
    "a converged D is p / (p + q), worth -log 4 where p = q; the game gets there",
    paper=Config(),
    smoke=Config(methods=("non-saturating",), runs=1, stages=(0, 1000), converged_steps=600),
    published="drawn as a sketch, and proved; the paper measures neither",
    differs="the generator is affine, so that q is known in closed form at every step",
    trains=True,
)
