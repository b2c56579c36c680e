"""The tensors of a prior on disk.

``NAME.safetensors`` holds the networks' tensors, as ``generator.*``, ``discriminator.*`` and
``encoder.*``, in float16; the card beside it says how to build the networks
(:mod:`ganprior.priors.cards`). Nothing is ever unpickled: a file that is not safetensors is
refused.
"""

from __future__ import annotations

import copy
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from ganprior.files import sha256, write_tensors
from ganprior.priors.architectures import Architecture, build_networks, draw_from
from ganprior.priors.cards import find_prior, part_of_prior, read_card, write_card
from ganprior.priors.latent import latent_from_description

if TYPE_CHECKING:
    from ganprior.priors.prior import Prior


def load_prior(name: str | Path) -> Prior:
    """Load a prior by name or path; see :meth:`Prior.load`."""
    path = find_prior(name)
    tensors = _read_tensors(path)
    card = read_card(path)
    try:
        prior = _from_card(card, {key.partition(".")[0] for key in tensors})
    except (KeyError, TypeError, AttributeError, RuntimeError) as error:
        reason = f"no {error}" if isinstance(error, KeyError) else str(error)
        raise ValueError(
            f"the card of {path} is incomplete or wrong: {reason}; use the card it came with"
        ) from error
    _fill(prior, tensors, path)
    prior.card = {**card, "weights_sha256": sha256(path)}
    return prior.eval()


def save_prior(prior: Prior, path: Path) -> None:
    """Write a prior; see :meth:`Prior.save`."""
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


def _from_card(card: dict[str, Any], parts: set[str]) -> Prior:
    """Prior of a card, with weights yet to be filled; ``parts`` are the networks in its file."""
    from ganprior.priors.prior import Prior

    networks = build_networks(Architecture.of(card["architecture"]))
    low, high = (float(end) for end in card["image_range"])
    prior = Prior.from_module(
        networks.generator,
        card["latent"]["shape"],
        latent=latent_from_description(card["latent"]),
        image_range=(low, high),
        discriminator=networks.discriminator if "discriminator" in parts else None,
        encoder=networks.encoder if "encoder" in parts else None,
    )
    if list(prior.image_shape) != card["image_shape"]:
        raise TypeError(
            f"image_shape is {card['image_shape']}, the generator gives {list(prior.image_shape)}"
        )
    return prior


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


def _read_tensors(path: Path) -> dict[str, Tensor]:
    try:
        tensors = load_file(path)
    except (SafetensorError, OSError) as error:
        size = os.path.getsize(path)
        raise ValueError(
            f"{path} ({size} bytes) is not a whole safetensors file: {error}; copy it again. "
            "Pickles (.pt, .pth) are not loaded: convert them with safetensors.torch.save_file"
        ) from error
    broken = [name for name, tensor in tensors.items() if not tensor.isfinite().all()]
    if broken:
        raise ValueError(f"{path} holds NaN or infinite weights in {broken[0]}; copy it again")
    return tensors


def _fill(prior: Prior, tensors: dict[str, Tensor], path: Path) -> None:
    for part, network in _parts(prior).items():
        start = f"{part}."
        state = {key.removeprefix(start): t for key, t in tensors.items() if key.startswith(start)}
        try:
            network.load_state_dict(state)
        except RuntimeError as error:
            reason = str(error).splitlines()[-1].strip()
            raise ValueError(
                f"{path} does not fit the architecture in its card: {reason}; "
                "use the card it came with"
            ) from error
