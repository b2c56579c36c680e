"""A discriminator that is too sure: soft labels, flipped labels, and noise on its input.

M. Arjovsky, L. Bottou, "Towards Principled Methods for Training Generative Adversarial Networks",
2017, arXiv 1701.04862, section 2 and theorem 2.4: as the discriminator nears its optimum, the
gradient of the minimax generator vanishes; section 3: noise on the inputs keeps it from that.
T. Salimans et al., "Improved Techniques for Training GANs", 2016, arXiv 1606.03498, section 3.4:
soft labels. Flipped labels are among the practitioners' remedies.

A DCGAN of digits with the minimax objective and several discriminator steps per generator step.
Saturated are real images with D > 0.99 and generated ones with D < 0.01, both without the noise;
beside that share the norm of the generator's gradient.

Claims: each remedy lowers the share of saturated images and raises the norm of the generator's
gradient, both averaged over the second half of the steps.

    GANPRIOR_DATA=FOLDER ganprior figure objectives/saturation --preset paper
"""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from experiments import plots
from experiments.objectives.digits import COMMITTED, digits, inputs_of, trainer_of
from experiments.rows import Row
from experiments.sweep.figure import Tables, declare
from ganprior.jobs import Cell
from ganprior.training import Trainer

PLAIN = "no remedy"
REMEDIES: dict[str, dict[str, Any]] = {
    PLAIN: {},
    "soft labels 0.9": {"real_label": 0.9},
    "soft labels 0.9, 0.1": {"real_label": 0.9, "fake_label": 0.1},
    "labels flipped 10%": {"label_flip": 0.1},
    "input noise 0.5": {"input_noise": 0.5},
}
SURE = 0.99


@dataclass(frozen=True)
class Config:
    """What is run; the presets are below."""

    data: str = "MNIST"
    methods: tuple[str, ...] = tuple(REMEDIES)
    seeds: int = 2
    steps: int = 400
    every: int = 20
    filters: int = 12
    discriminator_filters: int = 24
    batch: int = 48
    rate: float = 2e-4
    critic_steps: int = 3


def cells(config: Config) -> list[Cell]:
    """One per remedy and seed."""
    return [
        Cell(method, "critic_steps", config.critic_steps, seed=seed)
        for method in config.methods
        for seed in range(config.seeds)
    ]


def rows(config: Config, cell: Cell) -> list[Row]:
    """Saturation and gradients along the run."""
    trainer = trainer_of(
        digits(config.data),
        objective="minimax",
        critic_steps=config.critic_steps,
        filters=config.filters,
        discriminator_filters=config.discriminator_filters,
        batch_size=config.batch,
        learning_rate=config.rate,
        seed=cell.seed,
        **REMEDIES[cell.method],
    )
    found = []
    while trainer.step < config.steps:
        step = trainer.train_step()
        if trainer.step % config.every == 0:
            norm = step.generator_gradient.item()
            found.append(
                {"step": trainer.step, **look(trainer), "generator_gradient": _short(norm)}
            )
    return found


@torch.no_grad()
def look(trainer: Trainer) -> Row:
    """Means and saturated shares of D on a batch of either kind, without noise on it."""
    assert trainer.discriminator is not None
    real, _ = trainer.batches.take(trainer.device)
    fake = trainer.generator(trainer.latents())
    on_real, on_fake = (torch.sigmoid(trainer.discriminator(x)) for x in (real, fake))
    sure = torch.cat([on_real > SURE, on_fake < 1 - SURE])
    return {
        "on_real": round(on_real.mean().item(), 4),
        "on_fake": round(on_fake.mean().item(), 4),
        "saturated": round(sure.double().mean().item(), 4),
    }


def _short(value: float) -> float:
    return float(f"{value:.4g}")


def ends_of(found: list[Row]) -> dict[str, dict[str, float]]:
    """Means over the second half of the steps and all seeds, by remedy."""
    half = max(int(row["step"]) for row in found) / 2
    table = {}
    for method in dict.fromkeys(row["method"] for row in found):
        own = [row for row in found if row["method"] == method and int(row["step"]) > half]
        columns = ("on_real", "on_fake", "saturated", "generator_gradient")
        table[method] = {key: statistics.mean(float(row[key]) for row in own) for key in columns}
    return table


def tables(found: list[Row]) -> Tables:
    """Per remedy: D on both kinds, saturated share, gradient of the generator."""
    return {
        "summary": [
            {
                "remedy": method,
                "D of real images": f"{own['on_real']:.3f}",
                "D of generated images": f"{own['on_fake']:.3f}",
                "saturated": f"{own['saturated']:.1%}",
                "norm of the generator's gradient": f"{own['generator_gradient']:.3g}",
            }
            for method, own in ends_of(found).items()
        ]
    }


def claims(found: list[Row]) -> dict[str, bool]:
    """What the module says."""
    ends = ends_of(found)
    plain, held = ends.pop(PLAIN), {}
    for method, own in ends.items():
        held[f"{method}: fewer images are saturated"] = own["saturated"] < plain["saturated"]
        held[f"{method}: the generator's gradient is larger"] = (
            own["generator_gradient"] > plain["generator_gradient"]
        )
    return held


def headline(found: list[Row]) -> str:
    """Saturated shares."""
    parts = [f"{method} {own['saturated']:.0%}" for method, own in ends_of(found).items()]
    return f"saturated: {', '.join(parts)}"


def plot(found: list[Row], path: Path) -> None:
    """Saturated share and gradient of the generator against the step."""
    figure, panels = plots.new_figure(2, width=4.8, height=3.6)
    methods = list(dict.fromkeys(row["method"] for row in found))
    for i, method in enumerate(methods):
        own = [row for row in found if row["method"] == method]
        steps = sorted({int(row["step"]) for row in own})
        for axes, column in zip(panels, ("saturated", "generator_gradient"), strict=True):
            values = [
                statistics.mean(float(r[column]) for r in own if int(r["step"]) == step)
                for step in steps
            ]
            axes.plot(steps, values, label=method, **plots.unhidden(i, len(methods)))
    panels[0].set(xlabel="generator step", ylabel="saturated share of images")
    panels[1].set(xlabel="generator step", ylabel="norm of the generator's gradient", yscale="log")
    panels[0].legend(fontsize=7)
    plots.save(figure, path)


declare(
    __name__,
    "objectives/saturation",
    "soft labels, flips and input noise keep a discriminator from being too sure",
    paper=Config(),
    smoke=Config(
        data=COMMITTED,
        methods=(PLAIN, "soft labels 0.9, 0.1"),
        seeds=1,
        steps=80,
        every=10,
        filters=4,
        discriminator_filters=16,
        batch=32,
        rate=1e-3,
    ),
    inputs=inputs_of,
    published="proved: the better D is, the smaller the minimax gradient; no figures of these",
    differs="narrow networks and few steps",
    trains=True,
)
