"""The tensors of a prior on disk.

``NAME.safetensors`` holds the networks' tensors, as ``generator.*``, ``discriminator.*`` and
``encoder.*``, in float16, and the density's as ``density.*``; the card beside it says how to build
the networks (:mod:`ganprior.priors.cards`).
"""

from __future__ import annotations

import copy
import math
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from ganprior.files import sha256, write_tensors
from ganprior.priors.architectures import Architecture, build_networks, draw_from
from ganprior.priors.architectures.conditional import classes_of, generator_given
from ganprior.priors.cards import find_prior, part_of_prior, read_card, write_card
from ganprior.priors.checks import checked_range
from ganprior.priors.density import Density
from ganprior.priors.density_files import density_of_tensors, density_tensors
from ganprior.priors.latent import Latent, latent_from_description
from ganprior.priors.network_files import by_part, check_fit, fill, read_tensors

# Numbers of an image of the largest prior: a card of few bytes can describe a larger one.
MOST_NUMBERS = 2**26

# Keys of hashes, which are those of the file that a prior was loaded from.
HASHES = ("weights_sha256", "sha256")

# What a card with a wrong value in it leads to, where the value is used.
_WRONG = (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RuntimeError)


class Stored(NamedTuple):
    """What the files of a prior hold; the fields are those of ``Prior``."""

    generator: nn.Module
    latent: Latent
    image_shape: tuple[int, int, int]
    image_range: tuple[float, float]
    discriminator: nn.Module | None
    encoder: nn.Module | None
    card: dict[str, Any]
    density: Density | None = None

    @property
    def networks(self) -> dict[str, nn.Module]:
        """The networks that there are, by name."""
        every = {part: getattr(self, part) for part in ("generator", "discriminator", "encoder")}
        return {part: network for part, network in every.items() if network is not None}


def load_stored(name: str | Path) -> Stored:
    """Load what a prior is made of, by name or path.

    Raises
    ------
    ValueError
        If there is none of that name, or a file is damaged or does not fit the other.
    """
    path = find_prior(name)
    tensors = by_part(read_tensors(path))
    card = read_card(path)
    try:
        described = _described(card)
    except _WRONG as error:
        raise _wrong_card(path, error) from error
    networks = {part: described[part] for part in described if part in {"generator", *tensors}}
    try:
        for part, network in networks.items():
            check_fit(network, tensors.get(part, {}))
    except ValueError as error:
        raise ValueError(
            f"{path} does not fit the architecture in its card: {part}: {error}; use the card it "
            "came with"
        ) from error
    try:
        stored = _from_card(card, networks)
    except _WRONG as error:
        raise _wrong_card(path, error) from error
    for part, network in networks.items():
        fill(network, tensors[part])
    stored = stored._replace(card={**card, "weights_sha256": sha256(path)})
    if "density" not in tensors:
        return stored
    try:
        size = stored.latent.size
        density = density_of_tensors(tensors["density"], stored.image_shape, size)
    except ValueError as error:
        raise ValueError(f"{path} is damaged: {error}; fit the density anew") from error
    return stored._replace(density=density)


def save_stored(stored: Stored, path: Path) -> None:
    """Write what a prior is made of.

    Raises
    ------
    ValueError
        If the card names neither architecture nor factory, or the files cannot be written.
    """
    ours = "architecture" in stored.card
    if not ours and not {"factory", "adapter"} & stored.card.keys():
        raise ValueError(
            "the card names neither an architecture of ganprior nor a factory; give "
            "factory='package.module:function', a function without arguments that makes this prior"
        )
    tensors = {
        f"{part}.{name}": _half(tensor) if ours else tensor.detach().cpu().clone().contiguous()
        for part, network in stored.networks.items()
        for name, tensor in network.state_dict().items()
    }
    if stored.density is not None:
        own = density_tensors(stored.density)
        tensors.update({f"density.{name}": tensor for name, tensor in own.items()})
    card = {
        **{key: value for key, value in stored.card.items() if key not in HASHES},
        "image_shape": list(stored.image_shape),
        "image_range": list(stored.image_range),
        "latent": stored.latent.describe(),
    }
    if ours:  # weights that were stored before are rounded already
        before = stored.card.get("float16_largest_pixel_change", 0.0)
        card["float16_largest_pixel_change"] = max(float16_change(stored), before)
    file = part_of_prior(path, ".safetensors")
    write_tensors(file, tensors)
    write_card(path, card)


