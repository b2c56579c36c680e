"""The tensors of a prior on disk.

``NAME.safetensors`` holds the networks' tensors, as ``generator.*``, ``discriminator.*`` and
``encoder.*``, in float16; the card beside it says how to build the networks
(:mod:`ganprior.priors.cards`).
"""

from __future__ import annotations

import copy
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from ganprior.files import sha256, write_tensors
from ganprior.priors.architectures import Architecture, build_networks, draw_from
from ganprior.priors.architectures.conditional import classes_of
from ganprior.priors.cards import find_prior, part_of_prior, read_card, write_card
from ganprior.priors.latent import Latent, latent_from_description
from ganprior.priors.network_files import check_fit, fill, read_tensors

if TYPE_CHECKING:
    from ganprior.priors.prior import Prior


# Numbers of an image of the largest prior: a card of few bytes can describe a larger one.
MOST_NUMBERS = 2**26

# What a card with a wrong value in it leads to, where the value is used.
_WRONG = (ValueError, LookupError, TypeError, AttributeError, ArithmeticError, RuntimeError)


def load_prior(name: str | Path) -> Prior:
    """Load a prior by name or path; see :meth:`~ganprior.priors.prior.Prior.load`."""
    path = find_prior(name)
    tensors = _by_part(read_tensors(path))
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
        prior = _from_card(card, networks)
    except _WRONG as error:
        raise _wrong_card(path, error) from error
    for part, network in networks.items():
        fill(network, tensors[part])
    prior.card = {**card, "weights_sha256": sha256(path)}
    return prior.eval()


def save_prior(prior: Prior, path: Path) -> None:
    """Write a prior; see :meth:`~ganprior.priors.prior.Prior.save`."""
    if "architecture" not in prior.card:
        raise ValueError(
            "only a prior whose card names its architecture can be saved; "
            "save the module of your own with safetensors and wrap it with Prior.from_module"
        )
    tensors = {
        f"{part}.{name}": _half(tensor)
        for part, network in _parts(prior).items()
        for name, tensor in network.state_dict().items()
    }
    card = {
        **{key: value for key, value in prior.card.items() if key != "weights_sha256"},
        "image_shape": list(prior.image_shape),
        "image_range": list(prior.image_range),
        "latent": prior.latent.describe(),
        "float16_largest_pixel_change": float16_change(prior),
    }
    file = part_of_prior(path, ".safetensors")
    write_tensors(file, tensors)
    write_card(path, card)


@torch.no_grad()
def float16_change(prior: Prior, count: int = 64) -> float:
    """Largest change of an output pixel, in units of [0, 1], by float16 storage of the weights."""
    exact = copy.deepcopy(prior.generator).eval()
    stored = copy.deepcopy(exact)
    stored.load_state_dict({name: _half(t) for name, t in exact.state_dict().items()})
    # Dropout at test time is drawn alike in both, so that it counts as no change.
    for network in (exact, stored):
        draw_from(network, torch.Generator().manual_seed(0))
    z = prior.latent.sample(count, torch.Generator().manual_seed(0))
    parameter = next(exact.parameters(), None)
    z = z if parameter is None else z.to(parameter)
    labels = prior.round_robin(count)
    given = (z,) if labels is None else (z, labels.to(z.device))
    return float((prior.to_unit(stored(*given)) - prior.to_unit(exact(*given))).abs().max())


def _by_part(tensors: dict[str, Tensor]) -> dict[str, dict[str, Tensor]]:
    """Tensors of a file by network, and by the name that each has there."""
    parts: dict[str, dict[str, Tensor]] = {}
    for key, tensor in tensors.items():
        part, _, name = key.partition(".")
        parts.setdefault(part, {})[name] = tensor
    return parts


def _described(card: dict[str, Any]) -> dict[str, nn.Module]:
    """Networks that a card describes, on the meta device."""
    architecture = Architecture.of(card["architecture"])
    with torch.device("meta"):
        networks = build_networks(architecture)
    return {name: part for name, part in networks._asdict().items() if part is not None}


def _from_card(card: dict[str, Any], networks: dict[str, nn.Module]) -> Prior:
    """Prior of a card and of its networks on the meta device."""
    from ganprior.priors.prior import Prior

    latent = latent_from_description(card["latent"])
    low, high = (float(end) for end in card["image_range"])
    generator = networks["generator"]
    shape = _image_shape(generator, latent, card["architecture"]["latent_size"])
    if list(shape) != card["image_shape"]:
        raise TypeError(f"image_shape is {card['image_shape']}, the generator gives {list(shape)}")
    if math.prod(shape) > MOST_NUMBERS:
        raise ValueError(f"images of {math.prod(shape)} numbers; the most is {MOST_NUMBERS}")
    output = card.get("discriminator_output", "probability")
    if output not in ("probability", "critic"):
        raise TypeError(f"discriminator_output is {output!r}, and not 'probability' or 'critic'")
    return Prior(
        generator,
        latent,
        shape,
        image_range=(low, high),
        discriminator=networks.get("discriminator"),
        encoder=networks.get("encoder"),
    )


@torch.no_grad()
def _image_shape(generator: nn.Module, latent: Latent, latent_size: int) -> tuple[int, int, int]:
    """Shape of the images of a generator on the meta device, which computes nothing."""
    if latent.size != latent_size:
        raise TypeError(f"latent is over {latent.shape}, the architecture takes {latent_size}")
    z = torch.empty(1, *latent.shape, device="meta")
    labels = torch.zeros(1, dtype=torch.long, device="meta")
    images = generator.eval()(z, labels) if classes_of(generator) else generator.eval()(z)
    channels, height, width = images.shape[1:]
    return channels, height, width


def _wrong_card(path: Path, error: Exception) -> ValueError:
    reason = f"no {error}" if isinstance(error, KeyError) else (str(error) or type(error).__name__)
    return ValueError(
        f"the card of {path} is incomplete or wrong: {reason.splitlines()[0]}; use the card it "
        "came with"
    )


def _parts(prior: Prior) -> dict[str, nn.Module]:
    parts = {
        "generator": prior.generator,
        "discriminator": prior.discriminator,
        "encoder": prior.encoder,
    }
    return {name: network for name, network in parts.items() if network is not None}


def _half(tensor: Tensor) -> Tensor:
    # Contiguous: safetensors stores plain rows; counters of batch norm stay integers.
    return (tensor.half() if tensor.is_floating_point() else tensor).cpu().contiguous()
