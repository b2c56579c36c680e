"""The code that made a row, in a few words: rows of different code do not stand in one table."""

from __future__ import annotations

import functools
import hashlib
import importlib
from importlib import metadata
from pathlib import Path

_PACKAGES = ("torch", "deepinv", "numpy", "scipy")


@functools.cache
def versions() -> str:
    """Package versions that numbers may depend on, in one line."""
    package = importlib.import_module("ganprior")
    named = {"ganprior": package.__version__, **{p: metadata.version(p) for p in _PACKAGES}}
    return " ".join(f"{name}={version}" for name, version in named.items())


@functools.cache
def code_hash(aside: tuple[str, ...]) -> str:
    """First digits of the SHA-256 of the package's code and tables, some parts of it aside."""
    root = Path(__file__).parents[1]
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*")):
        name = path.relative_to(root)
        if path.suffix in (".py", ".csv") and name.parts[0] not in aside:
            digest.update(name.as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:12]
