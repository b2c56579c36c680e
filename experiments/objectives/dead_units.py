"""ReLU against LeakyReLU: units that no image wakes, and that no gradient can mend.

A. Radford, L. Metz, S. Chintala, "Unsupervised Representation Learning with Deep Convolutional
Generative Adversarial Networks", 2016, arXiv 1511.06434, section 3: LeakyReLU in the
discriminator. A. L. Maas, A. Y. Hannun, A. Y. Ng, "Rectifier Nonlinearities Improve Neural Network
Acoustic Models", 2013, section 2.1: a unit of ReLU that is never positive has no gradient, and
stays so.

A unit is a channel. After training on digits it is silent if it is positive at no place of any of
the images of a batch of either kind, and dead if moreover no gradient of the loss reaches it. The
rectifier is changed in both players; DCGAN with batch norm and without; the usual rate and a high
one.

Claims: in the discriminator without batch norm ReLU leaves dead units at the high rate, and
LeakyReLU none at any; with batch norm and the usual rate there are none with either.

    GANPRIOR_DATA=FOLDER ganprior figure objectives/dead-units --preset paper
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from torch import Tensor, nn

from experiments import plots
from experiments.objectives.digits import (
    COMMITTED,
    activations,
    digits,
    inputs_of,
    rectify,
    trainer_of,
)
from experiments.rows import Row
from experiments.sweep.figure import Tables, declare
from ganprior.jobs import Cell
from ganprior.training import Trainer

SLOPES = {"ReLU": 0.0, "LeakyReLU": 0.2}
NORMED, PLAIN = "dcgan", "dcgan-unnormalised"
PLAYERS = ("discriminator", "generator")


@dataclass(frozen=True)
class Config:
    """What is run; the presets are below."""

    data: str = "MNIST"
    architectures: tuple[str, ...] = (PLAIN, NORMED)
    rates: tuple[float, ...] = (2e-4, 5e-3)
    seeds: int = 2
    steps: int = 300
    filters: int = 16
    batch: int = 48
    counted: int = 256  # images of either kind


def cells(config: Config) -> list[Cell]:
    """One per architecture, rate, rectifier and seed."""
    return [
        Cell(rectifier, "rate", rate, architecture, seed)
        for architecture in config.architectures
        for rate in config.rates
        for rectifier in SLOPES
        for seed in range(config.seeds)
    ]


def rows(config: Config, cell: Cell) -> list[Row]:
    """Units of every hidden layer of both players after training."""
    trainer = trainer_of(
        digits(config.data),
        objective="non-saturating",
        architecture=cell.panel,
        filters=config.filters,
        discriminator_filters=config.filters,
        batch_size=config.batch,
        learning_rate=cell.number,
        seed=cell.seed,
    )
    for player in PLAYERS:
        rectify(trainer.networks[player], SLOPES[cell.method])
    while trainer.step < config.steps:
        trainer.train_step()
    return count_units(trainer, config.counted)


def count_units(trainer: Trainer, count: int) -> list[Row]:
    """Silent and dead units by player and layer, on ``count`` images of either kind.

    The losses are those of training, each player's own. Networks stay in training mode: that is
    where units die.
    """
    objective, discriminator = trainer.objective, trainer.discriminator
    assert objective is not None
    assert discriminator is not None
    real = _real(trainer, count)
    z = torch.randn(count, trainer.recipe.latent_size, generator=trainer.rng)
    found = []
    with recorded(discriminator) as layers:
        fake = trainer.generator(z).detach()
        loss = objective.discriminator_loss(discriminator, real, fake, trainer.rng)
        loss.backward()
        found += _rows("discriminator", layers)
    with recorded(trainer.generator) as layers:
        objective.generator_loss(discriminator, trainer.generator(z)).backward()
        found += _rows("generator", layers)
    return found


def _real(trainer: Trainer, count: int) -> Tensor:
    batches = -(-count // trainer.recipe.batch_size)
    taken = [trainer.batches.take(trainer.device).images for _ in range(batches)]
    return torch.cat(taken)[:count]


Layers = dict[str, list[Tensor]]


@contextmanager
def recorded(network: nn.Module) -> Iterator[Layers]:
    """Inputs of every rectifier at every pass, with their gradients once there are any."""
    layers: Layers = {}

    def keep(name: str, module: nn.Module, given: tuple[Tensor, ...]) -> None:
        if given[0].requires_grad:
            given[0].retain_grad()
            layers.setdefault(name, []).append(given[0])

    hooks = [
        child.register_forward_pre_hook(partial(keep, f"{i}"))
        for i, (_, _, child) in enumerate(activations(network))
    ]
    try:
        yield layers
    finally:
        for hook in hooks:
            hook.remove()


def _rows(player: str, layers: Layers) -> list[Row]:
    found = []
    for name, passes in layers.items():
        highest = torch.stack([channels(x.detach()).amax(1) for x in passes]).amax(0)
        reached = torch.stack(
            [channels(x.grad).abs().amax(1) for x in passes if x.grad is not None]
        ).amax(0)
        silent = highest <= 0
        found.append(
            {
                "player": player,
                "layer": name,
                "units": len(silent),
                "silent": int(silent.sum()),
                "dead": int((silent & (reached == 0)).sum()),
            }
        )
    return found


def channels(x: Tensor) -> Tensor:
    """(B, C, ...) to (C, everything else)."""
    return x.transpose(0, 1).flatten(1)


Place = tuple[str, str, float, str]


def places_of(found: list[Row]) -> dict[Place, dict[str, int]]:
    """Units, silent and dead ones over layers and seeds, by player, network, rate, rectifier."""
    table: dict[Place, dict[str, int]] = {}
    for row in found:
        place = row["player"], row["panel"], float(row["rate"]), row["method"]
        own = table.setdefault(place, {"units": 0, "silent": 0, "dead": 0})
        for key in own:
            own[key] += int(row[key])
    return dict(sorted(table.items(), key=lambda item: PLAYERS.index(item[0][0])))


def tables(found: list[Row]) -> Tables:
    """Per player, architecture, rate and rectifier: silent and dead units."""
    return {
        "summary": [
            {
                "player": player,
                "architecture": architecture,
                "rate": f"{rate:g}",
                "rectifier": rectifier,
                **own,
            }
            for (player, architecture, rate, rectifier), own in places_of(found).items()
        ]
    }


def claims(found: list[Row]) -> dict[str, bool]:
    """What the module says."""
    table = places_of(found)

    def dead(architecture: str, rate: float, rectifier: str) -> int:
        return table["discriminator", architecture, rate, rectifier]["dead"]

    rates = sorted({place[2] for place in table})
    low, high = rates[0], rates[-1]
    held = {
        f"discriminator without batch norm, rate {high:g}: ReLU leaves dead units": dead(
            PLAIN, high, "ReLU"
        )
        > 0,
        "discriminator without batch norm: LeakyReLU leaves none": all(
            dead(PLAIN, rate, "LeakyReLU") == 0 for rate in rates
        ),
    }
    if any(place[1] == NORMED for place in table):
        held[f"discriminator with batch norm, rate {low:g}: none with either"] = all(
            dead(NORMED, low, rectifier) == 0 for rectifier in SLOPES
        )
    return held


def headline(found: list[Row]) -> str:
    """Dead units of the discriminator."""
    parts = []
    for (player, architecture, rate, rectifier), own in places_of(found).items():
        if player == "discriminator" and architecture == PLAIN:
            parts.append(f"{rectifier} at rate {rate:g} {own['dead']} of {own['units']}")
    return f"dead units of a discriminator without batch norm: {', '.join(parts)}"


def plot(found: list[Row], path: Path) -> None:
    """Shares of silent and of dead units, a panel per player."""
    table = places_of(found)
    figure, panels = plots.new_figure(len(PLAYERS), width=4.8, height=3.4)
    for axes, player in zip(panels, PLAYERS, strict=True):
        own = {place[1:]: numbers for place, numbers in table.items() if place[0] == player}
        at = range(len(own))
        for key, color in (("silent", "0.75"), ("dead", "C3")):
            values = [numbers[key] / numbers["units"] for numbers in own.values()]
            axes.barh(at, values, color=color, label=key)
        names = [f"{rectifier}, {network}, {rate:g}" for network, rate, rectifier in own]
        axes.set_yticks(list(at), names, fontsize=6)
        axes.set(title=player, xlabel="share of units", xlim=(0, 1))
        axes.invert_yaxis()
    panels[0].legend(fontsize=7)
    plots.save(figure, path)


declare(
    __name__,
    "objectives/dead-units",
    "units of ReLU die where batch norm does not keep them, those of LeakyReLU do not",
    paper=Config(),
    smoke=Config(
        data=COMMITTED,
        architectures=(PLAIN,),
        rates=(2e-2,),
        seeds=1,
        steps=30,
        filters=8,
        batch=32,
        counted=64,
    ),
    inputs=inputs_of,
    published="LeakyReLU was found to work well in the discriminator; units are not counted",
    differs="narrow networks and few steps; both players' rectifiers are changed together",
    trains=True,
)
