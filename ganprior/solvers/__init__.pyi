from .by_name import solver as solver
from .context_weights import context_weights as context_weights
from .engine import BALANCED as BALANCED
from .engine import BALANCED_L1 as BALANCED_L1
from .engine import EFFORTS as EFFORTS
from .engine import EFFORTS_L1 as EFFORTS_L1
from .engine import FAST as FAST
from .engine import FAST_L1 as FAST_L1
from .engine import REFERENCE as REFERENCE
from .engine import Effort as Effort
from .latent_solver import LatentSolver as LatentSolver
from .misfit import residual_squares as residual_squares
from .semantic_inpainting import InpaintingSolution as InpaintingSolution

# registered, by python -m experiments.tables --write
from .auto import Auto as Auto
from .csgm import CSGM as CSGM
from .discriminator_csgm import DiscriminatorCSGM as DiscriminatorCSGM
from .map_estimate import MAP as MAP
from .posterior import Posterior as Posterior
from .semantic_inpainting import SemanticInpainting as SemanticInpainting
