"""Inverse problems solved with GAN priors.

Given measurements y = A(x) + noise, find the latent z whose image G(z) explains y. The names
below are imported when they are first asked for: ``import ganprior`` alone takes milliseconds,
and only a physics needs deepinv.
"""

import importlib
from typing import TYPE_CHECKING

__version__ = "0.1.0"

# Home of each public name, for the running program. The same names stand twice more below, where
# type checkers and editors look; a test holds the three together.
_HOMES = {
    "baselines": ("LassoDCT", "LassoPixel", "LassoWavelet"),
    "datasets": ("Images", "demo_images", "load_images"),
    "metrics": ("per_pixel_error", "psnr", "ssim"),
    "physics": (
        "Dense",
        "Gaussian",
        "SingleCoilMRI",
        "StructuredRows",
        "add_noise",
        "blur",
        "cartesian_mask",
        "downsampling",
        "identity",
        "inpainting",
        "measurement_count",
    ),
    "priors": (
        "GaussianLatent",
        "Latent",
        "Prior",
        "UniformLatent",
        "linear_path",
        "prior_names",
        "spherical_path",
    ),
    "solution": ("Reconstructor", "Solution", "Status"),
    "solvers": ("BALANCED", "CSGM", "FAST", "REFERENCE", "Effort", "LatentSolver"),
    "streams": ("Streams",),
    "training": ("Recipe", "RunFolder", "Trainer", "load_recipe", "train"),
}

__all__ = [
    "BALANCED",
    "CSGM",
    "FAST",
    "REFERENCE",
    "Dense",
    "Effort",
    "Gaussian",
    "GaussianLatent",
    "Images",
    "LassoDCT",
    "LassoPixel",
    "LassoWavelet",
    "Latent",
    "LatentSolver",
    "Prior",
    "Recipe",
    "Reconstructor",
    "RunFolder",
    "SingleCoilMRI",
    "Solution",
    "Status",
    "Streams",
    "StructuredRows",
    "Trainer",
    "UniformLatent",
    "__version__",
    "add_noise",
    "blur",
    "cartesian_mask",
    "demo_images",
    "downsampling",
    "identity",
    "inpainting",
    "linear_path",
    "load_images",
    "load_recipe",
    "measurement_count",
    "per_pixel_error",
    "prior_names",
    "psnr",
    "spherical_path",
    "ssim",
    "train",
]

if TYPE_CHECKING:
    from ganprior.baselines import LassoDCT, LassoPixel, LassoWavelet
    from ganprior.datasets import Images, demo_images, load_images
    from ganprior.metrics import per_pixel_error, psnr, ssim
    from ganprior.physics import (
        Dense,
        Gaussian,
        SingleCoilMRI,
        StructuredRows,
        add_noise,
        blur,
        cartesian_mask,
        downsampling,
        identity,
        inpainting,
        measurement_count,
    )
    from ganprior.priors import (
        GaussianLatent,
        Latent,
        Prior,
        UniformLatent,
        linear_path,
        prior_names,
        spherical_path,
    )
    from ganprior.solution import Reconstructor, Solution, Status
    from ganprior.solvers import BALANCED, CSGM, FAST, REFERENCE, Effort, LatentSolver
    from ganprior.streams import Streams
    from ganprior.training import Recipe, RunFolder, Trainer, load_recipe, train
else:

    def __getattr__(name: str) -> object:
        """Import a public name when it is first asked for (PEP 562)."""
        for home, names in _HOMES.items():
            if name in names:
                value = getattr(importlib.import_module(f"{__name__}.{home}"), name)
                globals()[name] = value
                return value
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """Every public name, imported or not."""
    return __all__
