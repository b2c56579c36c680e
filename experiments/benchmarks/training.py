"""Throughput of training: images per second of a DCGAN at 64 x 64 in colour, batches of 64.

Ours is the loop of ``ganprior train``: a step of ``Trainer`` on the recipe ``dcgan-64``, with the
moving average and the gradient norms that it takes beside. The plain loop is a transcription of
the one that DCGANs are commonly taught with: float32, contiguous tensors, real and generated
images in turn through the discriminator, the same generated images for both players, Adam. Same
networks, same images in memory, same process; the two take turns, and the figure is that of the
median turn.

Aim: at least twice the images per second. It is reached on a GPU, whose steps are recorded once and
replayed (``ganprior.cuda_graph``): the plain loop waits for the launches of its kernels. It is not
reached in the committed run on a processor with bfloat16 units of AVX-512. Ours takes such units
(``precision = "auto"``), and all of the gain there is theirs: the row "ganprior, float32", the same
loop without them, is slower than the plain loop, since Algorithm 1 draws anew for the generator
(one more pass of it), and the average and the norms come on top. The smaller number of products in
the layers of 4 x 4 and 8 x 8 outputs (``ganprior.training.fast_convolution``) makes up for that on
other processors only.

Tried and not used: on a CPU, the layers of 4 x 4 outputs as plain products of matrices, which is
slower than fewer products; one batch of generated images for both players, which saves arithmetic,
but is another algorithm; fused Adam, which is next to nothing of a step. bfloat16 without units for
it is emulated, and several times slower than float32. On a GPU, ``compile = true`` brings some more
once it has compiled.

    ganprior figure benchmarks/training --preset paper
    ganprior figure benchmarks/training-gpu --preset paper --device cuda
"""

from __future__ import annotations

import statistics
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

from experiments.intervals import grouped
from experiments.rows import Row
from experiments.sweep.clock import timed
from experiments.sweep.device import current_device
from experiments.sweep.figure import Tables, declare
from ganprior.datasets import Images
from ganprior.jobs import Cell
from ganprior.priors import architectures
from ganprior.training import Recipe, Trainer, load_recipe, precision_for

OURS, PLAIN = "ganprior", "plain loop"
SPEED = "images per second"
OURS_FLOAT32 = "ganprior, float32"
# Precision of the recipe for each of ours.
PRECISIONS = {OURS: "auto", OURS_FLOAT32: "float32"}


@dataclass(frozen=True)
class Config:
    """What is measured; the presets are below."""

    batch: int = 64
    size: int = 64
    k: int = 100
    filters: int = 64
    images: int = 1024
    steps: int = 5  # of a turn: a single one is mostly noise
    runs: int = 7


SMOKE = Config(batch=2, size=16, k=4, filters=2, images=4, steps=1, runs=3)
PRESETS = {"paper": Config(), "smoke": SMOKE}


def cells(config: Config) -> list[Cell]:
    """The one cell: the loops take turns."""
    return [Cell("all", "batch", config.batch)]


def recipe(config: Config, precision: str = "auto") -> Recipe:
    """``dcgan-64`` of the config's sizes."""
    return load_recipe("dcgan-64").override(
        batch_size=config.batch,
        size=config.size,
        latent_size=config.k,
        filters=config.filters,
        discriminator_filters=config.filters,
        precision=precision,
    )


def random_pixels(config: Config) -> Tensor:
    """Images as bytes, (N, 3, H, W)."""
    rng = torch.Generator().manual_seed(0)
    shape = config.images, 3, config.size, config.size
    return torch.randint(256, shape, generator=rng, dtype=torch.uint8)


def our_trainer(pixels: Tensor, config: Config, precision: str = "auto") -> Trainer:
    """Players of the package's loop."""
    images = Images(pixels, ("random",) * len(pixels), "random")
    return Trainer(recipe(config, precision), images, current_device())


def ours(pixels: Tensor, config: Config, precision: str) -> Callable[[], None]:
    """Step of the package's loop; it reads a loss, as the log does."""
    trainer = our_trainer(pixels, config, precision)

    def step() -> None:
        trainer.train_step().generator_loss.item()

    return step


