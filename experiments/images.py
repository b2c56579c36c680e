"""Test images by the name of their data set, and what stands in for photographs of people.

UTKFace, at 64 x 64 in colour, stands in for the paper's CelebA. Its photographs are of real people
and for research only: they are never committed nor shown, and the figures that need them read
``utkface_64/test`` of the folder that the environment variable ``GANPRIOR_DATA`` names. Figures
that show pixels take ``STAND_INS``: a portrait in the public domain and images of the generator
itself. So do the smoke presets, which need no photograph.
"""

from __future__ import annotations

import functools
import hashlib
import os
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor

from experiments.sweep.device import current_device
from ganprior import GaussianMixtureLaw, Images, Prior, Streams, load_images
from ganprior.jobs import Cell
from ganprior.priors import gaussian_mixture_of
from ganprior.streams import derive_seed

ROOT = Path(__file__).parents[1]
COMMITTED = {
    "MNIST": "data/mnist_test_100.npz",
    "Fashion-MNIST": "data/fashion_mnist_test_100.npz",
}
# Names of the same sets, whole, as torchvision has them.
TORCHVISION = {"MNIST": "MNIST", "Fashion-MNIST": "FashionMNIST"}
# Their images that the priors and the context encoder train on; those after them are for tuning.
TRAINING = 59_000
UTKFACE, STAND_INS = "UTKFace", "stand-ins for faces"
FACES = "faces-64"  # the prior
PORTRAIT, PORTRAIT_NAME = "data/astronaut_face_64.png", "astronaut"
VARIABLE = "GANPRIOR_DATA"
BRAIN, CARS = "brain MRI", "Stanford Cars"
FOLDERS = {UTKFACE: "utkface_64", BRAIN: "brain_mri", CARS: "cars_64"}
SAMPLE = ", committed sample"
# Read whatever a preset takes, so that their hash is that of the data and not of the preset.
PHOTOGRAPHS, GENERATED = 100, 15
PRIOR_FIELDS = ("prior", "second_prior", "priors")


def load_prior(name: str) -> Prior:
    """Prior by name on the device of the sweep, once per process."""
    return _loaded(name, current_device())


@functools.cache
def _loaded(name: str, device: torch.device) -> Prior:
    return Prior.load(name).to(device)


@functools.cache
def load_mixture(prior: str) -> GaussianMixtureLaw:
    """Mixture of Gaussians of the data that a prior was trained on, once per process."""
    return gaussian_mixture_of(load_prior(prior).card["data_sha256"])


@functools.cache
def held_out(data: str) -> Images:
    """Test images of a data set, which no prior was trained on.

    Raises
    ------
    ValueError
        If it is one of photographs, and they are not on this machine.
    """
    if data == UTKFACE:
        return pictures(data, "test").head(PHOTOGRAPHS)
    if data == STAND_INS:
        return _stand_ins()
    return load_images(ROOT / COMMITTED[data])


def hashes_of(images: Images, prior: Prior | None = None) -> dict[str, str]:
    """Columns that say which images a row is of, and which prior."""
    sha = prior.card["weights_sha256"][:12] if prior else ""
    return {"data_sha256": images.sha256[:12], "prior_sha256": sha}


def inputs_of(config: Any) -> dict[str, str]:
    """Hashes of the test images and priors that a configuration names.

    Its fields ``data``, ``prior``, ``second_prior`` and ``priors`` are looked at, those of them
    that it has; each is a name or several.
    """
    sets, priors = (_named(config, *fields) for fields in (["data"], PRIOR_FIELDS))
    found = {f"data_sha256 of {name}": held_out(name).sha256[:12] for name in sets}
    for name in priors:
        found[f"prior_sha256 of {name}"] = load_prior(name).card["weights_sha256"][:12]
    return found


def _named(config: Any, *fields: str) -> list[str]:
    """Names in some fields of a configuration."""
    values = [getattr(config, field, "") for field in fields]
    names = [name for v in values for name in ([v] if isinstance(v, str) else v)]
    return [name for name in dict.fromkeys(names) if name]


def held_out_block(data: str, cell: Cell) -> tuple[tuple[str, ...], Tensor]:
    """Names and pixels of the cell's block of test images, on the device of the sweep."""
    block = held_out(data).select(cell.first, cell.last)
    return block.names, block.floats().to(current_device())


def range_images(prior: str, cell: Cell) -> tuple[tuple[str, ...], Tensor]:
    """Names and pixels of the cell's block of images of the generator itself: G(z), z ~ N(0, I)."""
    law, streams = load_prior(prior).latent, Streams(cell.seed)
    indices = range(cell.first, cell.last)
    z = torch.cat([law.sample(1, streams.generator("planted", i)) for i in indices])
    z = z.to(current_device())
    return tuple(f"G(z)[{i}]" for i in indices), load_prior(prior).render(z)


@functools.cache
def pictures(data: str, split: Literal["train", "test"], size: int | None = None) -> Images:
    """Images of a set that is not in the checkout, below the folder that GANPRIOR_DATA names.

    Raises
    ------
    ValueError
        If they are not on this machine.
    """
    named, folder = os.environ.get(VARIABLE), FOLDERS[data]
    path = Path(named or ".").expanduser() / folder
    if not (named and path.is_dir()):
        raise ValueError(
            f"this preset needs the photographs of {data}, which are for research only and not "
            f"in the checkout; set {VARIABLE} to the folder that holds {folder}/{split}"
            + (f" ({named} does not)" if named else "")
        )
    return load_images(path, split=split, size=size, channels=1 if size else None)


def for_training(data: str) -> Images:
    """Images that the priors of a data set were trained on.

    Raises
    ------
    ValueError
        If the data set is not on this machine; the text says how to get it.
    """
    return load_images(TORCHVISION[data], limit=TRAINING)


def for_tuning(
    data: str, first: int, count: int, seed: int, size: int | None = None
) -> tuple[Images, Streams]:
    """Some training images from number ``first`` on, and their streams of noise and starts.

    No prior is trained on them, and no figure reports them. Smoke presets take a committed sample,
    by the name of the data set with :data:`SAMPLE` behind it.
    """
    if data.endswith(SAMPLE):
        last = held_out(data.removesuffix(SAMPLE))
    elif data in FOLDERS:
        last = pictures(data, "train", size).select(first)
    else:
        last = load_images(TORCHVISION[data], split="train").select(first)
    rng = torch.Generator().manual_seed(derive_seed(seed, "images"))
    chosen = torch.randperm(len(last), generator=rng)[:count].sort().values
    names = tuple(last.names[i] for i in chosen)
    labels = None if last.labels is None else last.labels[chosen]
    return Images(last.pixels[chosen], names, last.sha256, labels), Streams(seed, chosen.tolist())


def _stand_ins() -> Images:
    """The portrait, then images of the generator."""
    portrait = load_images(ROOT / PORTRAIT)
    names, generated = range_images(FACES, Cell("", last=GENERATED))
    sources = portrait.sha256 + load_prior(FACES).card["weights_sha256"]
    return Images(
        torch.cat([portrait.floats(), generated.cpu()]),
        (PORTRAIT_NAME, *names),
        hashlib.sha256(sources.encode()).hexdigest(),
    )
