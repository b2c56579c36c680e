"""Three of four values are published and the fourth is not (Abadi, Andersen 2016, section 3).

M. Abadi, D. G. Andersen, "Learning to protect communications with adversarial neural cryptography",
2016, arXiv 1610.06918. There the networks learn themselves what has to be hidden for one value to
stay private. Here a message has four values A, B, C and D of 4 bits: A and B are independent,
a bit of C is that of A in three messages of four, and a bit of D likewise that of B. Alice sends 16
numbers to all. Anyone shall read A, B and D from them, Bob with the key all four, and Eve shall
learn of C no more than A, B and D say: one bit in four of C is wrong, at best, for who knows those
and nothing else, the paper's Blind Eve.

Alice, Bob and the reader minimise L_Bob / 16 + L_reader / 12 + ((L_Eve - 1) / 2)^2, errors in bits;
networks and steps are those of :mod:`~experiments.abadi2016.training`. A Blind Eve is trained
beside. After training Eve learns on alone, and five new Eves learn to read C.

Claims, on means over the runs: Bob has below 0.05 bits wrong of 16, and a reader of 12; Eve and all
new Eves have at least 90% of the bits wrong that the Blind Eve has.

    ganprior figure abadi2016/selective --preset paper
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from experiments.abadi2016.players import Player, bits_wrong, random_bits, with_key
from experiments.abadi2016.training import Game, adam, generators
from experiments.intervals import grouped
from experiments.rows import Row
from experiments.sweep.figure import Tables, declare
from ganprior.jobs import Cell

WIDTH = 4  # bits of a value
BITS = 4 * WIDTH
SECRET = slice(2 * WIDTH, 3 * WIDTH)
SAME = 0.75  # how often a bit of C is that of A
BLIND_BEST = (1 - SAME) * WIDTH
READS = 0.05
NOT_READ = 0.9  # of the Blind Eve's error
ENOUGH = 1000  # steps, from which on the claims are judged
TRAINING, TRAINED, FRESH = "training", "trained", "new Eve"
ERRORS = ("bob", "reader", "eve", "blind")


@dataclass(frozen=True)
class Config:
    """What is trained; the presets are below."""

    runs: int = 5
    steps: int = 8000
    batch: int = 256
    rate: float = 8e-4
    look_every: int = 200
    measured: int = 4096
    extra_steps: int = 2000
    fresh_eves: int = 5
    fresh_steps: int = 4000
    fresh_looks: int = 4


class SelectiveGame(Game):
    """Runs of a game of four values, with a reader who has no key and shall read three of them."""

    def __init__(self, seeds: Sequence[int], batch: int, rate: float) -> None:
        super().__init__(BITS, seeds, batch, rate)
        self.secret = WIDTH
        self.eve = Player(BITS, WIDTH, generators(seeds, "Eve"))
        self.reader = Player(BITS, BITS - WIDTH, generators(seeds, "reader"))
        self.blind = Player(BITS - WIDTH, WIDTH, generators(seeds, "Blind Eve"))
        self.players = (self.alice, self.bob, self.eve)
        self._ours = adam([self.alice, self.bob, self.reader], rate)
        self._hers = adam([self.eve], rate)
        self._blind = adam([self.blind], rate)

    def draw(self, count: int) -> tuple[Tensor, Tensor]:
        """Messages of values that depend on each other, and keys, (1, 16, count) each."""
        plain, key = super().draw(count)
        first = plain[:, : 2 * WIDTH]
        # Two random bits that are both set turn a bit over: one in four.
        one, two = random_bits(4 * WIDTH, count, self.rng).chunk(2, 1)
        turned = (one > 0) & (two > 0)
        second = torch.where(turned, -first, first)
        return torch.cat([first, second], 1), key

    def play(self) -> None:
        """One step of Alice, Bob and the reader, two of Eve, one of the Blind Eve."""
        plain, key = self.draw(self.batch)
        cipher = self.alice(with_key(plain, key))
        bob = bits_wrong(self.bob(with_key(cipher, key)), plain).mean(1)
        reader = bits_wrong(self.reader(cipher), published(plain)).mean(1)
        self.eve.requires_grad_(False)
        eve = bits_wrong(self.eve(cipher), plain[:, SECRET]).mean(1)
        hidden = ((eve - BLIND_BEST) / (WIDTH / 2)) ** 2
        self._ours.zero_grad()
        (bob / BITS + reader / (BITS - WIDTH) + hidden).sum().backward()
        self._ours.step()
        self.eve.requires_grad_(True)
        self.attack(self.eve, self._hers)
        self._blind.zero_grad()
        bits_wrong(self.blind(published(plain)), plain[:, SECRET]).mean(1).sum().backward()
        self._blind.step()

    def intercept(self, count: int) -> tuple[Tensor, Tensor]:
        """The secret value of new messages, (1, 4, count), and what Alice sends."""
        plain, cipher = super().intercept(count)
        return plain[:, SECRET], cipher

    @torch.no_grad()
    def all_errors(self, count: int) -> dict[str, list[float]]:
        """Bits that each of ``ERRORS`` has wrong on new messages, of every run."""
        plain, key = self.draw(count)
        cipher = self.alice(with_key(plain, key))
        guesses = {
            "bob": (self.bob(with_key(cipher, key)), plain),
            "reader": (self.reader(cipher), published(plain)),
            "eve": (self.eve(cipher), plain[:, SECRET]),
            "blind": (self.blind(published(plain)), plain[:, SECRET]),
        }
        return {who: bits_wrong(*pair).mean(1).tolist() for who, pair in guesses.items()}


def published(plain: Tensor) -> Tensor:
    """A, B and D of messages (1, 16, B), (1, 12, B)."""
    return torch.cat([plain[:, : SECRET.start], plain[:, SECRET.stop :]], 1)


def cells(config: Config) -> list[Cell]:
    """All runs at once."""
    return [Cell("Alice, Bob, Eve", "bits", BITS)]


def cost(config: Config, cell: Cell) -> float:
    """Seconds of the cell, roughly."""
    return config.steps * (0.01 + 0.001 * config.runs)


def rows(config: Config, cell: Cell) -> list[Row]:
    """Errors along each run, at its end, and of new Eves."""
    game = SelectiveGame(range(config.runs), config.batch, config.rate)
    found: list[Row] = []
    for step in range(0, config.steps + 1, config.look_every):
        found += _errors(TRAINING, step, game.all_errors(config.measured))
        for _ in range(min(config.look_every, config.steps - step)):
            game.play()
    game.train_eve(config.extra_steps)
    found += _errors(TRAINED, config.steps, game.all_errors(4 * config.measured))
    how = (config.fresh_eves, config.fresh_steps, config.fresh_looks, config.measured)
    for run, number, step, wrong in game.new_eves(range(config.runs), *how):
        others = dict.fromkeys(ERRORS, "") | {"eve": f"{wrong:.4f}"}
        found.append({"method": f"{FRESH} {number}", "seed": run, "step": step, **others})
    return found


def _errors(method: str, step: int, errors: dict[str, list[float]]) -> list[Row]:
    """A row for each run."""
    return [
        {"method": method, "seed": run, "step": step}
        | {who: f"{wrong:.4f}" for who, wrong in zip(errors, values, strict=True)}
        for run, values in enumerate(zip(*errors.values(), strict=True))
    ]


def ends_of(found: list[Row]) -> dict[str, list[float]]:
    """Errors of every run at its end; those of each new Eve at her best look."""
    trained = [row for row in found if row["method"] == TRAINED]
    fresh = [row for row in found if row["method"].startswith(FRESH)]
    return {who: [float(row[who]) for row in trained] for who in ERRORS} | {
        FRESH: [
            min(float(row["eve"]) for row in looks)
            for looks in grouped(fresh, ["method", "seed"]).values()
        ]
    }


def claims(found: list[Row]) -> dict[str, bool]:
    """What the module says; of runs that are too short for it, that Bob has learnt something."""
    ends = ends_of(found)
    means = {who: sum(values) / len(values) for who, values in ends.items()}
    held = {"Bob has fewer bits wrong than a guess": means["bob"] < 0.95 * BITS / 2}
    if max(int(row["step"]) for row in found if row["method"] == TRAINING) < ENOUGH:
        return held
    least = NOT_READ * means["blind"]
    return held | {
        "the Blind Eve is within 10% of the best guess": means["blind"] < 1.1 * BLIND_BEST,
        f"Bob has below {READS} of {BITS} bits wrong": means["bob"] < READS,
        f"a reader has below {READS} of {BITS - WIDTH} bits wrong": means["reader"] < READS,
        f"Eve has at least {NOT_READ:.0%} of the Blind Eve's bits wrong": means["eve"] >= least,
        "so has every new Eve": min(ends[FRESH]) >= least,
    }


NAMES = {
    "bob": ("Bob, with the key", "A, B, C, D", BITS),
    "reader": ("a reader without it", "A, B, D", BITS - WIDTH),
    "eve": ("Eve, without it", "C", WIDTH),
    FRESH: ("new Eves, without it", "C", WIDTH),
    "blind": ("Blind Eve, told A, B and D", "C", WIDTH),
}


def tables(found: list[Row]) -> Tables:
    """A line for each who reads."""
    return {
        "summary": [
            {
                "who": NAMES[who][0],
                "reads": NAMES[who][1],
                "of bits": NAMES[who][2],
                "wrong, mean": f"{sum(values) / len(values):.3f}",
                "least": f"{min(values):.3f}",
                "most": f"{max(values):.3f}",
            }
            for who, values in ((who, ends_of(found)[who]) for who in NAMES)
        ]
    }


def headline(found: list[Row]) -> str:
    """Mean errors."""
    return "bits wrong: " + ", ".join(
        f"{line['who']} {line['wrong, mean']} of {line['of bits']}"
        for line in tables(found)["summary"]
    )


def plot(found: list[Row], path: Path) -> None:
    """Share of the bits that each has wrong, along every run."""
    from experiments import plots

    figure, [axes] = plots.new_figure(width=6.4, height=4.0)
    own = [row for row in found if row["method"] == TRAINING]
    for i, who in enumerate(ERRORS):
        name, reads, bits = NAMES[who]
        for number, looks in enumerate(grouped(own, ["seed"]).values()):
            steps = [int(row["step"]) for row in looks]
            wrong = [float(row[who]) / bits for row in looks]
            label = "" if number else f"{name}: {reads}"
            style = "--" if who == "blind" else "-"
            axes.plot(steps, wrong, style, color=f"C{i}", lw=0.9, alpha=0.8, label=label)
    axes.set(xlabel="steps of Alice, Bob and the reader", ylabel="share of the bits wrong")
    axes.set(ylim=(0, None))
    axes.legend(fontsize=8)
    plots.save(figure, path)


declare(
    __name__,
    "abadi2016/selective",
    "of four values anyone reads three, and of the fourth Eve learns what those say and no more",
    paper=Config(),
    smoke=Config(2, 200, 64, 3e-3, 100, 1024, 20, 2, 40, 2),
    published="Bob reads D; Eve knows C no better than who saw nothing",
    differs="four values of bits that depend on each other; all but C are published, not one of D",
    trains=True,
    cost=cost,
)
