"""What the papers compare with: reconstruction without a generator."""

from ganprior.baselines.biharmonic import Biharmonic
from ganprior.baselines.context_encoder import ContextEncoder, context_encoder_names
from ganprior.baselines.inpainting import Inpainter
from ganprior.baselines.lasso import LassoDCT, LassoPixel, LassoWavelet
from ganprior.baselines.low_rank import LowRank
from ganprior.baselines.nearest_patch import NearestPatch
from ganprior.baselines.total_variation import TotalVariation

__all__ = [
    "Biharmonic",
    "ContextEncoder",
    "Inpainter",
    "LassoDCT",
    "LassoPixel",
    "LassoWavelet",
    "LowRank",
    "NearestPatch",
    "TotalVariation",
    "context_encoder_names",
]
