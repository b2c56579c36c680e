"""What each idea of the engine buys: ``balanced`` with one of them taken away at a time.

- bank: starts are drawn at random;
- regression: starts are the bank's nearest entries alone;
- curvature: L-BFGS sets out from a multiple of the identity, with the first move that was best
  for it;
- race: all restarts run to the end, and all are polished;
- L-BFGS: Adam in its place, at the rates that were best for it (0.15 falling to 0.03);
- polish: no Levenberg-Marquardt steps at the end;
- early stopping: every signal takes all first-order steps;
- folding: the generator runs layer by layer, as it was built.

Claim: whatever is taken away, the error rises or seconds are lost. On tuning images (of the last
1,000 of Fashion-MNIST's training set) with the default lambda. Generator passes are FLOPs, counted
on a few images in a run of their own, over the FLOPs of one forward pass; "seconds" and "objective"
are means per image. Seconds are those of all cores together, so that other work on the machine
counts little, without those of the bank and of the mean curvature, which are computed once per
prior.

    GANPRIOR_DATA=FOLDER ganprior figure benchmarks/ablation --preset paper
"""

from __future__ import annotations

import copy
import statistics
import time
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from experiments.images import SAMPLE, for_tuning, hashes_of
from experiments.intervals import grouped
from experiments.rows import Row
from experiments.sweep.figure import Tables, declare
from ganprior import BALANCED, CSGM, Effort, Prior, Streams
from ganprior.jobs import Cell, grid
from ganprior.metrics import per_pixel_error
from ganprior.physics import Gaussian
from ganprior.solvers import LBFGS, Adam, Descend, FromBank, Polish, Random
from ganprior.streams import derive_seed

WHOLE, UNFOLDED = "balanced", "without folding"
EFFORTS = {
    WHOLE: BALANCED,
    "without bank": BALANCED.map(lambda s: Random(6) if isinstance(s, FromBank) else s),
    "without regression": BALANCED.change(FromBank, nearest=6, regress=()),
    "without mean curvature": BALANCED.change(Descend, descent=LBFGS(0.5, curvature=False)),
    "without race": BALANCED.change(Descend, keep=()),
    "Adam, not L-BFGS": BALANCED.change(Descend, descent=Adam(0.15, 0.03)),
    "without polish": BALANCED.without(Polish),
    "without early stopping": BALANCED.change(Descend, tolerance=0.0),
    UNFOLDED: BALANCED,
}
SECONDS = "cpu_seconds_per_image"
# Parts of the whole engine's error and seconds that an idea has to buy.
WORTH_ERROR, WORTH_SECONDS = 1.02, 1.1


@dataclass(frozen=True)
class Config:
    """What is measured; the presets are below."""

    prior: str = "fashion-mnist-dcgan"
    tuning: str = "Fashion-MNIST"
    m: int = 100
    images: int = 16
    counted_images: int = 2
    seeds: int = 2  # of the starts
    images_seed: int = 1_000_003
    bank: int | None = None  # in place of the effort's, as the next two
    steps: int | None = None
    polish_steps: int | None = None


def cells(config: Config) -> list[Cell]:
    """A cell per seed of the starts, with all engines in it."""
    return grid(["all"], "m", [config.m], draws=config.seeds)


def unfolded(prior: Prior) -> Prior:
    """Return the prior with a generator that the engine leaves as it is: one with a hook."""
    own = copy.deepcopy(prior)
    own.generator.register_forward_hook(lambda module, inputs, images: None)
    return own


