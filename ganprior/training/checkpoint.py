"""Checkpoints: one safetensors file that is replaced whole, and that holds no pickle."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from torch import Tensor

from ganprior.files import write_tensors
from ganprior.training.recipes import NOT_OF_THE_RUN, Recipe

# What a file with wrong contents leads to, where they are read.
_NOT_ONE = (
    SafetensorError, OSError, LookupError, TypeError, AttributeError, ValueError, ArithmeticError,
    RecursionError,
)  # fmt: skip

State = dict[str, dict[str, Tensor]]


@dataclass(frozen=True)
class Header:
    """What a checkpoint says beside its tensors.

    Attributes
    ----------
    step, batches : int
        Generator steps and batches of real images so far.
    recipe : Recipe
        Recipe of the run.
    data_sha256 : str
        SHA-256 of the images' source.
    """

    step: int
    batches: int
    recipe: Recipe
    data_sha256: str

    def check_recipe(self, recipe: Recipe, path: Path) -> None:
        """Refuse to go on with another recipe; more steps are a longer run, not another one.

        Raises
        ------
        ValueError
            If the recipes differ in anything that ``NOT_OF_THE_RUN`` does not name.
        """
        other = [n for n in self.recipe.differences(recipe) if n not in NOT_OF_THE_RUN]
        if other:
            raise ValueError(
                f"{path} is of another recipe: {', '.join(other)} differ; give the recipe and the "
                "--set of its recipe.toml, or another folder"
            )


def save_checkpoint(path: Path, state: State, header: Header) -> None:
    """Write a checkpoint; a crash at any moment leaves the previous one.

    Parameters
    ----------
    path : Path
        File to replace.
    state : dict of dict of Tensor
        Tensors by part ("generator", ...) and name, on any device.
    header : Header
        What goes with them, as JSON.

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
    metadata = {"header": json.dumps(asdict(header))}
    write_tensors(path, tensors, metadata)


def read_header(path: Path) -> Header:
    """Header of a checkpoint, without its tensors.

    Raises
    ------
    ValueError
        If the file is missing, truncated or something else.
    """
    with _open(path) as file:
        return _header(file)


def load_checkpoint(path: Path) -> tuple[State, Header]:
    """Read a checkpoint that :func:`save_checkpoint` wrote.

    Raises
    ------
    ValueError
        If the file is missing, truncated or something else.
    """
    state: State = {}
    with _open(path) as file:
        for key in file.keys():  # noqa: SIM118 - safe_open is no mapping
            part, _, name = key.partition("/")
            state.setdefault(part, {})[name] = file.get_tensor(key)
        return state, _header(file)


@contextmanager
def _open(path: Path) -> Iterator[Any]:
    try:
        with safe_open(path, framework="pt") as file:
            yield file
    except FileNotFoundError as error:
        raise ValueError(f"no checkpoint at {path}; start without --resume") from error
    except _NOT_ONE as error:
        reason = f"it has no {error.args[0]}" if isinstance(error, KeyError) else str(error)
        raise ValueError(
            f"{path} is not a checkpoint of ganprior: {reason}; start again in another folder"
        ) from error


def _header(file: Any) -> Header:
    values = json.loads((file.metadata() or {})["header"])
    recipe, data = values["recipe"], values["data_sha256"]
    if not isinstance(recipe, dict) or not isinstance(data, str):
        raise TypeError("its recipe is no table, or its data_sha256 no text")
    return Header(_count(values, "step"), _count(values, "batches"), Recipe.of(recipe), data)


def _count(values: dict[str, Any], name: str) -> int:
    value = values[name]
    # Larger numbers, JSON does not keep exactly.
    if type(value) is not int or not 0 <= value < 2**53:
        raise ValueError(f"its {name} is {str(value)[:40]}")
    return value
