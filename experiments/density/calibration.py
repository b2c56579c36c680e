"""Whether the posterior is as wide as it should be: simulation-based calibration.

Images are drawn from the prior's own density, x = G(z) + nu, and measured; the posterior of each is
drawn from. The rank of a true quantity among those of the draws is then uniform (S. Talts,
M. Betancourt, D. Simpson, A. Vehtari, A. Gelman, "Validating Bayesian inference algorithms with
simulation-based calibration", arXiv 1804.06788, theorem 1). Quantities: an entry of z, the norm of
z, the misfit ||y - A x||, that is the log-likelihood, and a pixel. Claims: by ``sampling`` the
distance of their distribution from the uniform one is, for each of them and at every m, below the
99% point of Kolmogorov's; and by either method 90% intervals cover 88 to 92% of the pixels whose
interval is wider than one grey level, or the 95% interval of that share, over images, meets it.

    ganprior figure density/calibration --preset paper
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from experiments.bora2017.setting import Problem, gaussian, problem
from experiments.images import load_prior
from experiments.intervals import grouped, interval
from experiments.rows import Row
from experiments.sweep.figure import Tables, declare
from ganprior import Posterior, Prior, Streams
from ganprior.jobs import Cell, grid
from ganprior.solvers import PosteriorSolution

RANKS = ("entry of z", "norm of z", "misfit", "pixel")
SOLVERS = {
    "laplace": functools.partial(Posterior, method="laplace"),
    "sampling": functools.partial(Posterior, method="sampling"),
}
LEAST, MOST = 0.88, 0.92
GREY_LEVEL = 1 / 255


@dataclass(frozen=True)
class Config:
    """What is drawn; the presets are below."""

    prior: str
    measurements: tuple[int, ...] = (10, 25, 50, 100)
    noise_level: float = 0.1  # sqrt(m) noise_std
    images: int = 100
    sampled: int = 32  # of them by sampling, which takes many times as long
    draws: int = 63
    block: int = 16


def cells(config: Config) -> list[Cell]:
    """Every method, m and block."""
    found = []
    for method, images in (("laplace", config.images), ("sampling", config.sampled)):
        found += grid(
            [method], "m", config.measurements, draws=1, images=images, block=config.block
        )
    return found


def rows(config: Config, cell: Cell) -> list[Row]:
    """Ranks of an image's true quantities, and its covered pixels."""
    prior, m = load_prior(config.prior), int(cell.number)
    z, x = planted(prior, cell)
    names = tuple(f"planted {i}" for i in range(cell.first, cell.last))
    physics = gaussian(m, prior.image_shape, cell.seed)
    found = problem((names, x), physics, config.noise_level / m**0.5, cell)
    solver = SOLVERS[cell.method](prior, found.noise_std, draws=config.draws)
    solution = solver.solve(found.y, physics, rng=found.streams)
    ranks = ranks_of(found, z, solution, range(cell.first, cell.last))
    wide, inside = covered(x, solution.low, solution.high)
    return [
        {
            "image": found.names[i],
            **{f"rank of {name}": int(ranks[name][i]) for name in RANKS},
            "draws": config.draws,
            "wide pixels": int(wide[i].sum()),
            "of them inside": int(inside[i].sum()),
            "status": str(solution.status[i]),
            "prior_sha256": prior.card["weights_sha256"][:12],
        }
        for i in range(len(x))
    ]


def planted(prior: Prior, cell: Cell) -> tuple[Tensor, Tensor]:
    """Latents (B, k) and images (B, C, H, W) of the prior's density, a stream for each image."""
    density, drawn = prior.density, []
    assert density is not None
    for i in range(cell.first, cell.last):
        rng = Streams(cell.seed).generator("planted", i)
        z = density.sample_latents(1, rng)
        drawn.append((z, density.deviation.sample(1, rng)))
    z = torch.cat([z for z, _ in drawn])
    images = prior.render(z.float().unflatten(1, prior.latent.shape))
    return z, images + torch.cat([nu for _, nu in drawn]).to(images)


def ranks_of(
    found: Problem, z: Tensor, solution: PosteriorSolution, images: range
) -> dict[str, Tensor]:
    """How many draws have less of each quantity than the truth, (B,)."""
    latents, signals = solution.latents.flatten(2).double(), torch.arange(len(z))
    entry = torch.tensor([i % z.shape[1] for i in images])
    wide, _ = covered(found.x, solution.low, solution.high)
    # A pixel with some spread, another one in every image; any, where none has.
    pixel = torch.tensor(
        [
            int(places[97 * i % len(places)]) if len(places := own.nonzero()[:, 0]) else 0
            for i, own in zip(images, wide, strict=True)
        ]
    )
    shape = found.x.shape[1:]

    def misfit(x: Tensor) -> Tensor:
        seen = found.physics.A(x.reshape(-1, *shape)).reshape(*x.shape[:-3], -1)
        return (found.y - seen).square().sum(-1)

    quantities: dict[str, tuple[Tensor, Tensor]] = {
        "entry of z": (latents[:, signals, entry], z[signals, entry]),
        "norm of z": (latents.norm(dim=2), z.norm(dim=1)),
        "misfit": (misfit(solution.samples), misfit(found.x)),
        "pixel": (
            solution.samples.flatten(2)[:, signals, pixel],
            found.x.flatten(1)[signals, pixel],
        ),
    }
    return {name: (drawn < true).sum(0) for name, (drawn, true) in quantities.items()}