def rows(config: Config, cell: Cell) -> list[Row]:
    """One row per engine."""
    prior = Prior.load(config.prior).eval()
    images, _ = for_tuning(config.tuning, 59_000, config.images, config.images_seed)
    x = images.floats()
    rng = torch.Generator().manual_seed(derive_seed(config.images_seed, "physics", config.m))
    physics = Gaussian(config.m, prior.image_shape, rng)
    y = physics.A(x)
    found = []
    for name, whole in EFFORTS.items():
        own = unfolded(prior) if name == UNFOLDED else prior
        effort = sized(whole, config)
        # A solve that does next to nothing: the bank is there from here on.
        CSGM(own, effort=effort.without(Polish).replace(steps=1)).solve(y[:1], physics)
        solver = CSGM(own, effort=effort)
        passes = generator_passes(solver, y[: config.counted_images], physics)
        begin = time.process_time()
        solution = solver.solve(y, physics, rng=Streams(cell.seed))
        seconds = time.process_time() - begin
        found.append(
            {
                "method": name,
                "per_pixel_error": f"{per_pixel_error(solution.x, x).mean():.6f}",
                "objective": f"{solution.objective.mean():.5f}",
                SECONDS: f"{seconds / len(x):.4f}",
                "passes": f"{passes:.0f}",
                "images": len(x),
                **hashes_of(images, prior),
            }
        )
    return found


def sized(effort: Effort, config: Config) -> Effort:
    """Effort with the numbers of the preset."""
    if config.bank is not None:
        effort = effort.change(FromBank, entries=config.bank)
    if config.polish_steps is not None:
        effort = effort.change(Polish, steps=config.polish_steps)
    return effort if config.steps is None else effort.replace(steps=config.steps)


def generator_passes(solver: CSGM, y: Tensor, physics: Gaussian) -> float:
    """FLOPs of a solve per image over those of one forward pass of the generator."""
    with FlopCounterMode(display=False) as whole:
        solver.solve(y, physics)
    with torch.no_grad(), FlopCounterMode(display=False) as one:
        solver.prior(torch.zeros(1, *solver.prior.latent.shape))
    return float(whole.get_total_flops() / len(y) / one.get_total_flops())


def means(found: list[Row]) -> dict[str, dict[str, float]]:
    """Means over the seeds of the starts, by engine."""
    columns = ("per_pixel_error", "objective", SECONDS, "passes")
    return {
        name: {c: statistics.fmean(float(row[c]) for row in own) for c in columns}
        for (name,), own in grouped(found, ["method"]).items()
    }


def tables(found: list[Row]) -> Tables:
    """Means over the seeds of the starts, and seconds against those of the whole engine."""
    mean = means(found)
    return {
        "summary": [
            {
                "engine": name,
                "error": f"{own['per_pixel_error']:.4f}",
                "objective": f"{own['objective']:.3f}",
                "CPU seconds per image": f"{own[SECONDS]:.3f}",
                "times the seconds": f"{own[SECONDS] / mean[WHOLE][SECONDS]:.2f}",
                "generator passes": f"{own['passes']:.0f}",
            }
            for name, own in mean.items()
        ]
    }


def claims(found: list[Row]) -> dict[str, bool]:
    """Every idea is worth 2% of the error, or 10% of the seconds."""
    mean = means(found)
    whole = mean.pop(WHOLE)
    return {
        f"{name}: the error rises by 2% or the seconds by 10%": (
            own["per_pixel_error"] >= WORTH_ERROR * whole["per_pixel_error"]
            or own[SECONDS] >= WORTH_SECONDS * whole[SECONDS]
        )
        for name, own in mean.items()
    }


def inputs(config: Config) -> dict[str, str]:
    """Hashes of prior and images."""
    images, _ = for_tuning(config.tuning, 59_000, config.images, config.images_seed)
    return hashes_of(images, Prior.load(config.prior))


declare(
    __name__,
    "benchmarks/ablation",
    "every idea of the engine buys error or seconds",
    paper=Config(),
    smoke=Config(
        tuning=f"Fashion-MNIST{SAMPLE}",
        images=1,
        counted_images=1,
        seeds=1,
        bank=32,
        steps=3,
        polish_steps=1,
    ),
    column=SECONDS,
    timed=True,
)