def plain_networks(config: Config) -> tuple[nn.Module, nn.Module]:
    """Generator and discriminator of the same layers, as the architecture makes them."""
    architecture = architectures.Architecture(
        latent_size=config.k,
        channels=3,
        size=config.size,
        filters=config.filters,
        discriminator_filters=config.filters,
    )
    networks = architectures.build_networks(architecture)
    for network in (networks.generator, networks.discriminator):
        architectures.initialise(network, torch.Generator().manual_seed(1))
    return networks.generator.to(current_device()), networks.discriminator.to(current_device())


def plain_loop(pixels: Tensor, config: Config) -> Callable[[], None]:
    """Step of the common loop."""
    device, rate = current_device(), recipe(config)
    rng = torch.Generator().manual_seed(1)
    generator, logits = plain_networks(config)
    discriminator = nn.Sequential(logits, nn.Sigmoid())
    step_g = torch.optim.Adam(generator.parameters(), rate.learning_rate, rate.betas)
    step_d = torch.optim.Adam(discriminator.parameters(), rate.learning_rate, rate.betas)
    images = (pixels.float() / 127.5 - 1).to(device)
    order = torch.arange(len(images), device=device)
    criterion = nn.BCELoss()
    ones = torch.ones(config.batch, device=device)
    zeros = torch.zeros(config.batch, device=device)

    def step() -> None:
        nonlocal order
        order = order.roll(config.batch)
        real = images[order[: config.batch]]
        discriminator.zero_grad()
        criterion(discriminator(real), ones).backward()
        z = torch.randn(config.batch, config.k, generator=rng).to(device)
        fake = generator(z)
        criterion(discriminator(fake.detach()), zeros).backward()
        step_d.step()
        generator.zero_grad()
        loss = criterion(discriminator(fake), ones)
        loss.backward()
        step_g.step()
        loss.item()

    return step


def rows(config: Config, cell: Cell) -> list[Row]:
    """One row per turn of each loop."""
    pixels = random_pixels(config)
    loops = {PLAIN: plain_loop(pixels, config)}
    loops |= {name: ours(pixels, config, precision) for name, precision in PRECISIONS.items()}
    formats = {PLAIN: "float32"} | {
        name: str(precision_for(precision, current_device())).removeprefix("torch.")
        for name, precision in PRECISIONS.items()
    }

    def turn(step: Callable[[], None]) -> None:
        for _ in range(config.steps):
            step()

    found = []
    for number in range(config.runs):
        for name, step in loops.items():
            (taken,) = timed(partial(turn, step), 1, warm_up=1 if number == 0 else 0)
            found.append(
                {
                    "method": name,
                    "turn": number,
                    SPEED: f"{config.batch * config.steps / taken:.2f}",
                    "convolutions": formats[name],
                    "size": config.size,
                    "k": config.k,
                    "filters": config.filters,
                    "steps": config.steps,
                }
            )
    return found


def tables(found: list[Row]) -> Tables:
    """Median images per second of each loop, and the slowest and fastest turn."""
    groups = {name: own for (name,), own in grouped(found, ["method"]).items()}
    speeds = {name: [float(row[SPEED]) for row in own] for name, own in groups.items()}
    plain = statistics.median(speeds[PLAIN])
    return {
        "summary": [
            {
                "loop": name,
                "convolutions": groups[name][0]["convolutions"],
                SPEED: f"{statistics.median(values):.1f}",
                "slowest turn": f"{min(values):.1f}",
                "fastest turn": f"{max(values):.1f}",
                "times the plain loop": f"{statistics.median(values) / plain:.2f}",
                "turns": len(values),
                "device": groups[name][0].get("device", ""),
            }
            for name, values in speeds.items()
        ]
    }


def claims(found: list[Row]) -> dict[str, bool]:
    """The aim."""
    [line] = [line for line in tables(found)["summary"] if line["loop"] == OURS]
    return {"at least twice the plain loop": float(line["times the plain loop"]) >= 2}


SHARED: dict[str, Any] = {"column": SPEED, "trains": True, "timed": True}
declare(
    __name__,
    "benchmarks/training",
    "a step trains twice as fast as the common loop's",
    **PRESETS,
    **SHARED,
)
declare(
    __name__,
    "benchmarks/training-gpu",
    "the same on a GPU",
    paper=Config(steps=100),
    smoke=SMOKE,
    needs_gpu=True,
    **SHARED,
)
