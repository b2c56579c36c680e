"""Solvers: one file per paper, all of them through the engine."""

from ganprior.solvers.blending import poisson_blend
from ganprior.solvers.context_weights import context_weights
from ganprior.solvers.csgm import CSGM
from ganprior.solvers.engine import BALANCED, EFFORTS, FAST, REFERENCE, Effort
from ganprior.solvers.latent_solver import LatentSolver
from ganprior.solvers.semantic_inpainting import InpaintingSolution, SemanticInpainting

__all__ = [
    "BALANCED",
    "CSGM",
    "EFFORTS",
    "FAST",
    "REFERENCE",
    "Effort",
    "InpaintingSolution",
    "LatentSolver",
    "SemanticInpainting",
    "context_weights",
    "poisson_blend",
]
