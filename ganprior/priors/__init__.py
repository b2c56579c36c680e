"""Priors: generators with the law of their latent.

Names are imported when they are first asked for: cards are read without torch.
"""

import importlib
from typing import TYPE_CHECKING

_HOMES = {
    "cards": ("find_prior", "prior_aliases", "prior_names", "read_card", "write_card"),
    "gaussian_mixture_files": (
        "gaussian_mixture_names",
        "gaussian_mixture_of",
        "load_gaussian_mixture",
        "save_gaussian_mixture",
    ),
    "gaussian_mixture_law": ("GaussianMixtureLaw",),
    "latent": ("GaussianLatent", "Latent", "UniformLatent"),
    "paths": ("linear_path", "spherical_path"),
    "prior": ("Prior",),
}

__all__ = [
    "GaussianLatent",
    "GaussianMixtureLaw",
    "Latent",
    "Prior",
    "UniformLatent",
    "find_prior",
    "gaussian_mixture_names",
    "gaussian_mixture_of",
    "linear_path",
    "load_gaussian_mixture",
    "prior_aliases",
    "prior_names",
    "read_card",
    "save_gaussian_mixture",
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
    from ganprior.priors.gaussian_mixture_files import (
        gaussian_mixture_names,
        gaussian_mixture_of,
        load_gaussian_mixture,
        save_gaussian_mixture,
    )
    from ganprior.priors.gaussian_mixture_law import GaussianMixtureLaw
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
