"""What the experiments on semantic inpainting share: images, holes, methods, scores, tables.

R. A. Yeh, C. Chen, T. Y. Lim, A. G. Schwing, M. Hasegawa-Johnson, M. N. Do, "Semantic image
inpainting with deep generative models", 2017, arXiv 1607.07539, section 4. All methods see the
same held-out images with the same holes. Intervals are 95% percentile bootstrap intervals of the
mean over the images; those of a difference resample the images and not the two methods apart.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from experiments.rows import Row, write_csv
from ganprior import Images, Prior, Reconstructor, Streams, inpainting, load_images
from ganprior.baselines import Biharmonic, ContextEncoder, LowRank, NearestPatch, TotalVariation
from ganprior.files import write_atomically
from ganprior.metrics import psnr, ssim
from ganprior.physics import masks
from ganprior.solvers import SemanticInpainting, poisson_blend
from ganprior.streams import derive_seed

ROOT = Path(__file__).parents[2]
RESULTS = Path(__file__).parent / "results"
# Of MNIST and Fashion-MNIST the priors and the context encoder train on so many images; the 1,000
# after them are for tuning.
TRAINING = 59_000
RESAMPLES = 2000
# Decibels. A hole in a black background is often filled exactly, with an infinite PSNR; beyond this
# the images are the same to the 8 bits that they have.
HIGHEST_PSNR = 60.0


@dataclass(frozen=True)
class DataSet:
    """Where the images of a table come from, and the prior that knows such images.

    ``name`` is torchvision's: without it on this machine the nearest patch is left out.
    """

    prior: str
    held_out: str
    name: str


DATA = {
    "Fashion-MNIST": DataSet(
        "fashion-mnist-dcgan", "data/fashion_mnist_test_100.npz", "FashionMNIST"
    ),
    # Not the default prior of MNIST: the discriminator of this one, which the prior loss asks,
    # trained for 2,000 steps and not for 400.
    "MNIST": DataSet("mnist-k20-vae-gan", "data/mnist_test_100.npz", "MNIST"),
}

Draw = Callable[[tuple[int, int, int], torch.Generator], Tensor]
# Fraction missing; those that are random are drawn anew for each image.
HOLES: dict[str, Draw] = {
    "center": lambda size, rng: masks.center(size, 0.25),
    "pattern": lambda size, rng: masks.pattern(size, 0.25, rng),
    "random 80%": lambda size, rng: masks.random(size, 0.8, rng),
    "left half": lambda size, rng: masks.half(size, "left"),
}


def draw_masks(holes: str, shape: tuple[int, int, int], count: int, seed: int) -> Tensor:
    """Masks of images, (count, 1, H, W); an image keeps its own in any batch."""
    return masks.per_image(count, lambda rng: HOLES[holes](shape, rng), Streams(seed))


def physics_of(mask: Tensor, shape: tuple[int, int, int]) -> Any:
    """Physics of masks (count, 1, H, W); one mask where all are the same, as is faster to solve."""
    alike = bool((mask == mask[:1]).all())
    return inpainting(mask[0] if alike else mask, shape)


def load_prior(name: str) -> Prior | None:
    """Prior by name; None, said in one line, where there is none of that name yet."""
    try:
        return Prior.load(name)
    except ValueError as error:
        print(f"left out: {error}")
        return None


def other_methods(data: DataSet, prior: Prior) -> dict[str, Reconstructor]:
    """What the paper compares with, and biharmonic interpolation; what is not at hand is said."""
    methods: dict[str, Reconstructor] = {}
    try:
        methods["context encoder"] = ContextEncoder.shipped_for(prior.card["data_sha256"])
    except ValueError as error:
        print(f"left out: {error}")
    methods |= {"TV": TotalVariation(), "low rank": LowRank()}
    try:
        training = load_images(data.name, limit=TRAINING).floats()
        methods["nearest patch"] = NearestPatch(training, poisson_blend)
    except ValueError as error:
        print(f"left out: nearest patch: {error}")
    return {**methods, "biharmonic": Biharmonic()}


def fill_holes(
    methods: dict[str, Reconstructor], prior: Prior, y: Tensor, physics: Any, seed: int
) -> dict[str, Tensor]:
    """Filled images of every method, ours last: G(z) as it is ("ours, raw"), and blended."""
    filled = {name: method.solve(y, physics).x for name, method in methods.items()}
    ours = SemanticInpainting(prior).solve(y, physics, rng=Streams(seed))
    return {**filled, "ours, raw": ours.raw, "ours": ours.x}


def held_out(data: DataSet, count: int) -> Images:
    """Committed test images."""
    return load_images(ROOT / data.held_out, limit=count)


def scores(x_hat: Tensor, x: Tensor) -> dict[str, list[float]]:
    """PSNR, at most 60 dB, and SSIM of every image, over the whole of it."""
    return {
        "psnr": [round(value, 4) for value in psnr(x_hat, x).clamp(max=HIGHEST_PSNR).tolist()],
        "ssim": [round(value, 5) for value in ssim(x_hat, x).tolist()],
    }


def score_rows(head: Row, x_hat: Tensor, x: Tensor, names: Iterable[str], tail: Row) -> list[Row]:
    """One row per image: the head's columns, image, PSNR, SSIM, and the tail's."""
    found = scores(x_hat, x)
    return [
        {**head, "image": name, **{key: values[i] for key, values in found.items()}, **tail}
        for i, name in enumerate(names)
    ]


def column(rows: Iterable[Row], key: str, **where: object) -> Tensor:
    """Numbers of a column in the rows whose cells are as given."""
    chosen = [r for r in rows if all(str(r[k]) == str(v) for k, v in where.items())]
    return torch.tensor([float(row[key]) for row in chosen], dtype=torch.float64)


def values_of(rows: Iterable[Row], key: str) -> list[str]:
    """Different cells of a column, in order."""
    return list(dict.fromkeys(str(row[key]) for row in rows))


def resampled(count: int) -> Tensor:
    """Numbers of images drawn with replacement, (RESAMPLES, count)."""
    rng = torch.Generator().manual_seed(derive_seed(0, "bootstrap", count))
    return torch.randint(count, (RESAMPLES, count), generator=rng)


def interval(values: Tensor) -> tuple[float, float]:
    """95% percentile bootstrap interval of the mean of values (N,)."""
    means = values[resampled(len(values))].mean(1)
    low, high = means.quantile(torch.tensor([0.025, 0.975], dtype=means.dtype)).tolist()
    return low, high


def mean_cell(values: Tensor, form: str) -> str:
    """Mean with its interval, such as ``0.71 [0.69, 0.73]``."""
    low, high = interval(values)
    return f"{values.mean().item():{form}} [{low:{form}}, {high:{form}}]"


def tabulate(rows: list[Row], metric: str, lines: tuple[str, ...], across: str) -> list[Row]:
    """A row per value of ``lines`` and a column per value of ``across``: means and intervals."""
    form = {"psnr": ".2f", "ssim": ".3f", "discriminator": ".2f"}[metric]
    places = dict.fromkeys(tuple(str(row[key]) for key in lines) for row in rows)
    table = []
    for place in places:
        where = dict(zip(lines, place, strict=True))
        found = {n: column(rows, metric, **where, **{across: n}) for n in values_of(rows, across)}
        cells = {name: mean_cell(v, form) if len(v) else "" for name, v in found.items()}
        table.append({**where, **cells})
    return table


def asked(name: str, description: str, presets: Mapping[str, Any]) -> tuple[str, Path]:
    """Preset that the command line names, and the folder that its results go to."""
    parser = argparse.ArgumentParser(description=description.splitlines()[0])
    parser.add_argument("--preset", choices=sorted(presets), default="smoke")
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    usual = RESULTS / name if arguments.preset == "paper" else Path("runs") / name
    return arguments.preset, arguments.out or usual


def write_results(
    out: Path, preset: str, config: Any, rows: list[Row], tables: dict[str, list[Row]]
) -> None:
    """Write ``rows.csv``, a CSV per table, and ``config.json``."""
    write_csv(out / "rows.csv", rows)
    for name, table in tables.items():
        write_csv(out / f"{name}.csv", table)
    text = json.dumps({"preset": preset, **asdict(config)}, indent=2) + "\n"

    def write(path: Path) -> None:
        path.write_text(text, encoding="utf-8")

    write_atomically(out / "config.json", write)
    print(f"results in {out}", flush=True)
