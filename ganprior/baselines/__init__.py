"""What the papers compare with: reconstruction without a generator."""

from ganprior.baselines.biharmonic import Biharmonic
from ganprior.baselines.context_encoder import ContextEncoder, context_encoder_names
from ganprior.baselines.gaussian_mixture import GaussianMixture
from ganprior.baselines.gaussian_posterior import GaussianMixturePosterior
from ganprior.baselines.inpainting import Inpainter
from ganprior.baselines.lasso import Lasso
from ganprior.baselines.lasso_bases import LassoDCT, LassoPixel, LassoWavelet
from ganprior.baselines.lmmse import LMMSE
from ganprior.baselines.low_rank import LowRank
from ganprior.baselines.nearest_patch import NearestPatch
from ganprior.baselines.total_variation import TotalVariation

__all__ = [
    "LMMSE",
    "Biharmonic",
    "ContextEncoder",
    "GaussianMixture",
    "GaussianMixturePosterior",
    "Inpainter",
    "Lasso",
    "LassoDCT",
    "LassoPixel",
    "LassoWavelet",
    "LowRank",
    "NearestPatch",
    "TotalVariation",
    "context_encoder_names",
]
