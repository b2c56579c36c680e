"""Checkpoints: one safetensors file that is replaced whole, and that holds no pickle."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from ganprior.files import write_atomically

State = dict[str, dict[str, Tensor]]


def save_checkpoint(path: Path, state: State, header: dict[str, Any]) -> None:
    """Write a checkpoint; a crash at any moment leaves the previous one.

    Parameters
    ----------
    path : Path
        File to replace.
    state : dict of dict of Tensor
        Tensors by part ("generator", ...) and name.
    header : dict
        What goes with them as JSON: step, recipe, ...

    Raises
    ------
    ValueError
        If the file cannot be written.
    """
    tensors = {
        f"{part}/{name}": tensor.detach().cpu().contiguous().clone()
        for part, entries in state.items()
        for name, tensor in entries.items()
    }
    metadata = {"header": json.dumps(header)}
    write_atomically(path, lambda temporary: save_file(tensors, temporary, metadata))


def load_checkpoint(path: Path) -> tuple[State, dict[str, Any]]:
    """Read a checkpoint that :func:`save_checkpoint` wrote.

    Raises
    ------
    ValueError
        If the file is missing, truncated or something else.
    """
    state: State = {}
    try:
        with safe_open(path, framework="pt") as file:
            header = json.loads((file.metadata() or {})["header"])
            for key in file.keys():  # noqa: SIM118 - safe_open is no mapping
                part, name = key.split("/", 1)
                state.setdefault(part, {})[name] = file.get_tensor(key)
    except FileNotFoundError as error:
        raise ValueError(f"no checkpoint at {path}; start without --resume") from error
    except (SafetensorError, OSError, KeyError, ValueError) as error:
        raise ValueError(f"{path} is not a checkpoint of ganprior: {error}") from error
    return state, header


def optimizer_tensors(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """Return the running moments of an optimiser by ``"parameter.name"``.

    Rates and betas are not among them: they belong to the recipe.
    """
    state = optimizer.state_dict()["state"]
    return {f"{i}.{name}": torch.as_tensor(t) for i, s in state.items() for name, t in s.items()}


def restore_optimizer(optimizer: torch.optim.Optimizer, tensors: dict[str, Tensor]) -> None:
    """Put the moments of :func:`optimizer_tensors` back."""
    state: dict[int, dict[str, Tensor]] = {}
    for key, tensor in tensors.items():
        index, name = key.split(".", 1)
        state.setdefault(int(index), {})[name] = tensor
    groups = optimizer.state_dict()["param_groups"]
    optimizer.load_state_dict({"state": state, "param_groups": groups})
