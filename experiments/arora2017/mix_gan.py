"""MIX+GAN: T generators against T discriminators (Arora et al. 2017).

S. Arora, R. Ge, Y. Liang, T. Ma, Y. Zhang, "Generalization and equilibrium in generative
adversarial nets", ICML 2017, arXiv 1703.00573: a mixture of enough pairs has an approximate
equilibrium where one pair has none. One, three and five pairs play the non-saturating game; beside
them one pair of five times the parameters, and one that takes five times the steps. Every network
takes the same number of gradient steps (but for the last), each on a batch of the same size from
every network that it meets.

Points: 8 Gaussians on a ring and 25 on a grid, at the rates of ``objectives/mode-collapse``, five
seeds (:mod:`experiments.arora2017.rings`). Images: digits stacked in three channels, whose 1,000
classes are the modes, and Fashion-MNIST with its 10 classes, each as the shipped classifier reads
it; a small DCGAN trained by the package, few steps and one seed
(:mod:`experiments.arora2017.mixed_images`). A class of clothes and a Gaussian count as covered
from a fifth of their share of the samples on, a stacked number from one sample on.

The duality gap is what either side gains when its strongest network trains on against the other
side, which stays, for 200 steps (100 with images): of E log D + E log (1 - D), in nats, the two
gains added.

    GANPRIOR_DATA=FOLDER ganprior figure arora2017/mix-gan --preset paper

Claims, for each data set: five pairs cover at least twice the modes of one pair, and of the pair of
five times the parameters, and are nearer to equal shares (KL); their duality gap is smaller than
that of one pair. And a question: do five pairs invert better (representation error, and errors from
25 and 100 measurements, of images that train nothing)?
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from statistics import mean, median

from experiments import plots
from experiments.arora2017 import mixed_images, rings
from experiments.arora2017.mixed_images import FASHION, MODES, STACKED, Pictures
from experiments.intervals import grouped
from experiments.objectives.digits import digits
from experiments.rows import Row
from experiments.sweep.figure import Tables, declare
from ganprior.jobs import Cell

ONE, FIVE, WIDE, LONG = "1 pair", "5 pairs", "1 pair, 5 x parameters", "1 pair, 5 x steps"
# Pairs, and times the parameters and the steps.
PLAYERS = {ONE: (1, 1, 1), "3 pairs": (3, 1, 1), FIVE: (5, 1, 1), WIDE: (1, 5, 1), LONG: (1, 1, 5)}
POINTS = {"8 Gaussians": 8, "25 Gaussians": 25}
OF = {**POINTS, **MODES}
ERRORS = ("representation", "m = 25", "m = 100")


@dataclass(frozen=True)
class Config:
    """What is run; the presets are below."""

    data: tuple[str, ...] = (*POINTS, STACKED, FASHION)
    players: tuple[str, ...] = tuple(PLAYERS)
    runs: int = 5  # seeds of the points, all at once
    points: rings.Rings = field(default_factory=rings.Rings)
    pictures: Pictures = field(default_factory=Pictures)


def cells(config: Config) -> list[Cell]:
    """Every data set and number of pairs; seeds of points together, those of images one by one."""
    return [
        Cell(players, "modes", OF[data], data, seed)
        for data in config.data
        for seed in range(1 if data in POINTS else config.pictures.seeds)
        for players in config.players
    ]


def rows(config: Config, cell: Cell) -> list[Row]:
    """What was measured at the end, a row for each seed."""
    pairs, times, longer = PLAYERS[cell.method]
    blank: Row = dict.fromkeys(ERRORS, "")
    if cell.panel in POINTS:
        points, count = config.points, int(cell.number)
        width, steps = rings.width_of(points.hidden, times), longer * points.steps
        found = rings.play(points, count, pairs, width, steps, config.runs)
        return [row | blank for row in found]
    row = mixed_images.train(config.pictures, cell.panel, pairs, times, longer, cell.seed)
    return [{"run": cell.seed, **row, **{name: row.get(name, "") for name in ERRORS}}]


def inputs(config: Config) -> dict[str, str]:
    """Hashes of the images."""
    found = {}
    if STACKED in config.data:
        found["data_sha256 of digits"] = digits(config.pictures.digits).sha256[:12]
    if FASHION in config.data:
        clothes = mixed_images.images_of(config.pictures, FASHION)
        found["data_sha256 of clothes"] = clothes.sha256[:12]
    return found


Places = dict[tuple[str, str], list[Row]]


def places_of(found: list[Row]) -> Places:
    """Rows by data set and players."""
    return {(data, who): own for (data, who), own in grouped(found, ["panel", "method"]).items()}


def covered(own: list[Row]) -> float:
    """Modes, mean over the seeds."""
    return mean(float(row["covered"]) for row in own)


def gap(own: list[Row]) -> float:
    """Duality gap, median over the seeds: a discriminator that is sure makes it as large as any."""
    return median(float(row["discriminator_gain"]) + float(row["generator_gain"]) for row in own)


def tables(found: list[Row]) -> Tables:
    """Per data set and players, means over the seeds; the gap's median."""
    return {
        "summary": [
            {
                "data": data,
                "players": who,
                "seeds": len(own),
                "modes": OF[data],
                "covered": f"{covered(own):.1f}",
                "KL to uniform": f"{_mean(own, 'kl'):.2f}",
                "entropy of G's weights": f"{_mean(own, 'generator_entropy'):.2f}",
                "of D's": f"{_mean(own, 'discriminator_entropy'):.2f}",
                "duality gap": f"{gap(own):.2f}",
                **{name: _text(own, name) for name in ERRORS},
            }
            for (data, who), own in places_of(found).items()
        ]
    }


