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
    "baselines": (
        "Biharmonic",
        "ContextEncoder",
        "GaussianMixture",
        "GaussianMixturePosterior",
        "LMMSE",
        "LassoDCT",
        "LassoPixel",
        "LassoWavelet",
        "LowRank",
        "NearestPatch",
        "TotalVariation",
    ),
    "datasets": ("Images", "demo_images", "load_images"),
    "metrics": (
        "diversity",
        "extract_features",
        "frechet_distance",
        "nearest_images",
        "per_pixel_error",
        "precision_recall",
        "psnr",
        "ssim",
    ),
    "physics": (
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
        "measurement_count",
    ),
    "priors": (
        "GaussianLatent",
        "GaussianMixtureLaw",
        "Latent",
        "Prior",
        "UniformLatent",
        "gaussian_mixture_names",
        "linear_path",
        "load_gaussian_mixture",
        "prior_aliases",
        "prior_names",
        "save_gaussian_mixture",
        "spherical_path",
    ),
    "priors.architectures": ("Architecture", "build_networks"),
    "solution": ("Reconstructor", "Solution", "Status"),
    "solvers": (
        "BALANCED",
        "BALANCED_L1",
        "CSGM",
        "FAST",
        "FAST_L1",
        "REFERENCE",
        "DiscriminatorCSGM",
        "Effort",
        "InpaintingSolution",
        "LatentSolver",
        "SemanticInpainting",
        "poisson_blend",
    ),
    "streams": ("Streams",),
    "training": ("Recipe", "RunFolder", "Trainer", "TrainingFailed", "load_recipe", "train"),
    "training.evaluate": ("evaluate_prior",),
    "training.gaussian_mixture": ("GaussianMixtureRecipe", "fit_gaussian_mixture"),
    "training.objectives": ("make_objective",),
}

__all__ = [
    "BALANCED",
    "BALANCED_L1",
    "CSGM",
    "FAST",
    "FAST_L1",
    "LMMSE",
    "REFERENCE",
    "Architecture",
    "Biharmonic",
    "ContextEncoder",
    "Dense",
    "DiscriminatorCSGM",
    "Effort",
    "Gaussian",
    "GaussianLatent",
    "GaussianMixture",
    "GaussianMixtureLaw",
    "GaussianMixturePosterior",
    "GaussianMixtureRecipe",
    "Images",
    "InpaintingSolution",
    "LassoDCT",
    "LassoPixel",
    "LassoWavelet",
    "Latent",
    "LatentSolver",
    "LowRank",
    "NearestPatch",
    "Prior",
    "Recipe",
    "Reconstructor",
    "RunFolder",
    "SemanticInpainting",
    "SingleCoilMRI",
    "Solution",
    "Status",
    "Streams",
    "StructuredRows",
    "TotalVariation",
    "Trainer",
    "TrainingFailed",
    "UniformLatent",
    "__version__",
    "add_noise",
    "blur",
    "build_networks",
    "cartesian_mask",
    "demo_images",
    "diversity",
    "downsampling",
    "evaluate_prior",
    "extract_features",
    "fit_gaussian_mixture",
    "frechet_distance",
    "gaussian_mixture_names",
    "gray",
    "identity",
    "inpainting",
    "linear_path",
    "load_gaussian_mixture",
    "load_images",
    "load_recipe",
    "make_objective",
    "measurement_count",
    "nearest_images",
    "per_pixel_error",
    "poisson_blend",
    "precision_recall",
    "prior_aliases",
    "prior_names",
    "psnr",
    "save_gaussian_mixture",
    "spherical_path",
    "ssim",
    "train",
]

if TYPE_CHECKING:
    from ganprior.baselines import (
        LMMSE,
        Biharmonic,
        ContextEncoder,
        GaussianMixture,
        GaussianMixturePosterior,
        LassoDCT,
        LassoPixel,
        LassoWavelet,
        LowRank,
        NearestPatch,
        TotalVariation,
    )
    from ganprior.datasets import Images, demo_images, load_images
    from ganprior.metrics import (
        diversity,
        extract_features,
        frechet_distance,
        nearest_images,
        per_pixel_error,
        precision_recall,
        psnr,
        ssim,
    )
    from ganprior.physics import (
        Dense,
        Gaussian,
        SingleCoilMRI,
        StructuredRows,
        add_noise,
        blur,
        cartesian_mask,
        downsampling,
        gray,
        identity,
        inpainting,
        measurement_count,
    )
    from ganprior.priors import (
        GaussianLatent,
        GaussianMixtureLaw,
        Latent,
        Prior,
        UniformLatent,
        gaussian_mixture_names,
        linear_path,
        load_gaussian_mixture,
        prior_aliases,
        prior_names,
        save_gaussian_mixture,
        spherical_path,
    )
    from ganprior.priors.architectures import Architecture, build_networks
    from ganprior.solution import Reconstructor, Solution, Status
    from ganprior.solvers import (
        BALANCED,
        BALANCED_L1,
        CSGM,
        FAST,
        FAST_L1,
        REFERENCE,
        DiscriminatorCSGM,
        Effort,
        InpaintingSolution,
        LatentSolver,
        SemanticInpainting,
        poisson_blend,
    )
    from ganprior.streams import Streams
    from ganprior.training import Recipe, RunFolder, Trainer, TrainingFailed, load_recipe, train
    from ganprior.training.evaluate import evaluate_prior
    from ganprior.training.gaussian_mixture import GaussianMixtureRecipe, fit_gaussian_mixture
    from ganprior.training.objectives import make_objective
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
