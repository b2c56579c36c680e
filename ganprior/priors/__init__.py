"""Priors: generators with the law of their latent.

Names are imported when they are first asked for: cards are read without torch.
"""

import importlib
from typing import TYPE_CHECKING

_HOMES = {
    "cards": ("find_prior", "prior_aliases", "prior_names", "read_card", "write_card"),
    "latent": ("GaussianLatent", "Latent", "UniformLatent"),
    "paths": ("linear_path", "spherical_path"),
    "prior": ("Prior",),
}

__all__ = [
    "GaussianLatent",
    "Latent",
    "Prior",
    "UniformLatent",
    "find_prior",
    "linear_path",
    "prior_aliases",
    "prior_names",
    "read_card",
    "spherical_path",
    "write_card",
]

if TYPE_CHECKING:
    from ganprior.priors.cards import (
        find_prior,
        prior_aliases,
        prior_names,
        read_card,
        write_card,
    )
    from ganprior.priors.latent import GaussianLatent, Latent, UniformLatent
    from ganprior.priors.paths import linear_path, spherical_path
    from ganprior.priors.prior import Prior
else:

    def __getattr__(name: str) -> object:
        """Import a name when it is first asked for (PEP 562)."""
        for home, names in _HOMES.items():
            if name in names:
                value = getattr(importlib.import_module(f"{__name__}.{home}"), name)
                globals()[name] = value
                return value
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
