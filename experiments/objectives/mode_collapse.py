"""Mode collapse: Gaussians on a ring and on a grid.

L. Metz, B. Poole, D. Pfau, J. Sohl-Dickstein, "Unrolled Generative Adversarial Networks", 2017,
arXiv 1611.02163, section 3.1 (8 Gaussians on a ring); A. Srivastava et al., "VEEGAN", 2017, arXiv
1705.07761, section 4.1 (25 on a grid); M. Arjovsky et al. 2017, arXiv 1701.07875, section 4.3:
no mode collapse was seen with the Wasserstein objective.

A mode is covered if at least a fifth of its fair share of samples is within three standard
deviations of it; KL is that of the samples' shares of nearest modes to the uniform law; forgotten
are modes that were covered at some time and are not at the end. Objectives: minimax, non-saturating
(Goodfellow et al. 2014), WGAN with clipping, WGAN-GP; alone and with one stabiliser each: the
closeness penalty of Zhao et al. (2017, arXiv 1609.03126) on the discriminator's features, noise on
its input that fades away, dropout in the generator that stays on.

Minimax and non-saturating are played with the rates of Metz et al. (appendix), Adam with 1e-3 for
the generator and 1e-4 for the discriminator, the Wasserstein objectives with 1e-3 for both and 3
critic steps, since their critic has to be near its optimum. Equal rates, 1e-3, are the fourth
remedy for the first two.

These runs are short. The grid alone is played again, without stabilisers, for 4,000 steps whose
rates fall to 0 over the last half, and WGAN-GP as its authors play it on points (Gulrajani et al.
2017, arXiv 1704.00028, published code): two entries of z, a penalty of weight 0.1. Its rate there,
3e-3, is the better one of two in short trials; no other rate was tried of any objective.

Claims: WGAN-GP covers at least 95% of the modes; minimax and non-saturating cover fewer, and the
latter forgets more; each remedy lets the non-saturating game cover more modes.

    ganprior figure objectives/mode-collapse --preset paper
    ganprior figure objectives/mode-collapse-longer --preset paper
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn

from experiments.objectives import mode_collapse_plot, modes
from experiments.objectives.game import Game, Network, Settings
from experiments.rows import Row
from experiments.sweep.figure import Tables, declare
from ganprior.jobs import Cell
from ganprior.priors import architectures
from ganprior.streams import derive_seed

PLAIN, EQUAL = "alone", "equal rates"
STABILISERS = (PLAIN, "closeness penalty", "input noise", "dropout", EQUAL)
CENTRES = {8: modes.ring(), 25: modes.square()}
STD = 0.05
LEAST = 0.2  # of a mode's fair share
SHOWN = 150  # points of the first run that are drawn


@dataclass(frozen=True)
class Config:
    """What is run; the presets are below."""

    counts: tuple[int, ...] = (8, 25)
    objectives: tuple[str, ...] = ("minimax", "non-saturating", "wgan", "wgan-gp")
    stabilisers: tuple[str, ...] = STABILISERS
    runs: int = 2
    steps: int = 1500
    looks: int = 15
    samples: int = 2000
    critic_steps: int = 3  # of the two Wasserstein objectives; 1 of the others
    clip: float = 0.1
    penalty_weight: float = 1.0
    batch: int = 128
    hidden: int = 64
    latent_size: int = 4
    rate: float = 1e-3
    penalty_rate: float = 1e-3  # of both players of WGAN-GP
    decay: bool = False
    slow_rate: float = 1e-4  # of the discriminator in minimax and non-saturating
    closeness_weight: float = 0.5
    noise: float = 0.3
    dropout: float = 0.1
    seed: int = 0


def cells(config: Config) -> list[Cell]:
    """One per data set, stabiliser and objective, all runs at once."""
    return [
        Cell(objective, "modes", count, stabiliser, config.seed)
        for count in config.counts
        for stabiliser in config.stabilisers
        for objective in config.objectives
        if not (stabiliser == EQUAL and objective.startswith("wgan"))
    ]


def new_game(config: Config, cell: Cell) -> Game:
    """Fresh players of a cell."""
    rng = torch.Generator().manual_seed(derive_seed(cell.seed, "modes", int(cell.number)))
    hidden = (config.hidden, config.hidden)
    generator = Network(config.runs, (config.latent_size, *hidden, 2), nn.ReLU, rng)
    if cell.panel == "dropout":
        for i in (1, 3):
            drop = architectures.stochastic.Dropout(config.dropout, at_test=True)
            generator.features[i] = nn.Sequential(generator.features[i], drop)
        architectures.draw_from(generator, rng)
    critic = Network(config.runs, (2, *hidden, 1), partial(nn.LeakyReLU, 0.2), rng)
    real = partial(modes.draw_around, CENTRES[int(cell.number)], STD)
    return Game(settings_of(config, cell), generator, critic, real, config.runs, rng)


def settings_of(config: Config, cell: Cell) -> Settings:
    """How a cell is played."""
    wasserstein = cell.method.startswith("wgan")
    slow = not wasserstein and cell.panel != EQUAL
    rate = config.penalty_rate if cell.method == "wgan-gp" else config.rate
    return Settings(
        cell.method,
        critic_steps=config.critic_steps if wasserstein else 1,
        clip=config.clip,
        penalty_weight=config.penalty_weight,
        batch=config.batch,
        latent_size=config.latent_size,
        generator_rate=rate,
        discriminator_rate=config.slow_rate if slow else rate,
        decay=config.decay,
        steps=config.steps,
        input_noise=config.noise if cell.panel == "input noise" else 0.0,
        closeness_weight=config.closeness_weight if cell.panel == "closeness penalty" else 0.0,
    )


def rows(config: Config, cell: Cell) -> list[Row]:
    """Modes of every run at every look; at the last one what was forgotten."""
    game = new_game(config, cell)
    found: list[Row] = []
    history: list[list[Tensor]] = [[] for _ in range(config.runs)]
    for look in range(1, config.looks + 1):
        while game.step < config.steps * look // config.looks:
            game.play()
        with torch.no_grad():
            z = torch.randn(config.runs, config.samples, config.latent_size, generator=game.rng)
            points = game.generator(z)
        for run in range(config.runs):
            row = count_modes(points[run], int(cell.number), history[run])
            last = look == config.looks
            row["forgotten"] = modes.forgotten(history[run]) if last else ""
            row["points"] = _text(points[run, :SHOWN]) if last and run == 0 else ""
            found.append({"step": game.step, "run": run, **row})
    return found


def count_modes(points: Tensor, count: int, history: list[Tensor]) -> Row:
    """Numbers of points (N, 2); which modes are covered goes to the end of the history."""
    nearest, near = modes.read_points(points, CENTRES[count], STD)
    history.append(modes.covered(nearest[near], count, len(points), LEAST))
    return {
        "covered": int(history[-1].sum()),
        "near": round(near.double().mean().item(), 4),
        "kl": round(modes.divergence_from_uniform(nearest, count), 4),
    }


def _text(points: Tensor) -> str:
    return ";".join(f"{x:.2f} {y:.2f}" for x, y in points.tolist())


Place = tuple[int, str, str]


def places_of(found: list[Row]) -> dict[Place, list[Row]]:
    """Rows by number of modes, stabiliser and objective."""
    places: dict[Place, list[Row]] = {}
    for row in found:
        places.setdefault((int(row["modes"]), row["panel"], row["method"]), []).append(row)
    return places


def ends_of(found: list[Row]) -> dict[Place, dict[str, float]]:
    """Numbers after the last step of every place, means over the runs."""
    table = {}
    for place, own in places_of(found).items():
        ends = [row for row in own if row["forgotten"] != ""]
        columns = ("covered", "near", "kl", "forgotten")
        table[place] = {c: sum(float(row[c]) for row in ends) / len(ends) for c in columns}
    return table


def each_run(found: list[Row]) -> dict[Place, str]:
    """Modes covered after the last step, of every run, in words."""
    return {
        place: ", ".join(str(row["covered"]) for row in own if row["forgotten"] != "")
        for place, own in places_of(found).items()
    }


def tables(found: list[Row]) -> Tables:
    """Per number of modes, stabiliser and objective: modes covered, KL, forgotten."""
    runs = each_run(found)
    return {
        "summary": [
            {
                "modes": count,
                "stabiliser": stabiliser,
                "objective": objective,
                "covered": f"{own['covered']:.1f}",
                "in each run": runs[count, stabiliser, objective],
                "samples near a mode": f"{own['near']:.0%}",
                "KL to uniform": f"{own['kl']:.2f}",
                "forgotten": f"{own['forgotten']:.1f}",
            }
            for (count, stabiliser, objective), own in ends_of(found).items()
        ]
    }


def claims(found: list[Row]) -> dict[str, bool]:
    """What the module says, on means over the runs."""
    ends, held = ends_of(found), {}
    for count in dict.fromkeys(place[0] for place in ends):
        critic = ends[count, PLAIN, "wgan-gp"]
        held[f"{count} modes: WGAN-GP covers at least 95%"] = critic["covered"] >= 0.95 * count
        for objective in ("minimax", "non-saturating"):
            own = ends.get((count, PLAIN, objective))
            if own is None:
                continue
            said = f"{count} modes: {objective}"
            held[f"{said} covers fewer than WGAN-GP"] = own["covered"] < critic["covered"]
            if objective == "non-saturating":
                # The other one may never have covered any.
                held[f"{said} forgets more than WGAN-GP"] = own["forgotten"] > critic["forgotten"]
        for stabiliser in STABILISERS[1:]:
            own = ends.get((count, stabiliser, "non-saturating"))
            if own is not None:
                alone = ends[count, PLAIN, "non-saturating"]
                said = f"{count} modes: non-saturating covers more with {stabiliser}"
                held[said] = own["covered"] > alone["covered"]
    return held


def headline(found: list[Row]) -> str:
    """Modes covered without stabiliser."""
    ends = ends_of(found)
    parts = []
    for count in dict.fromkeys(place[0] for place in ends):
        own = [
            f"{objective} {numbers['covered']:.1f}"
            for (modes_, stabiliser, objective), numbers in ends.items()
            if modes_ == count and stabiliser == PLAIN
        ]
        parts.append(f"of {count} modes, without stabiliser: {', '.join(own)}")
    return "; ".join(parts)


def plot(found: list[Row], path: Path) -> None:
    """Modes covered over time, a panel per stabiliser; beside them points of the first run."""
    mode_collapse_plot.draw(places_of(found), CENTRES, PLAIN, path)


PUBLISHED = "GANs drop modes; unrolled GANs and VEEGAN cover them; no WGAN collapsed"
declare(
    __name__,
    "objectives/mode-collapse",
    "WGAN-GP covers the modes that minimax and non-saturating drop or forget",
    paper=Config(),
    smoke=Config(
        counts=(8,),
        objectives=("minimax", "wgan-gp"),
        stabilisers=(PLAIN,),
        runs=1,
        looks=3,
    ),
    published=PUBLISHED,
    differs="smaller networks, two runs; standard deviation 0.05 in both data sets",
    trains=True,
)
LONGER = Config(
    counts=(25,),
    stabilisers=(PLAIN,),
    runs=3,
    steps=4000,
    looks=20,
    penalty_weight=0.1,
    latent_size=2,
    penalty_rate=3e-3,
    decay=True,
)
declare(
    __name__,
    "objectives/mode-collapse-longer",
    "the same of 25 modes, in runs that are longer and end at rate 0",
    paper=LONGER,
    smoke=replace(
        LONGER, counts=(8,), objectives=("minimax", "wgan-gp"), runs=1, steps=900, looks=3
    ),
    published=PUBLISHED,
    differs="smaller networks, 4,000 steps, three runs; standard deviation 0.05",
    trains=True,
)
