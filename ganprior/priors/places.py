"""Where priors lie that the installed package does not hold: those for research use only.

A folder of priors holds ``NAME/NAME.safetensors`` with its card beside it. The one that the
environment variable ``GANPRIOR_PRIORS`` names goes first, then ``data/priors`` of the checkout.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from pathlib import Path

from ganprior.checkout import find_checkout
from ganprior.files import expand_user

VARIABLE = "GANPRIOR_PRIORS"
# Their data are for research only, so the wheel does not hold them.
RESEARCH_PRIORS = ("cars-64", "faces-64")


def outside_priors() -> dict[str, Path]:
    """Safetensors file of each prior outside the package, by name."""
    found: dict[str, Path] = {}
    for folder in _folders():
        for path in _files_in(folder):
            if path.stem == path.parent.name:
                found.setdefault(path.stem, path)
    return found


def where_to_get(name: str) -> str:
    """Half a sentence on where a prior for research use comes from."""
    return (
        f"it was trained on data for research only and is not part of the package; take it from "
        f"data/priors/{name} of a source checkout: run in the checkout, or name a folder that "
        f"holds {name}/{name}.safetensors in the environment variable {VARIABLE}"
    )


def _files_in(folder: Path) -> list[Path]:
    try:
        return sorted(folder.glob("*/*.safetensors"))
    except (OSError, ValueError):
        # A folder that cannot be read, or whose name cannot be one, is like one that is not there.
        return []


def _folders() -> Iterator[Path]:
    named = os.environ.get(VARIABLE)
    if named:
        try:
            yield expand_user(named)
        except ValueError as error:
            warnings.warn(f"{VARIABLE}: {error}; no prior is taken from there", stacklevel=2)
    checkout = find_checkout()
    if checkout is not None:
        yield checkout / "data" / "priors"
