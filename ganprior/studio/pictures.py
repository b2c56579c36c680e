"""Pictures to try things on: committed test images, those of a visitor, and what is drawn on them.

All are 8 bits at the size of the prior, as their PNG files are: what is saved is what was seen.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ganprior.checkout import find_checkout
from ganprior.cli.sample import draw_latents
from ganprior.datasets import Images, demo_images
from ganprior.datasets.convert import convert
from ganprior.datasets.loading import load_images
from ganprior.datasets.picture import decode
from ganprior.image_files import SUFFIXES, load_image, open_image, read_file
from ganprior.priors import Prior
from ganprior.sheets import contact_sheet

CLOTHES, DRAWN = "clothes (Fashion-MNIST)", "drawn from the prior"
# Test images of a checkout, beside those that the package holds.
_FILES = {"digits (MNIST)": "mnist_test_100.npz", "astronaut": "astronaut_face_64.png"}
# Side in pixels that a picture is enlarged to, by a whole factor.
_SHOWN = 320


def sources() -> list[str]:
    """Names of the test images that are here."""
    checkout = find_checkout()
    here = [] if checkout is None else [n for n, f in _FILES.items() if _file(checkout, f).exists()]
    return [CLOTHES, *here, DRAWN]


def test_picture(source: str, number: int, prior: Prior) -> Tensor:
    """One test image at the prior's shape, uint8, (C, H, W); numbers go round.

    Parameters
    ----------
    source : str
        One of :func:`sources`.
    number : int
        Which of its images; of those that the prior draws, the seed.
    prior : Prior
        The prior.
    """
    if source == DRAWN:
        image = prior.render(draw_latents(prior, 1, number), prior.round_robin(1))[0]
        return (image.clamp(0, 1) * 255).round().byte().cpu()
    images = _stored(source)
    return _fitted(images.pixels[number % len(images)], prior.image_shape)


def visitors_picture(path: Path, name: str, prior: Prior) -> Tensor:
    """A picture that somebody brought, at the prior's shape, uint8, (C, H, W).

    Parameters
    ----------
    path : Path
        Where it lies, which no message says.
    name : str
        What its owner calls it.
    prior : Prior
        The prior.

    Raises
    ------
    ValueError
        If it is not an image of the formats that are read, or is damaged.
    """
    known = Path(name).name
    if Path(known).suffix.lower() not in SUFFIXES:
        raise ValueError(f"{known} is not named as a picture; give one of {', '.join(SUFFIXES)}")
    return _fitted(decode(read_file(path), Path(known)), prior.image_shape)


def drawn_mask(layers: Iterable[bytes], size: Sequence[int]) -> Tensor:
    """Mask (1, H, W), 0 where anything is drawn, of encoded pictures with transparency.

    Raises
    ------
    ValueError
        If a layer is no picture, or all or nothing is hidden.
    """
    height, width = size
    hidden = np.zeros((height, width), bool)
    for data in layers:
        picture = load_image(open_image(data, "the drawing"), "the drawing").convert("RGBA")
        covered = picture.getchannel("A").resize((width, height), Image.Resampling.BOX)
        hidden |= np.asarray(covered) >= 128
    if not hidden.any():
        raise ValueError("nothing is hidden: draw on the picture what is to be filled")
    if hidden.all():
        raise ValueError("all of the picture is hidden: leave some pixels to go by")
    return torch.from_numpy(~hidden).float()[None]


def enlarged(pixels: Tensor) -> Image.Image:
    """A picture (C, H, W) of 8 bits as it is shown, RGB: a whole number of screen pixels each."""
    picture = as_image(pixels)
    factor = max(1, _SHOWN // max(picture.size))
    size = (picture.width * factor, picture.height * factor)
    return picture.resize(size, Image.Resampling.NEAREST).convert("RGB")


def as_image(pixels: Tensor) -> Image.Image:
    """(C, H, W), uint8 or floats in [0, 1]."""
    floats = pixels.float() / 255 if pixels.dtype == torch.uint8 else pixels.nan_to_num()
    return contact_sheet(floats[None], 1, gap=0)


def png(picture: Image.Image) -> bytes:
    """A PNG file."""
    file = io.BytesIO()
    picture.save(file, format="PNG")
    return file.getvalue()


def _fitted(pixels: Tensor, shape: tuple[int, int, int]) -> Tensor:
    fitted = convert(pixels[None], shape[1], shape[0])[0]
    return fitted if fitted.dtype == torch.uint8 else (fitted * 255).round().byte()


def _stored(source: str) -> Images:
    checkout = find_checkout()
    if source == CLOTHES or checkout is None:
        return demo_images()
    return load_images(_file(checkout, _FILES[source]))


def _file(checkout: Path, name: str) -> Path:
    return checkout / "data" / name
