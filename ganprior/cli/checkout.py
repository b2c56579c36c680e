"""The source checkout: experiments ship with it, and not with the installed package."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

# What a checkout is known by.
MARK = Path("experiments") / "figures.py"


def find_checkout() -> Path:
    """Folder of the checkout: where this package lies in it, or around the working folder.

    Raises
    ------
    ValueError
        If there is none.
    """
    for folder in _candidates():
        if (folder / MARK).is_file():
            return folder
    raise ValueError(
        "the experiments ship with the source checkout, and there is none here; run this in a "
        "checkout of ganprior"
    )


def load_experiment(module: str) -> Any:
    """Import ``experiments.MODULE`` of the checkout.

    Raises
    ------
    ValueError
        If there is no checkout.
    """
    root = str(find_checkout())
    # Worker processes are told this path as well.
    if root not in sys.path:
        sys.path.insert(0, root)
    return importlib.import_module(f"experiments.{module}")


def _candidates() -> Iterator[Path]:
    yield Path(__file__).parents[2]
    here = Path.cwd()
    yield from (here, *here.parents)
