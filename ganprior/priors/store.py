"""Priors on disk: tensors in a safetensors file, facts in a JSON card beside it.

``NAME.safetensors`` holds the networks' tensors, as ``generator.*`` and ``discriminator.*``, in
float16; ``NAME.json`` is the card, whose ``architecture`` says how to build the networks. Nothing
is ever unpickled: a file that is not safetensors is refused.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from ganprior.files import sha256, write_atomically
from ganprior.priors.dcgan import DCGANDiscriminator, DCGANGenerator
from ganprior.priors.latent import Latent, latent_from_description

if TYPE_CHECKING:
    from ganprior.priors.prior import Prior

WEIGHTS = Path(__file__).parent / "weights"


def prior_names() -> list[str]:
    """Names of the shipped priors."""
    return sorted(path.stem for path in WEIGHTS.glob("*.safetensors"))


def read_card(path: Path) -> dict[str, Any]:
    """Card of the prior at ``path`` (with or without suffix).

    Raises
    ------
    ValueError
        If the card is missing or is not JSON.
    """
    card_path = path.with_suffix(".json")
    try:
        card = json.loads(card_path.read_text())
    except FileNotFoundError as error:
        raise ValueError(f"no card {card_path}: a prior is NAME.safetensors and NAME.json") from error
    except (OSError, ValueError) as error:
        raise ValueError(f"{card_path} is not a prior's card: {error}") from error
    if not isinstance(card, dict):
        raise ValueError(f"{card_path} is not a prior's card: it holds no JSON object")
    return card


def find_prior(name: str | Path) -> Path:
    """Path of a prior's safetensors file, from its name or path.

    Raises
    ------
    ValueError
        If it is neither the name of a shipped prior nor a file.
    """
    if str(name) in prior_names():
        return WEIGHTS / f"{name}.safetensors"
    path = Path(name)
    if path.suffix != ".safetensors" and path.with_name(path.name + ".safetensors").is_file():
        path = path.with_name(path.name + ".safetensors")
    if not path.is_file():
        raise ValueError(
            f"no prior {str(name)!r}: neither a file nor one of {', '.join(prior_names())}"
        )
    return path


def load_prior(name: str | Path) -> Prior:
    """Load a prior by name or path; see :meth:`Prior.load`."""
    from ganprior.priors.prior import Prior

    path = find_prior(name)
    tensors = _read_tensors(path)
    card = read_card(path)
    try:
        generator, discriminator = build(card["architecture"])
        latent: Latent = latent_from_description(card["latent"])
        channels, height, width = (int(size) for size in card["image_shape"])
        low, high = (float(end) for end in card["image_range"])
    except (KeyError, TypeError) as error:
        raise ValueError(f"the card of {path} is incomplete: {error}") from error
    _fill(generator, tensors, "generator.", path)
    if any(key.startswith("discriminator.") for key in tensors):
        _fill(discriminator, tensors, "discriminator.", path)
    else:
        discriminator = None
    prior = Prior(
        generator,
        latent,
        (channels, height, width),
        image_range=(low, high),
        discriminator=discriminator,
        card={**card, "weights_sha256": sha256(path)},
    )
    return prior.eval()


def save_prior(prior: Prior, path: Path) -> None:
    """Write a prior; see :meth:`Prior.save`."""
    if "architecture" not in prior.card:
        raise ValueError(
            "only a prior whose card names its architecture can be saved; "
            "save the module of your own with safetensors and wrap it with Prior.from_module"
        )
    parts = {"generator": prior.generator, "discriminator": prior.discriminator}
    tensors = {
        f"{part}.{name}": _half(tensor)
        for part, network in parts.items()
        if network is not None
        for name, tensor in network.state_dict().items()
    }
    card = {
        **{key: value for key, value in prior.card.items() if key != "weights_sha256"},
        "image_shape": list(prior.image_shape),
        "image_range": list(prior.image_range),
        "latent": prior.latent.describe(),
        "float16_largest_pixel_change": float16_change(prior),
    }
    write_atomically(path.with_suffix(".safetensors"), lambda file: save_file(tensors, file))
    write_card(path, card)


def write_card(path: Path, card: dict[str, Any]) -> None:
    """Replace the card of the prior at ``path``.

    Raises
    ------
    ValueError
        If the file cannot be written.
    """
    text = json.dumps(card, indent=2) + "\n"

    def write(file: Path) -> None:
        file.write_text(text)

    write_atomically(path.with_suffix(".json"), write)


def build(architecture: dict[str, Any]) -> tuple[nn.Module, nn.Module | None]:
    """Generator and discriminator of a card's ``architecture``, with weights yet to be filled.

    Raises
    ------
    ValueError
        If the architecture is unknown.
    KeyError
        If a size is missing.
    """
    if architecture["name"] != "dcgan":
        raise ValueError(f"unknown architecture {architecture['name']!r}; known: dcgan")
    channels, size = architecture["channels"], architecture["size"]
    generator = DCGANGenerator(
        architecture["latent_size"], channels, size, architecture["filters"]
    )
    discriminator = DCGANDiscriminator(
        channels,
        size,
        architecture["discriminator_filters"],
        batch_norm=architecture["discriminator_batch_norm"],
    )
    return generator, discriminator


@torch.no_grad()
def float16_change(prior: Prior, count: int = 64) -> float:
    """Largest change of an output pixel, in units of [0, 1], by float16 storage of the weights."""
    rng = torch.Generator().manual_seed(0)
    z = prior.latent.sample(count, rng)
    generator = prior.generator.eval()
    exact = {name: tensor.clone() for name, tensor in generator.state_dict().items()}
    before = prior(z)
    generator.load_state_dict({name: _half(tensor) for name, tensor in exact.items()})
    after = prior(z)
    generator.load_state_dict(exact)
    return float((before - after).abs().max())


def _half(tensor: Tensor) -> Tensor:
    # Contiguous: safetensors stores plain rows; counters of batch norm stay integers.
    return (tensor.half() if tensor.is_floating_point() else tensor).contiguous()


def _read_tensors(path: Path) -> dict[str, Tensor]:
    try:
        return load_file(path)
    except (SafetensorError, OSError) as error:
        size = os.path.getsize(path)
        raise ValueError(
            f"{path} ({size} bytes) is not a whole safetensors file: {error}; pickles (.pt, .pth) "
            "are not loaded, convert them with safetensors.torch.save_file"
        ) from error


def _fill(network: nn.Module | None, tensors: dict[str, Tensor], part: str, path: Path) -> None:
    if network is None:
        return
    state = {key[len(part) :]: tensor for key, tensor in tensors.items() if key.startswith(part)}
    try:
        network.load_state_dict(state)
    except RuntimeError as error:
        reason = str(error).splitlines()[-1].strip()
        raise ValueError(f"{path} does not fit the architecture of its card: {reason}") from error
