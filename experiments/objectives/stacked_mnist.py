"""Mode collapse on 1,000 classes: MNIST digits stacked in the three colour channels.

L. Metz, B. Poole, D. Pfau, J. Sohl-Dickstein, "Unrolled Generative Adversarial Networks", 2017,
arXiv 1611.02163, section 3.3.1; A. Srivastava et al., "VEEGAN", 2017, arXiv 1705.07761, section
4.2. An image has three random digits, one in each channel; its class is the number that they spell,
as the shipped classifier of MNIST reads it. A class is covered if one sample is read as it; KL is
that of the shares of the classes to the uniform law. Real images give what the figures are at best
with so many samples.

A small DCGAN without batch norm in the critic of WGAN-GP; the same number of generator steps for
all objectives, with 3 critic steps each for the two Wasserstein ones and 1 for the others. The
non-saturating game also with one stabiliser each: the closeness penalty, noise on the
discriminator's input that fades away, dropout in the generator that stays on.

Claims: real images cover at least 98% of the classes; minimax covers fewer than non-saturating, and
both fewer than WGAN-GP; each stabiliser lets the non-saturating game cover more.

    GANPRIOR_DATA=FOLDER ganprior figure objectives/stacked-mnist --preset paper
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from experiments import plots
from experiments.objectives import modes
from experiments.objectives.digits import COMMITTED, digits, inputs_of, trainer_of
from experiments.rows import Row
from experiments.sweep.figure import Tables, declare
from ganprior import Images
from ganprior.evaluation import TrainedClassifier, classifier, load_classifier
from ganprior.jobs import Cell
from ganprior.streams import derive_seed
from ganprior.training import Trainer

CLASSES = 1000
REAL, PLAIN = "real images", "alone"
STABILISERS: dict[str, dict[str, Any]] = {
    PLAIN: {},
    "closeness penalty": {"closeness_weight": 1.0},
    "input noise": {"input_noise": 0.5},
    "dropout": {"generator_dropout": 0.1, "dropout_at_test": True},
}


@dataclass(frozen=True)
class Config:
    """What is run; the presets are below."""

    data: str = "MNIST"
    objectives: tuple[str, ...] = ("minimax", "non-saturating", "wgan", "wgan-gp")
    stabilisers: tuple[str, ...] = tuple(STABILISERS)  # of the non-saturating game
    images: int = 10_000
    samples: int = 5000
    steps: int = 900
    looks: int = 3
    filters: int = 16
    latent_size: int = 32
    batch: int = 48
    critic_steps: int = 3
    seed: int = 0


def cells(config: Config) -> list[Cell]:
    """Real images, every objective, and the stabilisers."""
    pairs = [(REAL, PLAIN), *((objective, PLAIN) for objective in config.objectives)]
    pairs += [("non-saturating", name) for name in config.stabilisers if name != PLAIN]
    return [Cell(method, "steps", config.steps, name, config.seed) for method, name in pairs]


@functools.cache
def stacked(source: str, count: int, seed: int) -> Images:
    """Images of three random digits, (count, 3, 28, 28), labelled by the number they spell."""
    rng = torch.Generator().manual_seed(derive_seed(seed, "stacked"))
    found = digits(source)
    assert found.labels is not None
    # A digit first, and then an image of it: all classes have the same share.
    places = [(found.labels == digit).nonzero().flatten() for digit in range(10)]
    drawn = torch.randint(10, (count, 3), generator=rng).flatten().tolist()
    shares = torch.rand(3 * count, generator=rng).tolist()
    chosen = torch.stack(
        [places[digit][int(u * len(places[digit]))] for digit, u in zip(drawn, shares, strict=True)]
    ).view(count, 3)
    return Images(
        found.pixels[chosen, 0],
        tuple(f"stacked[{i}]" for i in range(count)),
        found.sha256,
        spelled(found.labels[chosen]),
    )


def spelled(numbers: Tensor) -> Tensor:
    """Numbers 0 to 999 of three digits each (N, 3), int64 (N,)."""
    return numbers @ torch.tensor([100, 10, 1])


@functools.cache
def reader() -> TrainedClassifier:
    """The shipped classifier of MNIST."""
    return load_classifier(classifier.CLASSIFIERS / "mnist")


def read(images: Tensor) -> Tensor:
    """Classes of stacked images (N, 3, H, W) in [0, 1], int64 (N,)."""
    return spelled(reader().read(images.flatten(0, 1)[:, None]).view(-1, 3))


def rows(config: Config, cell: Cell) -> list[Row]:
    """Classes covered along the run; of real images, those of new ones."""
    if cell.method == REAL:
        real = stacked(config.data, config.samples, cell.seed + 1).floats()
        return [{"step": 0, **count_classes(real)}]
    trainer = new_trainer(config, cell)
    found = []
    for look in range(1, config.looks + 1):
        while trainer.step < config.steps * look // config.looks:
            trainer.train_step()
        found.append({"step": trainer.step, **count_classes(draw(trainer, config.samples))})
    return found


def new_trainer(config: Config, cell: Cell) -> Trainer:
    """Fresh players of a cell, with the rates of the objective's own recipe or paper."""
    wasserstein = cell.method.startswith("wgan")
    own: dict[str, Any] = {"critic_steps": config.critic_steps if wasserstein else 1}
    if cell.method == "wgan":
        own |= {"optimizer": "rmsprop", "learning_rate": 2e-4, "clip": 0.02}
    return trainer_of(
        stacked(config.data, config.images, cell.seed),
        objective=cell.method,
        filters=config.filters,
        discriminator_filters=config.filters,
        latent_size=config.latent_size,
        batch_size=config.batch,
        seed=cell.seed,
        **own,
        **STABILISERS[cell.panel],
    )


