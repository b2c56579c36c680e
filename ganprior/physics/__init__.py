"""How measurements are made: deepinv physics, and what deepinv lacks.

Every physics answers ``A(x)``, ``A_adjoint(y)``, ``A_dagger(y)`` and ``physics(x)`` on images
(B, C, H, W), keeps its input unchanged, and can be mapped by ``torch.vmap`` and differentiated
forwards and backwards.
"""

from ganprior.physics import masks
from ganprior.physics.filters import blur, downsampling
from ganprior.physics.gaussian import Dense, Gaussian
from ganprior.physics.least_squares import least_norm_solution
from ganprior.physics.measurements import add_noise, measurement_count, measurement_support
from ganprior.physics.mri import SingleCoilMRI, cartesian_mask
from ganprior.physics.pixelwise import gray, identity, inpainting
from ganprior.physics.structured import StructuredRows

__all__ = [
    "Dense",
    "Gaussian",
    "SingleCoilMRI",
    "StructuredRows",
    "add_noise",
    "blur",
    "cartesian_mask",
    "downsampling",
    "gray",
    "identity",
    "inpainting",
    "least_norm_solution",
    "masks",
    "measurement_count",
    "measurement_support",
]
