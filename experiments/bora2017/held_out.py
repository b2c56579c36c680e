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

import torch
from torch import Tensor

from experiments.sweep.cell import Cell
from experiments.sweep.device import current_device
from ganprior import Images, Prior, Streams, load_images

ROOT = Path(__file__).parents[2]
COMMITTED = {
    "MNIST": "data/mnist_test_100.npz",
    "Fashion-MNIST": "data/fashion_mnist_test_100.npz",
}
UTKFACE, STAND_INS = "UTKFace", "stand-ins for faces"
FACES = "faces-64"  # the prior
PORTRAIT, PORTRAIT_NAME = "data/astronaut_face_64.png", "astronaut"
VARIABLE, FOLDER = "GANPRIOR_DATA", "utkface_64"
# Read whatever a preset takes, so that their hash is that of the data and not of the preset.
PHOTOGRAPHS, GENERATED = 100, 15


def load_prior(name: str) -> Prior:
    """Prior by name on the device of the sweep, once per process."""
    return _loaded(name, current_device())


@functools.cache
def _loaded(name: str, device: torch.device) -> Prior:
    return Prior.load(name).to(device)


@functools.cache
def held_out(data: str) -> Images:
    """Test images of a data set, which no prior was trained on.

    Raises
    ------
    ValueError
        If it is one of photographs, and they are not on this machine.
    """
    if data == UTKFACE:
        return _photographs()
    if data == STAND_INS:
        return _stand_ins()
    return load_images(ROOT / COMMITTED[data])


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


def _photographs() -> Images:
    named = os.environ.get(VARIABLE)
    folder = Path(named or ".").expanduser() / FOLDER
    if not (named and folder.is_dir()):
        raise ValueError(
            f"this preset needs the photographs of {UTKFACE}, which are for research only and not "
            f"in the checkout; set {VARIABLE} to the folder that holds {FOLDER}/test"
            + (f" ({named} does not)" if named else "")
        )
    return load_images(folder, split="test", limit=PHOTOGRAPHS)


def _stand_ins() -> Images:
    """The portrait, then images of the generator."""
    portrait = load_images(ROOT / PORTRAIT)
    names, generated = range_images(FACES, Cell("", "", "", 0, last=GENERATED))
    sources = portrait.sha256 + load_prior(FACES).card["weights_sha256"]
    return Images(
        torch.cat([portrait.floats(), generated.cpu()]),
        (PORTRAIT_NAME, *names),
        hashlib.sha256(sources.encode()).hexdigest(),
    )
