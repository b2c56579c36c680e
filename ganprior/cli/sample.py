"""``ganprior sample``: images that a prior draws, on one sheet, in an array or one by one."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ganprior.cli.options import OUT, SEED, at_least, trust_options
from ganprior.cli.output import check_file
from ganprior.cli.results import check_results, new_results
from ganprior.files import write_atomically

if TYPE_CHECKING:
    from torch import Tensor

    from ganprior.priors import Prior

# Small images are enlarged to about this many pixels on a sheet.
SHOWN_SIZE = 64
# Numbers of all images that are drawn at once: four gigabytes.
MOST_NUMBERS = 2**30


@click.command()
@click.option("--prior", required=True, help="Name of a prior, or a .safetensors file.")
@trust_options
@click.option("--count", default=64, show_default=True, type=at_least(1))
@click.option("--seed", default=0, show_default=True, type=SEED, help="Seed of the latents.")
@click.option("--columns", type=at_least(1), help="Images per row of a sheet.  [default: a square]")
@click.option(
    "--out",
    required=True,
    type=OUT,
    metavar="FILE.png|FILE.npz|FOLDER",
    help="A sheet of all images, an array of them, or a new or empty folder for a PNG file each.",
)
def sample(prior: str, count: int, seed: int, columns: int | None, out: Path) -> None:
    """Draw images from a prior.

    Image i of a seed is the same whatever the count. The labels of a conditional prior take turns.

    FILE.npz has the keys images, float32 in [0, 1], (N, C, H, W), and of a conditional prior
    labels; FOLDER has 00000.png, 00001.png and so on, of a conditional prior in a folder per
    label. Both can be read again wherever images are asked for.
    """
    write = _writer(out, columns)

    from ganprior.priors import Prior

    loaded = Prior.load(prior)
    check_amount("--count", count, loaded)
    labels = loaded.round_robin(count)
    images = loaded.render(draw_latents(loaded, count, seed), labels)
    write(images, labels)
    click.echo(f"{count} images: {out}")


Write = Callable[["Tensor", "Tensor | None"], None]


def _writer(out: Path, columns: int | None) -> Write:
    """What writes images (N, C, H, W) and their labels to ``--out``, by its name.

    Raises
    ------
    ValueError
        If the name is of another kind, nothing can be written there, or ``--columns`` is given
        for what has none.
    """
    suffix = "" if os.path.isdir(out) else out.suffix.lower()
    if suffix not in ("", ".png", ".npz"):
        raise ValueError(
            f"--out {out} is no sheet (.png), array (.npz) or folder (a name without ending); "
            "give one of these"
        )
    if columns is not None and suffix != ".png":
        raise ValueError(f"--columns is for a sheet (.png), not for --out {out}; drop it")
    if suffix == "":
        check_results(out, _is_result)
        return lambda images, labels: _write_folder(out, images, labels)
    check_file("--out", out)
    if suffix == ".npz":
        return lambda images, labels: _write_arrays(out, images, labels)
    return lambda images, _: _write_sheet(out, images, columns)


def _write_sheet(out: Path, images: Tensor, columns: int | None) -> None:
    from ganprior.sheets import save_sheet

    save_sheet(
        out,
        images,
        min(columns or math.ceil(math.sqrt(len(images))), len(images)),
        zoom=zoom_of(images.shape[2:]),
    )


def _write_arrays(out: Path, images: Tensor, labels: Tensor | None) -> None:
    import numpy as np

    arrays = {"images": images.clamp(0, 1).float().cpu().numpy()}
    if labels is not None:
        arrays["labels"] = labels.numpy()
    write_atomically(out, lambda file: np.savez(file, **arrays))  # type: ignore[arg-type]


def _write_folder(out: Path, images: Tensor, labels: Tensor | None) -> None:
    from ganprior.cli.pictures import write_picture

    with new_results(out, _is_result) as new:
        for i, x in enumerate(images):
            place = new if labels is None else new / str(int(labels[i]))
            write_picture(place / f"{i:05d}.png", x)


def _is_result(_: str) -> bool:
    """Nothing is: a folder of 00000.png, 00001.png may as well be someone's data."""
    return False


def check_amount(option: str, count: int, prior: Prior) -> None:
    """Refuse so many images of a prior at once that no memory holds them.

    Raises
    ------
    ValueError
        If they have more than :data:`MOST_NUMBERS` numbers.
    """
    numbers = max(math.prod(prior.image_shape), prior.latent.size)
    if count * numbers > MOST_NUMBERS:
        raise ValueError(
            f"{option}: {count} images of {numbers} numbers are too many at once; the most of this "
            f"prior are {MOST_NUMBERS // numbers}"
        )


def draw_latents(prior: Prior, count: int, seed: int) -> Tensor:
    """Latents of a prior's law, each from a random stream of its own."""
    import torch

    from ganprior.streams import Streams

    streams = Streams(seed)
    return torch.cat(
        [prior.sample_latents(1, streams.generator("samples", i)) for i in range(count)]
    )


def zoom_of(size: Sequence[int]) -> int:
    """Whole factor that brings images of a height and width near to :data:`SHOWN_SIZE`."""
    return max(1, SHOWN_SIZE // max(size))
