"""How many different images the priors draw (Arora, Zhang 2017, ICLR 2018; arXiv 1706.08224).

Two images are the same where features of a classifier are nearer than 99.9% of 10,000 training
images have their nearest other one. The pairs among 10,000 draws then give the size of the support,
as in :mod:`ganprior.metrics.support`; the paper lets people look for duplicates. ``planted`` draws
from so many training images and nothing else, so that the answer is known; ``real`` are the 10,000
test images, which no two are the same of. Claims: of a planted support the estimate is within a
factor of 2; and of test images it is at least 100,000, for which the 60,000 training images of
the set would be too few.

    GANPRIOR_DATA=FOLDER ganprior figure arora2018/birthday --preset paper

FOLDER holds MNIST and FashionMNIST as torchvision has them.

    python -m experiments.arora2018.birthday

writes what the committed rows say into the card of each prior.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor

from experiments.figures import load_figure
from experiments.images import TORCHVISION, hashes_of, held_out, load_prior
from experiments.intervals import grouped
from experiments.rows import Row
from experiments.sweep.figure import Tables, declare
from ganprior import Images, extract_features, load_images
from ganprior.evaluation import Features, choose_features, draw_samples, update_quality
from ganprior.jobs import Cell
from ganprior.metrics import duplicate_distance, support_size
from ganprior.priors import find_prior, read_card, write_card
from ganprior.streams import derive_seed

PLANTED, REAL = "planted", "real test images"
FACTOR, LEAST = 2, 100_000
END = 1e9  # of the picture


@dataclass(frozen=True)
class Config:
    """What is drawn; the presets are below."""

    priors: tuple[tuple[str, str], ...]  # data set and prior
    sizes: tuple[int, ...] = (1_000, 10_000, 50_000)
    drawn: int = 10_000
    known: int = 10_000  # training images that say what is the same
    committed: bool = False  # the committed test images in place of the data sets


def cells(config: Config) -> list[Cell]:
    """Known supports, real images and priors of each set."""
    found = []
    for data in dict(config.priors):
        found += [Cell(PLANTED, "size", size, data) for size in config.sizes]
        if not config.committed:
            found.append(Cell(REAL, "size", "", data))
    return found + [Cell(name, "size", "", data) for data, name in config.priors]


def rows(config: Config, cell: Cell) -> list[Row]:
    """The estimate."""
    data, training = cell.panel, images_of(config, cell.panel, "train")
    extractor = features_of(config, data).extractor
    rng = torch.Generator().manual_seed(derive_seed(cell.seed, "birthday"))
    prior = None
    if cell.method == PLANTED:
        chosen = torch.randint(int(cell.number), (config.drawn,), generator=rng)
        # Each once: the features of an image do not depend on how often it is drawn.
        drawn = extract_features(extractor, training.pixels[: int(cell.number)])[chosen]
    elif cell.method == REAL:
        drawn = extract_features(extractor, images_of(config, data, "test").pixels[: config.drawn])
    else:
        prior = load_prior(cell.method)
        features = draw_samples(prior, config.drawn, rng, extractor).features
        assert features is not None
        drawn = features
    found = support_size(drawn, distance_of(config, data))
    return [
        {
            "images": found.images,
            "pairs": found.pairs,
            "estimate": f"{found.size:.6g}",
            "low": f"{found.low:.6g}",
            "high": f"{found.high:.6g}",
            **hashes_of(training, prior),
        }
    ]


@functools.cache
def images_of(config: Config, data: str, split: Literal["train", "test"]) -> Images:
    """Images of a set: all of a split, or the committed ones."""
    if config.committed:
        return held_out(data)
    return load_images(TORCHVISION[data], split=split)


@functools.cache
def features_of(config: Config, data: str) -> Features:
    """Features of the classifier that is shipped for a data set."""
    prior = load_prior(dict(config.priors)[data])
    found = choose_features(prior.card["data_sha256"], prior.image_shape, None)
    assert found is not None
    return found


@functools.cache
def distance_of(config: Config, data: str) -> float:
    """Distance from which on images of a set are different ones."""
    known: Tensor = images_of(config, data, "train").pixels[: config.known]
    return duplicate_distance(extract_features(features_of(config, data).extractor, known))


def inputs(config: Config) -> dict[str, str]:
    """Hashes of images and priors."""
    found = {}
    for data, name in config.priors:
        found[f"data_sha256 of {data}"] = images_of(config, data, "train").sha256[:12]
        found[f"prior_sha256 of {name}"] = load_prior(name).card["weights_sha256"][:12]
    return found


def claims(found: list[Row]) -> dict[str, bool]:
    """Known supports are found, and real images have none that is as small."""
    kinds = {kind: own for (kind,), own in grouped(found, ["method"]).items()}
    ratios = [float(row["estimate"]) / float(row["size"]) for row in kinds[PLANTED]]
    name = f"of a known support the estimate is within a factor of {FACTOR}"
    held = {name: all(1 / FACTOR <= ratio <= FACTOR for ratio in ratios)}
    if REAL in kinds:
        held[f"of test images it is at least {LEAST:,}"] = all(
            float(row["estimate"]) >= LEAST for row in kinds[REAL]
        )
    return held


def tables(found: list[Row]) -> Tables:
    """Estimates with their intervals, a line for each support."""
    return {
        "summary": [
            {
                "images of": row["panel"],
                "drawn by": name_of(row),
                "pairs that are the same": row["pairs"],
                "different images": _estimate(row),
                "90% interval": f"from {_number(row['low'])}"
                + ("" if row["high"] == "inf" else f" to {_number(row['high'])}"),
            }
            for row in found
        ]
    }


def name_of(row: Row) -> str:
    """What drew the images, with the size of a known support."""
    size = f" {_number(row['size'])}" if row["size"] else ""
    return f"{row['method']}{size}"


def _estimate(row: Row) -> str:
    """The estimate; where there was no pair, the lower end of its interval."""
    if row["estimate"] == "inf":
        return f"at least {_number(row['low'])}"
    return _number(row["estimate"])


def _number(value: object) -> str:
    """Three digits of a finite number."""
    return f"{float(f'{float(str(value)):.3g}'):,.0f}"


def headline(found: list[Row]) -> str:
    """Estimates of the priors."""
    named = [row for row in found if row["method"] not in (PLANTED, REAL)]
    return "; ".join(f"{row['method']} {_estimate(row)}" for row in named)


def plot(found: list[Row], path: Path) -> None:
    """Estimates with their intervals, one below the other."""
    from experiments import plots

    figure, [axes] = plots.new_figure(width=7, height=0.8 + 0.28 * len(found))
    names = [f"{name_of(row)} ({row['panel']})" for row in found]
    for i, row in enumerate(found):
        low, high, size = (float(row[key]) for key in ("low", "high", "estimate"))
        axes.plot([low, min(high, END)], [i, i], color="0.5", lw=2)
        if math.isfinite(size):
            colour = "C1" if row["method"] == PLANTED else "C0"
            axes.plot([size], [i], "o", color=colour, ms=4)
        if high > END:  # the interval has no upper end, or one outside of the picture
            axes.plot([END], [i], ">", color="0.5", ms=5)
        if row["method"] == PLANTED:
            axes.plot([float(row["size"])], [i], "k|", ms=9)
    axes.set(xscale="log", yticks=range(len(names)), xlabel="different images (90% interval)")
    axes.set_yticklabels(names, fontsize=7)
    axes.invert_yaxis()
    plots.save(figure, path)


MNIST = ("mnist-k20-vae-gan", "mnist-k20-vae", "mnist-k64-vae-gan", "mnist-k64-vae", "cdcgan-mnist")
CLOTHES = ("fashion-mnist-dcgan", "fashion-mnist-wgan-gp", "fashion-mnist-k128-vae")
PAPER = Config(
    (*(("MNIST", name) for name in MNIST), *(("Fashion-MNIST", name) for name in CLOTHES))
)
declare(
    __name__,
    "arora2018/birthday",
    "how many different images a prior draws, by duplicates",
    paper=PAPER,
    smoke=Config((("MNIST", "mnist-k64-vae"),), (20, 80), 1_000, 100, committed=True),
    published="CelebA: DCGAN about 160,000 different faces, ALI and BiGAN about a million",
    differs="28 x 28 digits and clothes; duplicates by a classifier's features and not by eye",
)


def main() -> None:
    """Write the committed estimates into the cards, those of real images beside them."""
    found = load_figure("arora2018/birthday").committed()
    real = {row["panel"]: row for row in found if row["method"] == REAL}
    for row in found:
        if row["method"] in (PLANTED, REAL):
            continue
        path = find_prior(row["method"])
        figures = {
            "support_estimate": _bounds(row),
            "real_support_estimate": _bounds(real[row["panel"]]),
        }
        write_card(path, update_quality(read_card(path), figures))


def _bounds(row: Row) -> dict[str, float | None]:
    named = {"size": "estimate", "low": "low", "high": "high"}
    values = {key: float(f"{float(row[column]):.4g}") for key, column in named.items()}
    return {key: value if math.isfinite(value) else None for key, value in values.items()}


if __name__ == "__main__":
    main()