@torch.no_grad()
def float16_change(stored: Stored, count: int = 64) -> float:
    """Largest change of an output pixel, in units of [0, 1], by float16 storage of the weights."""
    exact = copy.deepcopy(stored.generator).eval()
    half = copy.deepcopy(exact)
    half.load_state_dict({name: _half(t) for name, t in exact.state_dict().items()})
    # Dropout at test time is drawn alike in both, so that it counts as no change.
    for network in (exact, half):
        draw_from(network, torch.Generator().manual_seed(0))
    z = stored.latent.sample(count, torch.Generator().manual_seed(0))
    parameter = next(exact.parameters(), None)
    z = z if parameter is None else z.to(parameter)
    classes = classes_of(exact)
    given = (z, torch.arange(count, device=z.device) % classes) if classes else (z,)
    low, high = stored.image_range
    return float((half(*given) - exact(*given)).abs().max()) / (high - low)


def _described(card: dict[str, Any]) -> dict[str, nn.Module]:
    """Networks that a card describes, on the meta device."""
    architecture = Architecture.of(card["architecture"])
    with torch.device("meta"):
        networks = build_networks(architecture)
    return {name: part for name, part in networks._asdict().items() if part is not None}


def _from_card(card: dict[str, Any], networks: dict[str, nn.Module]) -> Stored:
    """What a card and its networks, on the meta device, say together."""
    latent = latent_from_description(card["latent"])
    image_range = checked_range(card["image_range"])
    generator = networks["generator"]
    shape = _image_shape(generator, latent, card["architecture"]["latent_size"])
    if list(shape) != card["image_shape"]:
        raise TypeError(f"image_shape is {card['image_shape']}, the generator gives {list(shape)}")
    if math.prod(shape) > MOST_NUMBERS:
        raise ValueError(f"images of {math.prod(shape)} numbers; the most is {MOST_NUMBERS}")
    output = card.get("discriminator_output", "probability")
    if output not in ("probability", "critic"):
        raise TypeError(f"discriminator_output is {output!r}, and not 'probability' or 'critic'")
    return Stored(
        generator,
        latent,
        shape,
        image_range,
        networks.get("discriminator"),
        networks.get("encoder"),
        card,
    )


@torch.no_grad()
def _image_shape(generator: nn.Module, latent: Latent, latent_size: int) -> tuple[int, int, int]:
    """Shape of the images of a generator on the meta device, which computes nothing."""
    if latent.size != latent_size:
        raise TypeError(f"latent is over {latent.shape}, the architecture takes {latent_size}")
    z = torch.empty(1, *latent.shape, device="meta")
    # Where labels choose networks they have to have values, which there are none of here.
    one = generator_given(generator, 0) if classes_of(generator) else generator
    images = one.eval()(z)
    channels, height, width = images.shape[1:]
    return channels, height, width


def _wrong_card(path: Path, error: Exception) -> ValueError:
    reason = f"no {error}" if isinstance(error, KeyError) else (str(error) or type(error).__name__)
    return ValueError(
        f"the card of {path} is incomplete or wrong: {reason.splitlines()[0]}; use the card it "
        "came with"
    )


def _half(tensor: Tensor) -> Tensor:
    # Contiguous: safetensors stores plain rows; counters of batch norm stay integers.
    return (tensor.half() if tensor.is_floating_point() else tensor).cpu().contiguous()
