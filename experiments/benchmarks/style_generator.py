"""StyleGAN2 in W against the loop that everyone writes: Adam on w, from the mean of W.

Claim: to the error at which CSGM ends, the plain loop needs at least five times as many generator
passes, at the best of its learning rates, or never gets there.

The network is StyleGAN2's of random weights, narrow and of 32 x 32 pixels, so that thousands of
passes take minutes on one core: its layers, modulation and mapping are those of the large ones.
Planted images G(w*), w* of the mapping's own law, are measured without noise. Passes are FLOPs over
those of one forward pass, those of the starts with them; a step of Adam is a forward and a backward
pass. The error is ||y - A x||^2 / ||y||^2, the median over the images.

    ganprior figure benchmarks/style-generator --preset paper
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from experiments import plots
from experiments.benchmarks.stylegan2_network import Generator
from experiments.rows import Row
from experiments.sweep.figure import Tables, declare
from ganprior import CSGM, Prior
from ganprior.jobs import Cell
from ganprior.physics import StructuredRows
from ganprior.priors import stylegan2
from ganprior.solvers import LBFGS, Descend, Effort, Polish, Random

FEWER = 5
OURS, PLAIN = "ganprior", "plain Adam"


@dataclass(frozen=True)
class Config:
    """What is measured; the presets are below."""

    size: int = 32
    channels: int = 16
    k: int = 64
    layers: int = 4  # of the mapping
    m: int = 400
    images: int = 4
    restarts: int = 3
    tried: int = 30
    steps: int = 40
    polish_steps: int = 12
    rates: tuple[float, ...] = (0.03, 0.1, 0.3)
    plain_steps: int = 1500


def cells(config: Config) -> list[Cell]:
    """One cell, with both contenders in it."""
    return [Cell("both", "m", config.m)]


def rows(config: Config, cell: Cell) -> list[Row]:
    """A row for ganprior, and one for each learning rate of the plain loop."""
    network = Generator(config.size, config.k, config.layers, config.channels).eval()
    prior = stylegan2(network.requires_grad_(False), "w")
    physics = StructuredRows(config.m, prior.image_shape, torch.Generator().manual_seed(1))
    y = physics.A(prior.sample(config.images, 2))
    effort = Effort(
        Random(config.restarts, tried=config.tried),
        Descend(LBFGS(curvature=False), config.steps, keep=((0.3, 1),)),
        Polish(config.polish_steps, tolerance=0.0),
    )
    solver = CSGM(prior, 0.0, effort=effort)
    passes = flops(lambda: solver.solve(y[:1], physics)) / flops_of_one(prior)
    error = _relative(solver.solve(y, physics).measurement_error, y)
    about = {"k": config.k, "n": y[0].new_empty(prior.image_shape).numel(), "images": len(y)}
    found = [{"method": OURS, "passes": f"{passes:.0f}", "error": f"{error:.3g}", **about}]
    step = flops(lambda: _gradient(prior, physics, _start(prior, 1), y[:1])) / flops_of_one(prior)
    for rate in config.rates:
        errors = plain_adam(prior, physics, y, rate, config.plain_steps)
        there = [number for number, own in enumerate(errors, 1) if own <= error]
        found.append(
            {
                "method": f"{PLAIN}, {rate:g}",
                "passes": f"{step * config.plain_steps:.0f}",
                "error": f"{min(errors):.3g}",
                "passes to ours": f"{step * there[0]:.0f}" if there else "",
                "error at ours": f"{min(errors[: max(1, int(passes / step))]):.3g}",
                **about,
            }
        )
    return [{"passes to ours": "", "error at ours": "", **row} for row in found]


def plain_adam(
    prior: Prior, physics: StructuredRows, y: Tensor, rate: float, steps: int
) -> list[float]:
    """Median error after each step of torch's Adam on w, from the mean of W, on all images."""
    w = _start(prior, len(y)).requires_grad_(True)
    adam = torch.optim.Adam([w], lr=rate)
    errors = []
    for _ in range(steps):
        adam.zero_grad()
        misfit = (y - physics.A(prior(w))).flatten(1).square().sum(1)
        misfit.sum().backward()
        adam.step()
        errors.append(_relative(misfit.detach(), y))
    return errors


def _start(prior: Prior, count: int) -> Tensor:
    moments = prior.latent.moments()
    assert moments is not None
    return moments.mean.float().repeat(count, 1)


def _gradient(prior: Prior, physics: StructuredRows, w: Tensor, y: Tensor) -> None:
    w = w.requires_grad_(True)
    (y - physics.A(prior(w))).square().sum().backward()


def _relative(squares: Tensor, y: Tensor) -> float:
    return float((squares / y.flatten(1).square().sum(1)).median())


class _WithoutModules:
    """In place of torch's tracker of modules, whose hooks ``torch.autograd.grad`` cannot stand."""

    parents = frozenset({"Global"})

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: object) -> None:
        pass


def flops(call: Callable[[], object]) -> float:
    """FLOPs of a call without arguments."""
    counter = FlopCounterMode(display=False)
    counter.mod_tracker = _WithoutModules()  # type: ignore[assignment]
    with counter:
        call()
    return float(counter.get_total_flops())


def flops_of_one(prior: Prior) -> float:
    """FLOPs of one forward pass of one image."""
    with torch.no_grad():
        return flops(lambda: prior(_start(prior, 1)))


def tables(found: list[Row]) -> Tables:
    """Passes and errors, and passes against those of ganprior."""
    (ours,) = [row for row in found if row["method"] == OURS]
    table = []
    for row in found:
        to_ours = row["passes to ours"]
        times = f"{float(to_ours) / float(ours['passes']):.1f}" if to_ours else "never"
        table.append(
            {
                "method": row["method"],
                "passes": row["passes"],
                "error": row["error"],
                "error after as many passes as ours": row["error at ours"] or row["error"],
                "times our passes to our error": "1.0" if row is ours else times,
            }
        )
    return {"summary": table}


def claims(found: list[Row]) -> dict[str, bool]:
    """No learning rate is there within five times the passes."""
    (ours,) = [row for row in found if row["method"] == OURS]
    times = [row["passes to ours"] for row in found if row["method"] != OURS]
    slow = [not t or float(t) >= FEWER * float(ours["passes"]) for t in times]
    return {f"the plain loop needs at least {FEWER} times as many passes": all(slow)}


def plot(found: list[Row], path: Path) -> None:
    """Error against the passes that it took, both axes logarithmic."""
    figure, [axes] = plots.new_figure(width=5)
    for row in found:
        axes.plot(float(row["passes"]), float(row["error"]), "o", label=row["method"])
    axes.set(xscale="log", yscale="log", xlabel="generator passes per image", ylabel="error")
    axes.legend(fontsize=8)
    plots.save(figure, path)


declare(
    __name__,
    "benchmarks/style-generator",
    "in W of a StyleGAN2, CSGM needs a fifth of the generator passes of a plain Adam loop",
    paper=Config(),
    smoke=Config(
        8, 4, 8, 2, m=60, images=2, tried=4, steps=5, polish_steps=2, rates=(0.1,), plain_steps=5
    ),
    column="error",
    timed=True,
)
