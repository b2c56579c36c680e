from .blending import poisson_blend as poisson_blend
from .context_encoder import context_encoder_names as context_encoder_names
from .gaussian_posterior import GaussianMixturePosterior as GaussianMixturePosterior
from .inpainting import Inpainter as Inpainter
from .lasso import Lasso as Lasso

# registered, by python -m experiments.tables --write
from .biharmonic import Biharmonic as Biharmonic
from .context_encoder import ContextEncoder as ContextEncoder
from .gaussian_mixture import GaussianMixture as GaussianMixture
from .lasso_bases import LassoDCT as LassoDCT
from .lasso_bases import LassoPixel as LassoPixel
from .lasso_bases import LassoWavelet as LassoWavelet
from .lmmse import LMMSE as LMMSE
from .low_rank import LowRank as LowRank
from .nearest_patch import NearestPatch as NearestPatch
from .total_variation import TotalVariation as TotalVariation
