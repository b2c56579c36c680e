"""Whether measurements of images of another kind are told from those of a prior's own data.

Test images of the prior's own data, those of the other set, its own inverted, black for white, and
its own measured with another A than the solver is told: ``MAP`` gives each a p-value, and under
1e-3 the status ``unlike_prior``. The plot has the share of each kind below every p. Claims: of a
prior's own test images at most 1% are flagged; inverted images nearly all, digits at least; and
images measured with another A nearly all, from 100 measurements on. (The claim of all inverted
images does not hold: the prior of clothes takes most inverted clothes and all digits for clothes,
since its own images differ more from each other.)

    ganprior figure density/trust --preset paper

The law behind the p-values is of images that neither the generator nor the density has seen. Of the
shipped densities, which were fitted before there was one,

    GANPRIOR_DATA=FOLDER python -m experiments.density.trust

measures 40 tuning images and writes it to the cards; FOLDER holds MNIST and FashionMNIST as
torchvision has them.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from experiments.bora2017.setting import gaussian
from experiments.images import TRAINING, for_tuning, held_out, load_prior
from experiments.intervals import grouped
from experiments.rows import Row
from experiments.sweep.figure import Tables, declare
from ganprior import MAP, Prior, Status, Streams
from ganprior.evaluation import distance_law
from ganprior.jobs import Cell
from ganprior.physics import add_noise
from ganprior.priors import find_prior, read_card, write_card

PRIORS = {"MNIST": "mnist-k64-vae", "Fashion-MNIST": "fashion-mnist-k128-vae"}
OWN, OTHERS, INVERTED, WRONG = "own", "of the other set", "own, inverted", "own, another A"
P = "p_value"
LEAST = 1e-3
TUNING, TUNING_SEED = 40, 1_000_005


@dataclass(frozen=True)
class Config:
    """What is measured; the presets are below. Of kinds other than the own a fifth is taken.

    One mode of each signal is searched, the likeliest beforehand: a quarter of the work of the
    solver's default, and an image comes out a little farther at the most.
    """

    pairs: tuple[str, ...]
    measurements: tuple[int, ...] = (25, 100, 300)
    images: int = 100
    noise_level: float = 0.1  # sqrt(m) noise_std
    components: int = 1


def cells(config: Config) -> list[Cell]:
    """Every prior and m."""
    return [Cell("map", "m", m, panel) for panel in config.pairs for m in config.measurements]


def rows(config: Config, cell: Cell) -> list[Row]:
    """A row per image."""
    data, _, name = cell.panel.partition(": ")
    prior, few = load_prior(name), max(1, config.images // 5)
    own = held_out(data).head(config.images)
    other = held_out(next(other for other in PRIORS if other != data)).head(few)
    m, x = int(cell.number), own.floats()
    physics, noise_std = gaussian(m, prior.image_shape, cell.seed), config.noise_level / m**0.5
    found = []
    for kind, images, seed in (
        (OWN, x, cell.seed),
        (OTHERS, other.floats(), cell.seed),
        (INVERTED, 1 - x[:few], cell.seed),
        (WRONG, x[:few], cell.seed + 1),
    ):
        measured_by = gaussian(m, prior.image_shape, seed)
        y = add_noise(measured_by.A(images), noise_std, Streams(cell.seed))
        solution = MAP(prior, noise_std, components=config.components).solve(y, physics)
        assert solution.p_value is not None, "the card has no law of distances"
        for i, (p, status) in enumerate(
            zip(solution.p_value.tolist(), solution.status, strict=True)
        ):
            found.append({"of": kind, "image": i, P: f"{p:.4g}", "status": str(status)})
    hashes = {"data_sha256": own.sha256[:12], "prior_sha256": prior.card["weights_sha256"][:12]}
    return [row | hashes for row in found]


def flagged(own: list[Row]) -> float:
    """Share of rows that are flagged."""
    return sum(row["status"] == Status.UNLIKE_PRIOR for row in own) / len(own)


def inputs(config: Config) -> dict[str, str]:
    """Hashes of images and priors."""
    found = {}
    for panel in config.pairs:
        data, _, name = panel.partition(": ")
        found[f"data_sha256 of {data}"] = held_out(data).sha256[:12]
        found[f"prior_sha256 of {name}"] = load_prior(name).card["weights_sha256"][:12]
    return found


def tables(found: list[Row]) -> Tables:
    """Share that is flagged: a line per prior and m, a column per kind of images."""
    table = []
    for (panel, m), own in grouped(found, ["panel", "m"]).items():
        line = {"prior": panel, "m": m}
        for (kind,), part in grouped(own, ["of"]).items():
            line[kind] = f"{flagged(part):.0%} of {len(part)}"
        table.append(line)
    return {"summary": table}


def headline(found: list[Row]) -> str:
    """Least and largest share by prior and kind of images."""
    parts = []
    for (panel, kind), own in grouped(found, ["panel", "of"]).items():
        shares = [flagged(part) for part in grouped(own, ["m"]).values()]
        parts.append(f"{panel}, {kind}: {min(shares):.0%} to {max(shares):.0%} flagged")
    return "; ".join(parts)


def claims(found: list[Row]) -> dict[str, bool]:
    """Of the own hardly any, of inverted ones and of another A nearly all."""
    kinds = {kind: own for (kind,), own in grouped(found, ["of"]).items()}
    many = [row for row in kinds[WRONG] if int(row["m"]) >= 100]
    digits = [row for row in kinds[INVERTED] if row["panel"].startswith("MNIST")]
    return {
        "at most 1% of a prior's own test images are flagged": flagged(kinds[OWN]) <= 0.01,
        "at least 95% of inverted digits are": flagged(digits) >= 0.95,
        "at least 95% of all inverted images are": flagged(kinds[INVERTED]) >= 0.95,
        "at least 95% of those measured with another A are, from m = 100 on": flagged(many) >= 0.95,
    }


def plot(found: list[Row], path: Path) -> None:
    """Share of each kind below every p, a panel for each prior and m."""
    from experiments import plots

    panels = grouped(found, ["panel", "m"])
    columns = len({m for _, m in panels})
    lines = -(-len(panels) // columns)
    figure, axes = plots.new_figure(columns, rows=lines, width=3.0, height=2.6)
    for place, ((panel, m), own) in zip(axes, panels.items(), strict=True):
        for (kind,), part in grouped(own, ["of"]).items():
            p = sorted(max(float(row[P]), 1e-30) for row in part)
            place.step([1e-30, *p, 1], [0, *((i + 1) / len(p) for i in range(len(p))), 1],
                       where="post", label=kind)  # fmt: skip
        place.axvline(LEAST, color="gray", linewidth=0.8)
        place.set(xscale="log", xlim=(1e-12, 1), ylim=(-0.02, 1.02), title=f"{panel}, m = {m}")
        place.title.set_fontsize(8)
        place.set_xlabel("p", fontsize=8)
    axes[0].set_ylabel("share below p")
    axes[0].legend(fontsize=6)
    plots.save(figure, path)


def main(names: list[str]) -> None:
    """Write the laws of tuning images to the cards of the shipped densities."""
    for data, name in PRIORS.items():
        if names and name not in names:
            continue
        images, _ = for_tuning(data, TRAINING, TUNING, TUNING_SEED)
        law = distance_law(Prior.load(name), images.floats(), TUNING_SEED)
        path = find_prior(name)
        card = read_card(path)
        card["density"] |= {
            "distances": law.describe(),
            "distances_of": f"{TUNING} images that neither generator nor density was fitted to",
        }
        write_card(path, card)


SMOKE = Config(("MNIST: mnist-k64-vae",), (100,), images=10)
PAPER = Config(tuple(f"{data}: {name}" for data, name in PRIORS.items()))
declare(
    __name__,
    "density/trust",
    "inverted images and a wrong A are told, and hardly any of the prior's own",
    paper=PAPER,
    smoke=SMOKE,
    differs="the 100 committed test images of each set, of other kinds 20; one mode each",
)

if __name__ == "__main__":
    main(sys.argv[1:])
