"""Checks of the arguments that every physics here takes."""

from __future__ import annotations

import inspect
import math
import operator
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from ganprior.streams import as_generator

# What deepinv's own pseudo-inverses are told, and a closed form need not know.
LEAST_SQUARES = ("solver", "max_iter", "tol", "verbose", "x_init")


def refuse_unknown(physics: Any, given: Mapping[str, Any], *known: str) -> None:
    """Refuse keyword arguments of a call that nothing in a physics takes.

    deepinv hands all arguments of ``physics(x, ...)`` to A and to the noise model alike, so that
    neither can tell a misspelt one alone.

    Parameters
    ----------
    physics : object
        Its ``noise_model`` may take some.
    given : mapping
        The arguments.
    *known : str
        Those that the physics takes itself.

    Raises
    ------
    ValueError
        If there is any other.
    """
    if set(given) <= set(known):
        return
    taken = [*known]
    for parameter in [*inspect.signature(physics.noise_model.forward).parameters.values()][1:]:
        if parameter.kind in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
            taken.append(parameter.name)
    for name in given:
        if name not in taken:
            remedy = f"it takes {', '.join(taken)}" if taken else "it takes none"
            raise ValueError(f"{type(physics).__name__} takes no argument {name!r}; {remedy}")


def checked_img_size(img_size: Sequence[int]) -> tuple[int, int, int]:
    """Image size as three positive whole numbers.

    Raises
    ------
    ValueError
        If ``img_size`` is not (C, H, W).
    """
    try:
        size = tuple(operator.index(length) for length in img_size)
    except TypeError:
        size = ()
    if len(size) != 3 or min(size) < 1:
        raise ValueError(
            f"img_size must be (channels, height, width), each at least 1, got {img_size!r}"
        )
    return size[0], size[1], size[2]


def checked_generator(generator: torch.Generator | int | None) -> torch.Generator:
    """Return the generator to draw from: the one given, one of the seed given, else of seed 0.

    Random numbers are drawn on the CPU, so that a physics is the same on every device; without a
    generator the same call gives the same physics, and torch's global stream is left alone.

    Raises
    ------
    ValueError
        If the generator is not on the CPU, or the seed is no whole number of at least 0.
    """
    generator = as_generator(0 if generator is None else generator)
    if generator.device.type != "cpu":
        raise ValueError(
            f"generator must be on the CPU, got one on {generator.device}; "
            "draw on the CPU and move the physics with .to(device)"
        )
    return generator


def checked_count(m: int, img_size: tuple[int, int, int], remedy: str) -> int:
    """Number of measurements of a matrix with no more rows than columns.

    Raises
    ------
    ValueError
        If m is no whole number from 1 to n = C·H·W.
    """
    n = math.prod(img_size)
    try:
        count = 0 if isinstance(m, bool) else operator.index(m)
    except TypeError:
        count = 0
    if not 1 <= count <= n:
        raise ValueError(
            f"m must be a whole number between 1 and n={n}, the number of pixels, got m={m!r}; "
            f"{remedy}"
        )
    return count


def checked_mask(mask: Tensor, img_size: Sequence[int]) -> Tensor:
    """Mask as a new float32 tensor (B, 1 or C, H, W), B = 1 for a mask that images share.

    Raises
    ------
    ValueError
        If the mask does not fit images of this size, holds values other than 0 and 1, or keeps
        nothing of an image.
    """
    channels, height, width = img_size
    shape = (1, 1, 1, *mask.shape)[-4:]
    fits = shape[1] in (1, channels) and shape[2:] == (height, width) and 2 <= mask.dim() <= 4
    if not fits or mask.numel() == 0:
        raise ValueError(
            f"mask must have shape (H, W), (1 or C, H, W) or (B, 1 or C, H, W) for images of size "
            f"{tuple(img_size)}, got {tuple(mask.shape)}"
        )
    kept = mask.reshape(shape) == 1
    if not (kept.reshape(mask.shape) | (mask == 0)).all():
        raise ValueError("mask must hold only 1 (measured) and 0 (missing); threshold it first")
    if not kept.flatten(1).any(1).all():
        raise ValueError("mask hides every pixel of an image; keep at least one")
    return kept.to(torch.float32)


def check_images(x: Tensor, img_size: tuple[int, int, int]) -> None:
    """Refuse images that are not batches of the size given.

    Raises
    ------
    ValueError
        If the shape is another.
    """
    if tuple(x.shape[1:]) != img_size:
        raise ValueError(
            f"x must have shape (batch, {', '.join(map(str, img_size))}), got {tuple(x.shape)}"
        )
