"""Networks from a card and a file of tensors, compared before anything of their size is built.

A card of a few bytes can describe a network of many gigabytes. Networks are therefore first made on
torch's meta device, where they have names and shapes and no memory, and compared with the tensors
that are there. Nothing is ever unpickled: a file that is not safetensors is refused.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from ganprior.files import reason_of

# What weights are stored in; arithmetic, and so any check, is not defined for smaller floats.
_FLOATS = (torch.float16, torch.bfloat16, torch.float32, torch.float64)

# Of all networks of a run together: with gradients and moments, sixteen gigabytes.
MOST_WEIGHTS = 10**9


def check_size(build: Callable[[], Iterable[nn.Module]]) -> None:
    """Refuse networks that are too large, before anything of their size is built.

    Parameters
    ----------
    build : callable
        Makes the networks; it is called with torch's meta device as the default.

    Raises
    ------
    ValueError
        If they have more than ``MOST_WEIGHTS`` weights.
    """
    try:
        with torch.device("meta"):
            numbers = sum(p.numel() for network in build() for p in network.parameters())
    except (RuntimeError, OverflowError, TypeError) as error:
        raise ValueError(
            f"networks of this size cannot be: {str(error).splitlines()[0]}"
        ) from error
    if numbers > MOST_WEIGHTS:
        raise ValueError(
            f"networks of this size have {numbers:,} weights, the most are {MOST_WEIGHTS:,}; give "
            "fewer filters or a smaller latent"
        )


def read_tensors(path: Path) -> dict[str, Tensor]:
    """Tensors of a safetensors file by name.

    Raises
    ------
    ValueError
        If it is something else or not whole, or holds numbers that no weights have.
    """
    try:
        tensors = load_file(path)
    except (SafetensorError, OSError, LookupError, AttributeError, TypeError) as error:
        size = os.path.getsize(path) if os.path.isfile(path) else 0
        raise ValueError(
            f"{path} ({size} bytes) is not a whole safetensors file: {reason_of(error)}; copy it "
            "again. "
            "Pickles (.pt, .pth) are not loaded: convert them with safetensors.torch.save_file"
        ) from error
    for name, tensor in tensors.items():
        if tensor.dtype.is_floating_point and tensor.dtype not in _FLOATS:
            raise ValueError(
                f"{path} holds {name} as {_words(tensor.dtype)}, which nothing can be computed "
                "with; store it as float16 or float32"
            )
        if not tensor.isfinite().all():
            raise ValueError(f"{path} holds NaN or infinite weights in {name}; copy it again")
    return tensors


def by_part(tensors: dict[str, Tensor]) -> dict[str, dict[str, Tensor]]:
    """Tensors of a file by network, and by the name that each has there."""
    parts: dict[str, dict[str, Tensor]] = {}
    for key, tensor in tensors.items():
        part, _, name = key.partition(".")
        parts.setdefault(part, {})[name] = tensor
    return parts


def check_fit(network: nn.Module, tensors: Mapping[str, Tensor]) -> None:
    """Refuse tensors that are not those of a network, one to one.

    Parameters
    ----------
    network : nn.Module
        The network, on any device; on the meta device this costs nothing.
    tensors : mapping
        What is to be filled in, by the names of the network's state.

    Raises
    ------
    ValueError
        If one is missing, is none of the network's, or has another shape or kind.
    """
    wanted = network.state_dict()
    for name, tensor in wanted.items():
        if name not in tensors:
            raise ValueError(f"it has no {name}")
        given = tensors[name]
        if given.shape != tensor.shape:
            raise ValueError(
                f"{name} is {tuple(given.shape)} in the file and {tuple(tensor.shape)} in the "
                "architecture"
            )
        if given.is_floating_point() != tensor.is_floating_point() or given.is_complex():
            raise ValueError(f"{name} is {_words(given.dtype)}, not {_words(tensor.dtype)}")
    for name in tensors:
        if name not in wanted:
            raise ValueError(f"the architecture has no {name}")


def fill(network: nn.Module, tensors: Mapping[str, Tensor]) -> None:
    """Give a network of the meta device memory on the CPU, and the tensors of a file.

    Raises
    ------
    ValueError
        As for :func:`check_fit`, before there is any memory.
    """
    check_fit(network, tensors)
    network.to_empty(device="cpu")
    network.load_state_dict(dict(tensors))


def _words(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")
