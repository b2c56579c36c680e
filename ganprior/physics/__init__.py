"""How measurements are made: deepinv physics, and what deepinv lacks.

Every physics answers ``A(x)``, ``A_adjoint(y)``, ``A_dagger(y)`` and ``physics(x)`` on images
(B, C, H, W), keeps its input unchanged, and can be mapped by ``torch.vmap`` and differentiated
forwards and backwards. What makes a physics is imported when it is first asked for: what finds
out about one (:func:`facts`) needs no deepinv, and solvers need nothing else.
"""

import importlib
from typing import TYPE_CHECKING

from ganprior.physics.facts import Facts, facts
from ganprior.physics.least_squares import least_norm_solution
from ganprior.physics.measurements import add_noise, measurement_count, measurement_support

__all__ = [
    "Dense",
    "Facts",
    "Gaussian",
    "SingleCoilMRI",
    "StructuredRows",
    "add_noise",
    "blur",
    "cartesian_mask",
    "downsampling",
    "facts",
    "gray",
    "identity",
    "inpainting",
    "least_norm_solution",
    "masks",
    "measurement_count",
    "measurement_support",
    "with_missing",
]

# Home of each name that needs deepinv, or is not needed to know of a physics.
_HOMES = {
    "filters": ("blur", "downsampling"),
    "gaussian": ("Dense", "Gaussian"),
    "mri": ("SingleCoilMRI", "cartesian_mask"),
    "pixelwise": ("gray", "identity", "inpainting", "with_missing"),
    "structured": ("StructuredRows",),
}

if TYPE_CHECKING:
    from ganprior.physics import masks
    from ganprior.physics.filters import blur, downsampling
    from ganprior.physics.gaussian import Dense, Gaussian
    from ganprior.physics.mri import SingleCoilMRI, cartesian_mask
    from ganprior.physics.pixelwise import gray, identity, inpainting, with_missing
    from ganprior.physics.structured import StructuredRows
else:

    def __getattr__(name: str) -> object:
        """Import a name when it is first asked for (PEP 562)."""
        if name == "masks":
            return importlib.import_module(f"{__name__}.masks")
        for home, names in _HOMES.items():
            if name in names:
                value = getattr(importlib.import_module(f"{__name__}.{home}"), name)
                globals()[name] = value
                return value
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
