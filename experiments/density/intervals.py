"""How often the truth lies in the intervals of real images, and what their maps look like.

Test images, which no part of a prior has seen, are measured at two levels of noise; ``laplace``
is :class:`~ganprior.solvers.posterior.Posterior`, and ``gaussian-mixture`` the exact posterior of a
mixture of 30 Gaussians, whose interval is its mean and 1.645 standard deviations. Only pixels whose
interval is wider than one grey level count: most of a digit is black, and known to be. Claim: 90%
intervals of ``laplace`` cover 85 to 95% of them at every m and level, or the 95% interval of that
share, over images, meets it. The pictures are of the first test images of each set.

    ganprior figure density/intervals --preset paper
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from experiments.bora2017.setting import Problem, compressed
from experiments.density.calibration import coverage, covered
from experiments.images import hashes_of, held_out, held_out_block, load_mixture, load_prior
from experiments.intervals import grouped
from experiments.rows import Row
from experiments.strips import ORIGINAL, draw_strips, encode
from experiments.sweep.figure import Tables, declare
from ganprior import GaussianMixture, Posterior
from ganprior.jobs import Cell
from ganprior.metrics import per_pixel_error

LAPLACE, MIXTURE = "laplace", "gaussian-mixture"
LEAST, MOST = 0.85, 0.95
# Half of the width of a 90% interval of a Gaussian, in standard deviations.
HALF = 1.645
# Maps are white where a pixel could be anything: the standard deviation of a uniform law.
WHITE = 12**-0.5
MEAN, STD, AWAY = "mean", "standard deviation", "|mean - original|"


@dataclass(frozen=True)
class Config:
    """What is measured; the presets are below."""

    pairs: tuple[tuple[str, str], ...]  # data set and prior
    measurements: tuple[int, ...] = (25, 100, 300)
    noise_levels: tuple[float, ...] = (0.01, 0.1)  # sqrt(m) noise_std
    images: int = 50
    draws: int = 64
    shown: int = 6
    pictured: tuple[int, float] = (25, 0.1)  # m and level of the pictures


def cells(config: Config) -> list[Cell]:
    """Both methods at every m, level and set."""
    return [
        Cell(method, "m", m, f"{data}, noise {level:g}", last=config.images)
        for data, _ in config.pairs
        for level in config.noise_levels
        for m in config.measurements
        for method in (LAPLACE, MIXTURE)
    ]


def rows(config: Config, cell: Cell) -> list[Row]:
    """A row per image, and one for each of its pictures."""
    data, _, noise = cell.panel.partition(", noise ")
    level, name = float(noise), dict(config.pairs)[data]
    found = compressed(held_out_block(data, cell), int(cell.number), level, cell)
    mean, std, low, high = posterior(config, cell.method, name, found)
    wide, inside = covered(found.x, low, high)
    error = per_pixel_error(mean, found.x)
    pictured = cell.method == LAPLACE and (cell.number, level) == config.pictured
    pictures = {
        ORIGINAL: found.x,
        MEAN: mean,
        STD: std / WHITE,
        AWAY: (mean.clamp(0, 1) - found.x).abs() / WHITE,
    }
    hashes = hashes_of(held_out(data), load_prior(name))
    table: list[Row] = []
    for i, image in enumerate(found.names):
        line: Row = {
            "image": image,
            "shows": MEAN,
            "per_pixel_error": f"{error[i]:.7g}",
            "wide pixels": int(wide[i].sum()),
            "of them inside": int(inside[i].sum()),
            "mean std": f"{std[i].mean():.5g}",
            "pixels": "",
        }
        shown = pictures if pictured and i < config.shown else {MEAN: mean}
        for what, pixels in shown.items():
            own = line if what == MEAN else dict.fromkeys(line, "") | {"image": image}
            own = own | {"shows": what} | hashes
            table.append(own | ({"pixels": encode(pixels[i])} if len(shown) > 1 else {}))
    return table


def posterior(
    config: Config, method: str, name: str, found: Problem
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Mean, standard deviation and ends of the 90% interval of every pixel."""
    if method == LAPLACE:
        solver = Posterior(load_prior(name), found.noise_std, method="laplace", draws=config.draws)
        known = solver.solve(found.y, found.physics, rng=found.streams)
        return known.x, known.std, known.low, known.high
    exact = GaussianMixture(load_mixture(name), found.noise_std).posterior(found.y, found.physics)
    mean, std = exact.mean.to(found.x), exact.std.to(found.x)
    return mean, std, mean - HALF * std, mean + HALF * std


def inputs(config: Config) -> dict[str, str]:
    """Hashes of images, priors and mixtures."""
    found = {}
    for data, name in config.pairs:
        found[f"data_sha256 of {data}"] = held_out(data).sha256[:12]
        found[f"prior_sha256 of {name}"] = load_prior(name).card["weights_sha256"][:12]
        found[f"mixture of {data}"] = load_mixture(name).card["weights_sha256"][:12]
    return found


def counted(found: list[Row]) -> list[Row]:
    """Rows of images and not of their pictures."""
    return [row for row in found if row["shows"] == MEAN]


def claims(found: list[Row]) -> dict[str, bool]:
    """Intervals of Laplace's approximation cover what they should."""
    ours = [row for row in counted(found) if row["method"] == LAPLACE]
    ends = [coverage(own)[1:] for own in grouped(ours, ["panel", "m"]).values()]
    name = f"laplace: 90% intervals cover {LEAST:.0%} to {MOST:.0%} at every m and level"
    return {name: all(low <= MOST and high >= LEAST for low, high in ends)}


def tables(found: list[Row]) -> Tables:
    """Share that is covered, mean standard deviation and root of the mean error, by place."""
    table = []
    for (panel, m, method), own in grouped(counted(found), ["panel", "m", "method"]).items():
        share, low, high = coverage(own)
        errors = torch.tensor([float(row["per_pixel_error"]) for row in own])
        table.append(
            {
                "images of": panel,
                "m": m,
                "method": method,
                "90% intervals cover": f"{share:.1%} [{low:.1%}, {high:.1%}]",
                "mean std": f"{sum(float(row['mean std']) for row in own) / len(own):.4f}",
                "root mean square error": f"{errors.mean().sqrt():.4f}",
            }
        )
    return {"summary": table}


def headline(found: list[Row]) -> str:
    """Least and largest share that is covered, by method."""
    parts = []
    for (method,), own in grouped(counted(found), ["method"]).items():
        values = [coverage(group)[0] for group in grouped(own, ["panel", "m"]).values()]
        parts.append(f"{method}: 90% intervals cover {min(values):.0%} to {max(values):.0%}")
    return "; ".join(parts)


def plot(found: list[Row], path: Path) -> None:
    """The first images of each set: original, mean, standard deviation and what it is off."""
    shown = [row for row in found if row["pixels"]]
    lines = grouped(shown, ["panel", "shows"]).values()
    # Columns by number: the sets have no image in common.
    draw_strips(
        [{**row, "image": f"image {i}"} for own in lines for i, row in enumerate(own)],
        path,
        label=("panel", "shows"),
    )


SMOKE = Config((("MNIST", "mnist-k64-vae"),), (25,), (0.1,), images=8, shown=4)
PAPER = Config((("MNIST", "mnist-k64-vae"), ("Fashion-MNIST", "fashion-mnist-k128-vae")))
declare(
    __name__,
    "density/intervals",
    "intervals of real images hold the truth as often as they say",
    paper=PAPER,
    smoke=SMOKE,
    differs="the first 50 test images of each set, and one draw of A",
)
