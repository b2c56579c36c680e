"""Experiments, which ship with the source checkout and not with the installed package."""

from __future__ import annotations

import importlib
import sys
from typing import Any

from ganprior.checkout import find_checkout


def load_experiment(module: str) -> Any:
    """Import ``experiments.MODULE`` of the checkout.

    Raises
    ------
    ValueError
        If there is no checkout.
    """
    checkout = find_checkout()
    if checkout is None:
        raise ValueError(
            "the experiments ship with the source checkout, and there is none here; run this in "
            "a checkout of ganprior"
        )
    root = str(checkout)
    # Worker processes are told this path as well.
    if root not in sys.path:
        sys.path.insert(0, root)
    return importlib.import_module(f"experiments.{module}")
