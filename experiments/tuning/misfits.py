"""Which solutions have the status ``misfit``, by the limits that the cards of the priors state.

The prior of digits and the one of clothes are given test images of their own data, those of the
other's, and their own inverted, black for white: by CSGM from Gaussian measurements and with holes,
without noise and at the effort ``fast``. The images of the residuals that the limits come of
(``tuning/residuals``) are others.

    GANPRIOR_DATA=FOLDER ganprior figure tuning/misfits --preset paper

FOLDER holds MNIST and FashionMNIST as torchvision has them. ``tuning/misfits-vae`` is the same for
the variational autoencoders of digits and of clothes, on fewer images and with fewer ways to
measure. Claims: at most 1% of a prior's own test images are flagged, wherever they are measured;
and inverted digits nearly all.
(The prior of clothes, of a larger range, takes digits for clothes, and some inverted clothes.)
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from experiments import plots
from experiments.bora2017.setting import gaussian
from experiments.images import SAMPLE, TORCHVISION, held_out, load_prior
from experiments.intervals import grouped
from experiments.rows import Row
from experiments.sweep.figure import Tables, declare
from experiments.yeh2017.setting import draw_masks, physics_of
from ganprior import CSGM, Images, Status, Streams, load_images
from ganprior.jobs import Cell

DIGITS, CLOTHES = "MNIST", "Fashion-MNIST"
OTHER = {DIGITS: CLOTHES, CLOTHES: DIGITS}
OWN, OTHERS, INVERTED = "own", "of the other set", "own, inverted"
FLAGGED = "flagged"


@dataclass(frozen=True)
class Config:
    """What is measured; the presets are below.

    Attributes
    ----------
    pairs : tuple of str
        Data set and prior.
    images : int
        Test images of a prior's own data; of the others a fifth.
    """

    pairs: tuple[str, ...]
    images: int = 500
    measured: tuple[float | str, ...] = (25, 100, 400, "center", "random 80%")
    effort: str = "fast"


def cells(config: Config) -> list[Cell]:
    """Every prior and way to measure."""
    return [
        Cell(CSGM.kind, "measured", place, panel)
        for panel in config.pairs
        for place in config.measured
    ]


def rows(config: Config, cell: Cell) -> list[Row]:
    """A row per kind of images."""
    data, _, name = cell.panel.partition(": ")
    prior, few = load_prior(name), max(1, config.images // 5)
    own = test_images(data, config.images)
    others = test_images(OTHER[data.removesuffix(SAMPLE)] + SAMPLE * data.endswith(SAMPLE), few)
    physics = measured_by(cell, prior.image_shape)
    found = []
    for kind, x, sha in (
        (OWN, own.floats(), own.sha256),
        (OTHERS, others.floats(), others.sha256),
        (INVERTED, 1 - own.head(few).floats(), own.sha256),
    ):
        solver, streams = CSGM(prior, effort=config.effort), Streams(cell.seed)
        flagged = solver.solve(physics.A(x), physics, rng=streams).status.count(Status.MISFIT)
        hashes = {"data_sha256": sha[:12], "prior_sha256": prior.card["weights_sha256"][:12]}
        found.append({"of": kind, "images": len(x), FLAGGED: flagged, **hashes})
    return found


def test_images(data: str, count: int) -> Images:
    """Test images of a data set."""
    if data.endswith(SAMPLE):
        return held_out(data.removesuffix(SAMPLE)).head(count)
    return load_images(TORCHVISION[data], split="test").head(count)


def measured_by(cell: Cell, shape: tuple[int, int, int]) -> Any:
    """Gaussian A of a number of rows, or a hole by name, the same for all images."""
    if isinstance(cell.value, str):
        return physics_of(draw_masks(cell.value, shape, 1, cell.seed), shape)
    return gaussian(int(cell.value), shape, cell.seed)


def tables(found: list[Row]) -> Tables:
    """Share that is flagged: a line per way to measure, a column per kind of images."""
    table = []
    for (panel, place), own in grouped(found, ["panel", "measured"]).items():
        line = {"prior": panel, "measured": place}
        for row in own:
            line[row["of"]] = f"{share(row):.1%} of {row['images']}"
        table.append(line)
    return {"summary": table}


def share(row: Row) -> float:
    """Flagged images of all."""
    return int(row[FLAGGED]) / int(row["images"])


def claims(found: list[Row]) -> dict[str, bool]:
    """Of every way to measure."""
    return {
        "at most 1% of a prior's own test images are flagged": all(
            share(row) <= 0.01 for row in found if row["of"] == OWN
        ),
        "at least 95% of inverted digits are": all(
            share(row) >= 0.95
            for row in found
            if row["of"] == INVERTED and row["panel"].startswith(DIGITS)
        ),
    }


def plot(found: list[Row], path: Path) -> None:
    """Bars of the shares, from 0 to 100%, for every way to measure."""
    groups = grouped(found, ["panel"])
    figure, panels = plots.new_figure(len(groups), width=4.8)
    for axes, ((title,), own) in zip(panels, groups.items(), strict=True):
        axes.set_title(title, fontsize=9)
        places = list(dict.fromkeys(str(row["measured"]) for row in own))
        for offset, ((kind,), rows_of) in zip(
            (-0.27, 0, 0.27), grouped(own, ["of"]).items(), strict=True
        ):
            at = [places.index(str(row["measured"])) + offset for row in rows_of]
            axes.bar(at, [100 * share(row) for row in rows_of], 0.25, label=kind)
        axes.set_xticks(range(len(places)), places, fontsize=8)
        axes.set(ylim=(0, 115), xlabel="measured", ylabel="flagged (%)")
        axes.legend(fontsize=7, ncols=3, loc="upper center")
    plots.save(figure, path)


def headline(found: list[Row]) -> str:
    """Least and largest share by prior and kind of images."""
    parts = []
    for (panel, kind), own in grouped(found, ["panel", "of"]).items():
        shares = [share(row) for row in own]
        parts.append(f"{panel}, {kind}: {min(shares):.1%} to {max(shares):.1%} flagged")
    return "; ".join(parts)


SMOKE = Config((f"{DIGITS}{SAMPLE}: mnist",), images=20, measured=(100,))
_declare = partial(declare, __name__, smoke=SMOKE, column=FLAGGED, across="of", form=".1f")
_declare(
    "tuning/misfits",
    "solutions are flagged of other images, and hardly any of the prior's own",
    paper=Config((f"{DIGITS}: mnist", f"{CLOTHES}: fashion-mnist-dcgan")),
)
_declare(
    "tuning/misfits-vae",
    "the same for the variational autoencoders of 28 x 28",
    paper=Config(
        (f"{DIGITS}: mnist-k64-vae", f"{CLOTHES}: fashion-mnist-k128-vae"),
        images=100,
        measured=(100, 400),
    ),
)
