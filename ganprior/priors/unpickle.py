"""Tensors out of a pickle, without running anything that it asks for; a program of its own.

    python unpickle.py PICKLE OUT.safetensors [KEY]

A pickle names functions and classes and calls them. Here only those that make tensors, arrays and
containers are what they are; every other name stands for an inert object that notes what it is
given. Modules that were pickled whole, as NVlabs' networks are, are such objects, and their weights
are found in them by torch's own names. This file imports nothing of ganprior, so that it runs in a
bare process: :mod:`ganprior.priors.pickles` starts it.
"""

from __future__ import annotations

import collections
import io
import pickle
import sys
import types
import zipfile
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file
from torch import Tensor

# Containers inside each other; networks have some dozens.
DEEPEST = 200
# What torch's modules keep their parts in.
MODULE = ("_parameters", "_buffers", "_modules")
_TORCH_BUILDERS = {"_rebuild_tensor", "_rebuild_tensor_v2", "_rebuild_parameter"}


class Inert:
    """Stands for what is not known: notes what it is made of, and does nothing."""

    origin = ""

    def __new__(cls, *given: Any, **_: Any) -> Inert:
        """Note the arguments."""
        made = object.__new__(cls)
        made.parts = list(given)
        return made

    def __init__(self, *_: Any, **__: Any) -> None:
        self.parts: list[Any]

    def __setstate__(self, state: Any) -> None:
        """Note the state."""
        self.parts.append(state)

    def __setitem__(self, key: Any, value: Any) -> None:
        """Note an entry, of a dictionary say."""
        self.parts.append({key: value})

    def append(self, value: Any) -> None:
        """Note an entry of a list."""
        self.parts.append(value)

    def extend(self, values: Any) -> None:
        """Note entries of a list."""
        self.parts.extend(values)

    def __hash__(self) -> int:
        return id(self)


def _encode(text: str, encoding: str = "latin1") -> bytes:
    return text.encode("latin1" if encoding == "latin1" else "utf-8")


def _inner(outer: type, name: str) -> type:
    """Class inside of a class, which stands for something inert too."""
    return type(name, (Inert,), {"origin": f"{getattr(outer, 'origin', outer)}.{name}"})


_BUILTINS: dict[str, Any] = {
    **{kind.__name__: kind for kind in (set, frozenset, bytearray, complex, slice)},
    "getattr": _inner,
}


def _known(module: str, name: str) -> Any:
    """What a name stands for where that is harmless; None elsewhere."""
    if module == "collections" and name == "OrderedDict":
        return collections.OrderedDict
    if module in ("builtins", "__builtin__"):
        return _BUILTINS.get(name)
    if module == "_codecs" and name == "encode":
        return _encode
    if module == "torch._utils" and name in _TORCH_BUILDERS:
        return getattr(torch._utils, name)
    if module == "torch.storage" and name == "_load_from_bytes":
        return lambda data: _torch_load(io.BytesIO(data))
    if module == "torch.nn.parameter" and name == "Parameter":
        return lambda data, requires_grad=True: data
    if module in ("torch", "torch.storage"):
        found = getattr(torch, name, None)
        if name == "Size" or isinstance(found, torch.dtype):
            return found
        if name.endswith("Storage"):
            return found or getattr(torch.storage, name, None)
    if module.partition(".")[0] == "numpy":
        if name in ("ndarray", "dtype"):
            return getattr(np, name)
        if module.endswith("multiarray") and name in ("_reconstruct", "scalar"):
            from numpy._core import multiarray

            return getattr(multiarray, name)
    return None


class Unpickler(pickle.Unpickler):
    """An unpickler to which only what is known is what it is."""

    def find_class(self, module: str, name: str) -> Any:
        """Return what a name stands for."""
        known = _known(module, name)
        if known is not None:
            return known
        return type(name.rpartition(".")[2], (Inert,), {"origin": f"{module}.{name}"})


def _load(file: Any, **options: Any) -> Any:
    return Unpickler(file, **options).load()


# What torch.load asks of a module that unpickles.
_SAFE = types.SimpleNamespace(
    Unpickler=Unpickler, load=_load, UnpicklingError=pickle.UnpicklingError, __name__="pickle"
)


def _torch_load(file: Any) -> Any:
    return torch.load(file, map_location="cpu", weights_only=False, pickle_module=_SAFE)


def read(path: str) -> Any:
    """What a pickle holds, of torch's own formats or a plain one.

    Raises
    ------
    ValueError
        If it is none, or a program.
    """
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            if any(part.partition("/")[2].startswith("code/") for part in archive.namelist()):
                raise ValueError("it is a program of TorchScript, and no pickle")
        return _torch_load(path)
    with open(path, "rb") as file:
        first = _load(file, encoding="latin1")
    return _torch_load(path) if first == torch.serialization.MAGIC_NUMBER else first


def tensors_in(
    found: Any, name: str = "", above: frozenset[int] = frozenset()
) -> Iterator[tuple[str, Tensor]]:
    """Tensors and arrays with the names of their places, those of modules as state dicts say.

    What is in two places has two names, as in state dicts; what is inside of itself has one.
    """
    if isinstance(found, np.ndarray) and found.dtype != object:
        found = torch.from_numpy(found.copy())
    if isinstance(found, Tensor):
        yield name, found
    elif id(found) not in above and len(above) < DEEPEST:
        inner: Iterable[tuple[str, Any]] = ()
        if isinstance(found, Inert):
            inner = ((name, part) for part in found.parts)
        elif isinstance(found, dict):
            inner = ((_joined(name, key), part) for key, part in found.items())
        elif isinstance(found, list | tuple):
            inner = ((_joined(name, number), part) for number, part in enumerate(found))
        for place, part in inner:
            yield from tensors_in(part, place, above | {id(found)})


def _joined(name: str, key: Any) -> str:
    # Of a module that was pickled whole, and of NVlabs' wrapper of one.
    if key in (*MODULE, "state"):
        return name
    return f"{name}.{key}" if name else str(key)


def _entries(found: Any) -> dict[str, Any]:
    """Entries of a dictionary, or of what stands for one or for an object."""
    if isinstance(found, Inert):
        found = {key: value for part in found.parts for key, value in _entries(part).items()}
    return found if isinstance(found, dict) else {}


def chosen(found: Any, key: str | None) -> Any:
    """Entry ``key``, with dots; without one what stands below a single entry.

    Raises
    ------
    ValueError
        If there is none.
    """
    for part in key.split(".") if key else []:
        entries = {str(name): entry for name, entry in _entries(found).items()}
        if part not in entries:
            known = ", ".join(sorted(entries)[:12]) or "none"
            raise ValueError(f"it has no entry {part!r}; its entries are {known}")
        found = entries[part]
    while not key and isinstance(found, dict) and len(found) == 1:
        (below,) = found.values()
        if isinstance(below, Tensor):
            break
        found = below
    return found


def main(path: str, out: str, key: str | None = None) -> int:
    """Read, and write safetensors; one line on stderr where that cannot be."""
    try:
        found = chosen(read(path), key)
        tensors = dict(tensors_in(found))
        if not tensors:
            what = found.origin if isinstance(found, Inert) else type(found).__name__
            raise ValueError(f"it holds no tensors, but {what}")
        save_file({name: t.detach().clone().contiguous() for name, t in tensors.items()}, out)
    # What is damaged may raise anything.
    except Exception as error:
        reason = next(iter(str(error).splitlines()), "") or type(error).__name__
        print(reason, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
