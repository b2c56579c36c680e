"""Solvers: one file per paper, all of them through the engine."""

from ganprior.solvers.csgm import CSGM
from ganprior.solvers.engine import BALANCED, EFFORTS, FAST, REFERENCE, Effort
from ganprior.solvers.latent_solver import LatentSolver

__all__ = ["BALANCED", "CSGM", "EFFORTS", "FAST", "REFERENCE", "Effort", "LatentSolver"]
