"""Solvers: one file per paper, all of them through the engine."""

from ganprior.solvers.blending import poisson_blend
from ganprior.solvers.context_weights import context_weights
from ganprior.solvers.csgm import CSGM
from ganprior.solvers.discriminator_csgm import DiscriminatorCSGM
from ganprior.solvers.engine import (
    BALANCED,
    BALANCED_L1,
    EFFORTS,
    EFFORTS_L1,
    FAST,
    FAST_L1,
    REFERENCE,
    Effort,
)
from ganprior.solvers.latent_solver import LatentSolver
from ganprior.solvers.semantic_inpainting import InpaintingSolution, SemanticInpainting

__all__ = [
    "BALANCED",
    "BALANCED_L1",
    "CSGM",
    "EFFORTS",
    "EFFORTS_L1",
    "FAST",
    "FAST_L1",
    "REFERENCE",
    "DiscriminatorCSGM",
    "Effort",
    "InpaintingSolution",
    "LatentSolver",
    "SemanticInpainting",
    "context_weights",
    "poisson_blend",
]
