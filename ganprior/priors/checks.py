"""What a prior asks of the networks that it is made of: each is tried once, on a copy."""

from __future__ import annotations

import math
import operator
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import torch
from torch import Tensor, nn

from ganprior.numbers import check_number
from ganprior.priors.latent import Latent
from ganprior.priors.modules import copy_of
from ganprior.streams import as_generator

# Images further outside of ``image_range`` than so many times its length are in other units: a
# linear map may leave the range, but 0 to 255 is not -1 to 1.
FAR = 8


def checked_range(image_range: Any) -> tuple[float, float]:
    """Range of a generator's output as two numbers.

    Raises
    ------
    ValueError
        If it is not (low, high), finite, with low below high.
    """
    try:
        low, high = image_range
        for end in (low, high):
            check_number("image_range", end)
    except (TypeError, ValueError):
        low = high = math.nan
    if not low < high:
        raise ValueError(f"image_range must be (low, high) with low < high, got {image_range!r}")
    return float(low), float(high)


def checked_image_shape(image_shape: Any) -> tuple[int, int, int]:
    """Image shape as three whole numbers.

    Raises
    ------
    ValueError
        If it is not (C, H, W).
    """
    try:
        channels, height, width = (operator.index(length) for length in image_shape)
    except (TypeError, ValueError):
        channels = height = width = 0
    if min(channels, height, width) < 1:
        raise ValueError(
            f"image_shape must be (channels, height, width), each at least 1, got {image_shape!r}"
        )
    return channels, height, width


def check_network(name: str, network: Any) -> None:
    """Refuse what is no module.

    Raises
    ------
    ValueError
        If it is something else, such as a function.
    """
    if not isinstance(network, nn.Module):
        raise ValueError(f"{name} must be a torch.nn.Module, got {type(network).__name__}")


def check_law(latent: Any) -> None:
    """Refuse what is no law of the latent.

    Raises
    ------
    ValueError
        If it is something else, such as a name.
    """
    if not isinstance(latent, Latent):
        raise ValueError(f"latent must be a law such as GaussianLatent(20), got {latent!r}")


def image_of(
    module: nn.Module, latent: Latent, image_range: tuple[float, float], *, conditional: bool
) -> Tensor:
    """Image (1, C, H, W) that a generator makes of one latent of the law.

    Raises
    ------
    ValueError
        If it does not take the latent, or what it gives is no image in ``image_range``.
    """
    z = _like(latent.sample(1, as_generator(0)), module)
    given = (z, torch.zeros(1, dtype=torch.long, device=z.device)) if conditional else (z,)
    shapes = " and a label" if conditional else ""
    wanted = f"latents of shape {tuple(z.shape)}{shapes}, (batch, *latent_shape)"
    image = _tried("module", module, given, f"{wanted}; give the latent_shape that it was made for")
    if not isinstance(image, Tensor) or image.dim() != 4 or len(image) != 1:
        got = tuple(image.shape) if isinstance(image, Tensor) else type(image).__name__
        raise ValueError(f"module must map (1, *latent_shape) to (1, C, H, W), got {got}")
    if not image.is_floating_point():
        raise ValueError(
            f"module gives {str(image.dtype).removeprefix('torch.')} pixels; they must be "
            "floating-point numbers, without rounding: gradients pass through them"
        )
    low, high = image_range
    least, most = (float(end) for end in image.detach().float().aminmax())
    if not (math.isfinite(least) and math.isfinite(most)):
        raise ValueError(f"module gives pixels from {least:.3g} to {most:.3g}; they must be finite")
    if max(low - least, most - high) > FAR * (high - low):
        raise ValueError(
            f"module gives pixels from {least:.3g} to {most:.3g}, far outside of image_range "
            f"({low:g}, {high:g}); give the range that it was trained for"
        )
    return image


def check_readings(network: nn.Module | None, name: str, image: Tensor, count: int) -> None:
    """Refuse a discriminator or an encoder that does not give ``count`` numbers of an image.

    Raises
    ------
    ValueError
        If it does not take the image, (1, C, H, W), or gives another number of numbers.
    """
    if network is None:
        return
    check_network(name, network)
    given = (_like(image, network),)
    wanted = f"images of shape {tuple(image.shape)}, which the generator gives"
    found = _tried(name, network, given, wanted)
    if not isinstance(found, Tensor) or found.numel() != count:
        got = tuple(found.shape) if isinstance(found, Tensor) else type(found).__name__
        raise ValueError(f"{name} must give {count} number(s) of one image, got {got}")


def _tried(name: str, network: nn.Module, given: Sequence[Tensor], wanted: str) -> Any:
    """Output of a copy of the network, where it can be copied."""
    tried = network
    with suppress(Exception):
        tried = copy_of(network)
    try:
        with torch.no_grad(), eval_mode(tried):
            return tried(*given)
    # A network that is given another shape than its own may raise anything.
    except Exception as error:
        reason = next(iter(str(error).splitlines()), "") or type(error).__name__
        raise ValueError(f"{name} does not take {wanted}: {reason}") from error


def _like(tensor: Tensor, network: nn.Module) -> Tensor:
    parameter = next(network.parameters(), None)
    return tensor if parameter is None else tensor.to(parameter)


@contextmanager
def eval_mode(module: nn.Module) -> Iterator[None]:
    """Eval mode for a while; every part of the module gets back the mode it was in."""
    modes = [(part, part.training) for part in module.modules() if hasattr(part, "training")]
    module.eval()
    try:
        yield
    finally:
        for part, training in modes:
            part.training = training