def covered(x: Tensor, low: Tensor, high: Tensor) -> tuple[Tensor, Tensor]:
    """Pixels whose interval is wider than a grey level, and those inside of theirs, (B, n)."""
    wide = (high - low > GREY_LEVEL).flatten(1)
    return wide, wide & ((low <= x) & (x <= high)).flatten(1)


def shares(own: list[Row], name: str) -> np.ndarray:
    """Ranks as numbers in (0, 1), rising."""
    draws = np.array([float(row["draws"]) for row in own])
    ranks = np.array([float(row[f"rank of {name}"]) for row in own])
    return np.sort((ranks + 0.5) / (draws + 1))


def distance(own: list[Row], name: str) -> tuple[float, float]:
    """Largest distance of the ranks' distribution from the uniform one, and its 99% point."""
    from scipy.stats import kstest, kstwo

    found = shares(own, name)
    return float(kstest(found, "uniform").statistic), float(kstwo.ppf(0.99, len(found)))


def coverage(own: list[Row]) -> tuple[float, float, float]:
    """Share of an image's wide pixels inside of their intervals: mean and its 95% interval."""
    pairs = [(float(row["of them inside"]), float(row["wide pixels"])) for row in own]
    values = np.array([inside / wide for inside, wide in pairs if wide])
    return (float(values.mean()), *interval(values))


def claims(found: list[Row]) -> dict[str, bool]:
    """Ranks of draws by sampling are uniform, and intervals cover what they should."""
    held = {}
    for (method,), own in grouped(found, ["method"]).items():
        groups = list(grouped(own, ["m"]).values())
        if method == "sampling":
            held["sampling: ranks are uniform at every m, by 99% bands"] = all(
                found <= most for g in groups for found, most in (distance(g, n) for n in RANKS)
            )
        ends = [coverage(group)[1:] for group in groups]
        held[f"{method}: 90% intervals cover {LEAST:.0%} to {MOST:.0%} at every m"] = all(
            low <= MOST and high >= LEAST for low, high in ends
        )
    return held


def tables(found: list[Row]) -> Tables:
    """Distances beside their 99% points, and coverage, by method and m."""
    table = []
    for (method, m), own in grouped(found, ["method", "m"]).items():
        line: Row = {"method": method, "m": m, "images": len(own)}
        for name in RANKS:
            line[name] = f"{distance(own, name)[0]:.3f}"
        line["99% point"] = f"{distance(own, RANKS[0])[1]:.3f}"
        share, low, high = coverage(own)
        line["90% intervals cover"] = f"{share:.1%} [{low:.1%}, {high:.1%}]"
        line["not mixed"] = sum(row["status"] == "not_mixed" for row in own)
        table.append(line)
    return {"summary": table}


def headline(found: list[Row]) -> str:
    """Coverage by method, least and largest over m."""
    parts = []
    for (method,), own in grouped(found, ["method"]).items():
        values = [coverage(group)[0] for group in grouped(own, ["m"]).values()]
        parts.append(f"{method}: 90% intervals cover {min(values):.0%} to {max(values):.0%}")
    return "; ".join(parts)


def plot(found: list[Row], path: Path) -> None:
    """Distribution of ranks less the uniform one, with its 99% band, per method and m."""
    from experiments import plots

    panels = grouped(found, ["method", "m"])
    columns = len({m for _, m in panels})
    lines = -(-len(panels) // columns)
    figure, axes = plots.new_figure(columns, rows=lines, width=3.0, height=2.4)
    for place, ((method, m), own) in zip(axes, panels.items(), strict=True):
        for name in RANKS:
            found_shares = shares(own, name)
            heights = np.arange(1, len(found_shares) + 1) / len(found_shares)
            place.step(found_shares, heights - found_shares, where="post", label=name, lw=1)
        most = distance(own, RANKS[0])[1]
        place.axhspan(-most, most, color="0.9")
        place.set(xlim=(0, 1), ylim=(-0.4, 0.4), title=f"{method}, m = {m}, {len(own)} images")
        place.title.set_fontsize(8)
        place.set_xlabel("rank", fontsize=8)
    axes[0].set_ylabel("share below, less rank", fontsize=8)
    axes[0].legend(fontsize=6, loc="lower left")
    plots.save(figure, path)


declare(
    __name__,
    "density/calibration",
    "draws of the posterior are as spread as the truth",
    paper=Config("mnist-k64-vae"),
    smoke=Config("mnist-k64-vae", (50,), images=12, sampled=2, draws=31),
    differs="100 planted images by Laplace and 32 by sampling; 1,000 would tell more",
)