def _mean(own: list[Row], column: str) -> float:
    # Without the sign that an entropy of 0 has.
    return mean(float(row[column]) for row in own) + 0.0


def _text(own: list[Row], column: str) -> str:
    return "" if own[0][column] == "" else f"{_mean(own, column):.4f}"


def claims(found: list[Row]) -> dict[str, bool]:
    """What the module says of the data sets that there are."""
    places = places_of(found)
    held = {}
    for data in dict.fromkeys(data for data, _ in places):
        five = places[data, FIVE]
        for other in (ONE, WIDE):
            name = f"{data}: five pairs cover at least twice the modes of {other}"
            held[name] = covered(five) >= 2 * covered(places[data, other])
            name = f"{data}: five pairs are nearer to equal shares of the modes than {other}"
            held[name] = _mean(five, "kl") < _mean(places[data, other], "kl")
        name = f"{data}: the duality gap of five pairs is smaller than that of one"
        held[name] = gap(five) < gap(places[data, ONE])
        if five[0]["representation"] != "":
            for column in ERRORS:
                where = "from all pixels" if column == ERRORS[0] else f"at {column}"
                name = f"{data}: five pairs invert better than one {where}"
                held[name] = _mean(five, column) < _mean(places[data, ONE], column)
    return held


def headline(found: list[Row]) -> str:
    """Modes covered, and errors of the inversions."""
    places = places_of(found)
    parts = []
    for data in dict.fromkeys(data for data, _ in places):
        own = {who: rows for (where, who), rows in places.items() if where == data}
        ends = ", ".join(f"{who} {covered(rows):.1f}" for who, rows in own.items())
        parts.append(f"{data}: of {OF[data]} modes {ends}")
        if own[ONE][0]["representation"] != "":
            errors = ", ".join(f"{who} {_text(rows, ERRORS[0])}" for who, rows in own.items())
            parts.append(f"representation error {errors}")
    return "; ".join(parts)


def plot(found: list[Row], path: Path) -> None:
    """Share of the modes and duality gap, seeds as points; errors of the inversions."""
    figure, (left, middle, right) = plots.new_figure(3, width=4.6)
    places = places_of(found)
    sets = list(dict.fromkeys(data for data, _ in places))
    names = list(dict.fromkeys(who for _, who in places))
    for i, who in enumerate(names):
        for axes, value in ((left, _share), (middle, _gap_of)):
            for place, data in enumerate(sets):
                own = [value(row, OF[data]) for row in places[data, who]]
                at = place + (i - (len(names) - 1) / 2) * 0.15
                label = who if place == 0 else None
                axes.bar(at, median(own), 0.14, color=f"C{i}", alpha=0.5, label=label)
                axes.plot([at] * len(own), own, "o", color=f"C{i}", ms=3)
        errors = [row for row in found if row["method"] == who and row[ERRORS[0]] != ""]
        if errors:
            values = [_mean(errors, column) for column in (*ERRORS[1:], ERRORS[0])]
            right.plot(range(3), values, "o-", color=f"C{i}", label=who)
    for axes in (left, middle):
        axes.set_xticks(range(len(sets)), [data.replace(" ", "\n") for data in sets])
    left.set(ylabel="share of the modes covered", ylim=(0, None))
    middle.set(ylabel="duality gap, nats", yscale="symlog")
    right.set(ylabel="per-pixel error, Fashion-MNIST")
    right.set_xticks(range(3), [*ERRORS[1:], "all pixels"])
    left.legend(fontsize=7)
    plots.save(figure, path)


def _share(row: Row, modes: int) -> float:
    return float(row["covered"]) / modes


def _gap_of(row: Row, modes: int) -> float:
    return float(row["discriminator_gain"]) + float(row["generator_gain"])


SMALL = rings.Rings(steps=300, batch=32, hidden=32, samples=500, response_steps=60)
declare(
    __name__,
    "arora2017/mix-gan",
    "five pairs cover at least twice the modes of one pair, and of a five times larger one",
    paper=Config(),
    smoke=Config(("8 Gaussians",), (ONE, FIVE, WIDE), 2, SMALL),
    published="inception scores on CIFAR-10: MIX+DCGAN 7.72, DCGAN of five times the size 7.34",
    differs="small networks and short runs, images with one seed; no labels, no encoder",
    trains=True,
)