@torch.no_grad()
def draw(trainer: Trainer, count: int) -> Tensor:
    """Images in [0, 1] of the generator as it would ship, (count, 3, H, W)."""
    rng = torch.Generator().manual_seed(derive_seed(trainer.recipe.seed, "samples", trainer.step))
    generator = trainer.average.eval()
    z = torch.randn(count, trainer.recipe.latent_size, generator=rng)
    return torch.cat([(generator(part) + 1) / 2 for part in z.split(500)])


def count_classes(images: Tensor) -> Row:
    """Classes covered, and KL to uniform."""
    classes = read(images)
    found = modes.covered(classes, CLASSES, len(classes), 0.0)
    return {
        "covered": int(found.sum()),
        "kl": round(modes.divergence_from_uniform(classes, CLASSES), 4),
    }


def inputs(config: Config) -> dict[str, str]:
    """Hashes of the digits, and of those that the classifier has seen."""
    seen = reader().card["data_sha256"][:12]
    return {**inputs_of(config), "classifier's data_sha256": seen}


Place = tuple[str, str]


def places_of(found: list[Row]) -> dict[Place, list[Row]]:
    """Rows by objective and stabiliser."""
    places: dict[Place, list[Row]] = {}
    for row in found:
        places.setdefault((row["method"], row["panel"]), []).append(row)
    return places


def tables(found: list[Row]) -> Tables:
    """Per objective and stabiliser: classes covered and KL after the last step."""
    return {
        "summary": [
            {
                "objective": method,
                "stabiliser": stabiliser if method != REAL else "",
                "classes covered": own[-1]["covered"],
                "most at any time": max(int(row["covered"]) for row in own),
                "KL to uniform": f"{float(own[-1]['kl']):.2f}",
            }
            for (method, stabiliser), own in places_of(found).items()
        ]
    }


def claims(found: list[Row]) -> dict[str, bool]:
    """What the module says, after the last step."""
    ends = {place: int(own[-1]["covered"]) for place, own in places_of(found).items()}
    held = {"real images cover at least 98% of the classes": ends[REAL, PLAIN] >= 0.98 * CLASSES}
    order = [("minimax", "non-saturating"), ("non-saturating", "wgan-gp"), ("minimax", "wgan-gp")]
    for less, more in order:
        if {(less, PLAIN), (more, PLAIN)} <= ends.keys():
            held[f"{less} covers fewer than {more}"] = ends[less, PLAIN] < ends[more, PLAIN]
    for (method, stabiliser), own in ends.items():
        if stabiliser != PLAIN:
            held[f"{method} covers more with {stabiliser}"] = own > ends[method, PLAIN]
    return held


def headline(found: list[Row]) -> str:
    """Classes covered after the last step."""
    parts = [
        f"{method}{'' if stabiliser == PLAIN else f' with {stabiliser}'} {own[-1]['covered']}"
        for (method, stabiliser), own in places_of(found).items()
    ]
    return f"of {CLASSES} classes: {', '.join(parts)}"


def plot(found: list[Row], path: Path) -> None:
    """Classes covered and KL to uniform over time."""
    figure, panels = plots.new_figure(2, width=5.0)
    places = places_of(found)
    for i, ((method, stabiliser), own) in enumerate(places.items()):
        label = method if stabiliser == PLAIN else f"{method}, {stabiliser}"
        steps = [int(row["step"]) for row in own]
        for axes, column in zip(panels, ("covered", "kl"), strict=True):
            values = [float(row[column]) for row in own]
            if method == REAL:
                axes.axhline(values[0], color="0.4", ls=":", label=label)
            else:
                style = "-" if stabiliser == PLAIN else "--"
                how = plots.unhidden(i, len(places))
                axes.plot(steps, values, style, color=f"C{i}", label=label, **how)
    panels[0].set(xlabel="generator step", ylabel="classes covered, of 1,000")
    panels[1].set(xlabel="generator step", ylabel="KL to uniform")
    panels[0].legend(fontsize=7)
    plots.save(figure, path)


declare(
    __name__,
    "objectives/stacked-mnist",
    "of 1,000 classes, the same",
    paper=Config(),
    smoke=Config(
        data=COMMITTED,
        objectives=("non-saturating",),
        stabilisers=(PLAIN,),
        images=500,
        samples=5000,
        steps=20,
        looks=1,
        filters=4,
        latent_size=8,
        batch=16,
    ),
    published="DCGAN and unrolled GAN cover a small part of the classes (VEEGAN, section 4.2)",
    differs="WGANs instead of VEEGAN; small networks, few steps, 5,000 samples, one seed",
    trains=True,
)
