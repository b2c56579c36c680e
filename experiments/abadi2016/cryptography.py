"""Two networks learn to keep a third one from reading what they send (Abadi, Andersen 2016).

M. Abadi, D. G. Andersen, "Learning to protect communications with adversarial neural cryptography",
2016, arXiv 1610.06918, section 2. Alice makes a ciphertext of a message and a key of N bits each;
Bob reads it with the key, Eve without. See :mod:`~experiments.abadi2016.players` for the networks
and :mod:`~experiments.abadi2016.training` for the losses.

A run ends as in the authors' code when Bob has less than 0.02 bits wrong and Eve more than 7.7 (all
numbers of bits are of N = 16; others in proportion), or at its last step; then its Eve alone is
trained on. It has succeeded if after that Bob is below 0.05 bits and Eve above 7.3. Five new Eves
then learn to read Alice, who no longer changes. Last, each value of the ciphertext is compared with
each bit of the message, see :mod:`~experiments.abadi2016.chi_squared`.

Claims: three quarters of the runs succeed; where a run did, the new Eves stay above 7.0 bits, and
no value of the ciphertext depends on a bit of the message.

    ganprior figure abadi2016/cryptography --preset paper
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from experiments.abadi2016.chi_squared import compare
from experiments.abadi2016.players import Weights, weights_of
from experiments.abadi2016.training import Game
from experiments.intervals import grouped
from experiments.rows import Row
from experiments.sweep.figure import Tables, declare
from ganprior.jobs import Cell

ENOUGH = 1000  # steps, from which on the claims are judged
TRAINING, TRAINED, FRESH = "training", "trained", "new Eve"
# Of 16 bits: where a run ends, what is a success, and what a new Eve shall not get below.
BOB_ENDS, EVE_ENDS = 0.02, 7.7
BOB_READS, EVE_DOES_NOT, FRESH_DOES_NOT = 0.05, 7.3, 7.0
SUCCEEDING = 0.75


@dataclass(frozen=True)
class Config:
    """What is trained; the presets are below."""

    sizes: tuple[tuple[int, int, int], ...]  # N, runs, most steps of Alice and Bob
    batch: int = 256
    rate: float = 8e-4
    look_every: int = 100
    measured: int = 4096  # messages of a look
    extra_steps: int = 2000  # of Eve behind the end
    fresh_eves: int = 5
    fresh_steps: int = 4_000
    fresh_looks: int = 5
    compared: int = 65_536  # messages of the test


def cells(config: Config) -> list[Cell]:
    """One per N, all its runs at once."""
    return [Cell("Alice, Bob, Eve", "bits", bits) for bits, _, _ in config.sizes]


def cost(config: Config, cell: Cell) -> float:
    """Seconds of a cell, roughly."""
    [(_, runs, steps)] = [size for size in config.sizes if size[0] == cell.number]
    return steps * (0.01 + 0.001 * runs * cell.number / 16)


def rows(config: Config, cell: Cell) -> list[Row]:
    """Errors along each run, at its end, and of new Eves."""
    [(bits, runs, steps)] = [size for size in config.sizes if size[0] == cell.number]
    game = Game(bits, range(runs), config.batch, config.rate)
    found, ends = train(game, config, runs, steps)
    game.train_eve(config.extra_steps)
    bob, eve = game.errors(4 * config.measured)
    dependent, strength = compare(*game.intercept(config.compared))
    for run in range(runs):
        told = {"dependent": f"{dependent[run]:.4f}", "cramers_v": f"{strength[run]:.4f}"}
        found.append(_row(TRAINED, run, ends[run], bob[run].item(), eve[run].item(), told))
    good = [
        int(row["seed"]) for row in found if row["method"] == TRAINED and read_by_bob(bits, row)
    ]
    if good:
        game.restore([weights_of(game.players, run) for run in good])
        how = (config.fresh_eves, config.fresh_steps, config.fresh_looks, config.measured)
        for run, number, step, wrong in game.new_eves(good, *how):
            found.append(_row(f"{FRESH} {number}", run, step, "", wrong, {}))
    return found


def _row(method: str, run: int, step: int, bob: float | str, eve: float, told: Row) -> Row:
    """Errors of a run, in bits."""
    return {
        "method": method,
        "seed": run,
        "step": step,
        "bob": bob if isinstance(bob, str) else f"{bob:.4f}",
        "eve": f"{eve:.4f}",
        "dependent": "",
        "cramers_v": "",
        **told,
    }


def train(game: Game, config: Config, runs: int, most: int) -> tuple[list[Row], list[int]]:
    """Play until every run has ended: errors at every look, and the last step of each run.

    A run that has ended leaves; in the end the game has all of them again, as they left.
    """
    share = game.bits / 16
    found: list[Row] = []
    playing = list(range(runs))
    left: dict[int, tuple[int, Weights]] = {}
    for step in range(0, most + 1, config.look_every):
        bob, eve = game.errors(config.measured)
        found += [
            _row(TRAINING, run, step, bob[i].item(), eve[i].item(), {})
            for i, run in enumerate(playing)
        ]
        done = (bob < BOB_ENDS * share) & (eve > EVE_ENDS * share) | (step >= most)
        leaving = done.nonzero().flatten().tolist()
        for i, weights in zip(leaving, game.leave(leaving), strict=True):
            left[playing[i]] = step, weights
        playing = [run for i, run in enumerate(playing) if i not in leaving]
        if not playing:
            break
        for _ in range(min(config.look_every, most - step)):
            game.play()
    game.restore([left[run][1] for run in range(runs)])
    return found, [left[run][0] for run in range(runs)]


def runs_of(found: list[Row]) -> dict[int, list[Row]]:
    """Rows of trained runs by N."""
    trained = [row for row in found if row["method"] == TRAINED]
    return {int(bits): own for (bits,), own in grouped(trained, ["bits"]).items()}


def succeeded(row: Row) -> bool:
    """Whether a run has succeeded."""
    return read_by_bob(int(row["bits"]), row)


def read_by_bob(bits: int, row: Row) -> bool:
    """Whether Bob reads messages of so many bits and Eve does not."""
    share = bits / 16
    return float(row["bob"]) < BOB_READS * share and float(row["eve"]) > EVE_DOES_NOT * share


def fresh_of(found: list[Row], run: Row) -> list[float]:
    """Bits that every new Eve of a run has wrong at her best look."""
    places = ("bits", "seed")
    own = [
        row
        for row in found
        if row["method"].startswith(FRESH)
        and all(str(row[place]) == str(run[place]) for place in places)
    ]
    return [min(float(row["eve"]) for row in looks) for looks in grouped(own, ["method"]).values()]


def claims(found: list[Row]) -> dict[str, bool]:
    """What the module says, of every N; of runs too short for it, that Bob has learnt something."""
    held = {}
    for bits, runs in runs_of(found).items():
        good, mean = [run for run in runs if succeeded(run)], _mean(runs, "bob")
        held[f"N = {bits}: Bob has fewer bits wrong than a guess"] = mean < 0.99 * bits / 2
        if max(int(run["step"]) for run in runs) < ENOUGH:
            continue
        name = f"N = {bits}: {SUCCEEDING:.0%} of the runs succeed"
        held[name] = len(good) >= SUCCEEDING * len(runs)
        if good:
            fresh = [eve for run in good for eve in fresh_of(found, run)]
            name = f"N = {bits}: new Eves stay above {FRESH_DOES_NOT} of 16 bits"
            held[name] = min(fresh) > FRESH_DOES_NOT * bits / 16
            name = f"N = {bits}: no value of the ciphertext depends on a bit"
            held[name] = _mean(good, "dependent") == 0
    return held


def _mean(runs: list[Row], column: str) -> float:
    return sum(float(run[column]) for run in runs) / len(runs)


def tables(found: list[Row]) -> Tables:
    """A line per N: successes, new Eves and the test of those runs; and a line per run."""
    summary, single = [], []
    for bits, runs in runs_of(found).items():
        good = [run for run in runs if succeeded(run)]
        summary.append({"bits": bits, **_summary(found, runs, good)})
        single += [
            {
                "bits": bits,
                "seed": run["seed"],
                "ended at step": run["step"],
                "succeeded": "yes" if succeeded(run) else "no",
                **{f"{who}, bits wrong": f"{float(run[who]):.3f}" for who in ("bob", "eve")},
                "new Eves, bits wrong": ", ".join(f"{eve:.2f}" for eve in fresh_of(found, run)),
                "dependent pairs": f"{float(run['dependent']):.0%}",
                "strongest, Cramer's V": f"{float(run['cramers_v']):.3f}",
            }
            for run in runs
        ]
    return {"summary": summary, "runs": single}


def _summary(found: list[Row], runs: list[Row], good: list[Row]) -> Row:
    share = int(runs[0]["bits"]) / 16
    steps = sorted(int(run["step"]) for run in runs)
    line: Row = {
        "runs": len(runs),
        "ended at step": _range(steps, ".0f"),
        "Bob reads": sum(float(run["bob"]) < BOB_READS * share for run in runs),
        "Eve does not": sum(float(run["eve"]) > EVE_DOES_NOT * share for run in runs),
        "both: succeeded": len(good),
    }
    fresh = [eve for run in good for eve in fresh_of(found, run)]
    told = {
        "new Eves, bits wrong": _range(fresh, ".2f"),
        "dependent pairs": f"{_mean(good, 'dependent'):.0%}" if good else "",
        "strongest, Cramer's V": _range([float(run["cramers_v"]) for run in good], ".2f"),
    }
    return line | told


def _range(values: Sequence[float], form: str) -> str:
    if not values:
        return ""
    low, high = f"{min(values):{form}}", f"{max(values):{form}}"
    return low if low == high else f"{low} to {high}"


def headline(found: list[Row]) -> str:
    """Successes, and what new Eves learn of them."""
    parts = []
    for line in tables(found)["summary"]:
        parts.append(
            f"N = {line['bits']}: of {line['runs']} runs Bob reads in {line['Bob reads']}, "
            f"Eve does not in {line['Eve does not']}, both in {line['both: succeeded']}"
        )
        if line["new Eves, bits wrong"]:
            parts.append(f"new Eves of these have {line['new Eves, bits wrong']} bits wrong")
    return "; ".join(parts)


def plot(found: list[Row], path: Path) -> None:
    """Errors along every run, a panel for each N."""
    from experiments import plots

    sizes = runs_of(found)
    figure, panels = plots.new_figure(len(sizes), width=5.6, height=3.6)
    for axes, (bits, runs) in zip(panels, sizes.items(), strict=True):
        own = [r for r in found if r["method"] == TRAINING and int(r["bits"]) == bits]
        good = {str(run["seed"]) for run in runs if succeeded(run)}
        named = set()
        for (seed,), looks in grouped(own, ["seed"]).items():
            for who, color in (("bob", "C0"), ("eve", "C3")):
                label = f"{who.title()}{'' if seed in good else ', run did not succeed'}"
                steps = [int(row["step"]) for row in looks]
                wrong = [float(row[who]) for row in looks]
                style = {"lw": 0.9, "alpha": 0.7, "ls": "-" if seed in good else ":"}
                axes.plot(steps, wrong, color=color, label="" if label in named else label, **style)
                named.add(label)
        axes.axhline(bits / 2, color="0.5", lw=0.8, ls="--", label="a guess")
        axes.set(title=f"N = {bits}, {len(runs)} runs", xlabel="steps of Alice and Bob")
        axes.set(ylabel="bits wrong", ylim=(0, None))
        axes.legend(fontsize=7)
    plots.save(figure, path)


COMMON: dict[str, Any] = {"trains": True, "cost": cost}
PUBLISHED = "Bob below 0.05 bits and Eve above 7.3 of 16 in the runs that succeed; some do not"
DIFFERS = "256 messages a step, not 4,096; 4,000 steps of a new Eve, not 250,000"
declare(
    __name__,
    "abadi2016/cryptography",
    "Bob reads what Eve, and five new ones, do not",
    paper=Config(((16, 20, 12_000),)),
    smoke=Config(((16, 2, 250),), 64, 3e-3, 50, 1024, 20, 2, 40, 2, 4096),
    published=PUBLISHED,
    differs=DIFFERS,
    **COMMON,
)
for bits, runs in ((32, 3), (64, 2)):
    declare(
        __name__,
        f"abadi2016/cryptography-{bits}",
        f"the same with messages and keys of {bits} bits",
        paper=Config(((bits, runs, 10_000),)),
        smoke=Config(((bits, 1, 200),), 64, 3e-3, 100, 512, 10, 1, 20, 2, 2048),
        published="N = 32 and 64 are said to work as well",
        differs=f"{runs} runs; {DIFFERS}",
        **COMMON,
    )
