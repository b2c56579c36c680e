"""Priors: generators with the law of their latent."""

from ganprior.priors.latent import GaussianLatent, Latent, UniformLatent
from ganprior.priors.prior import Prior
from ganprior.priors.store import find_prior, prior_names, read_card

__all__ = [
    "GaussianLatent",
    "Latent",
    "Prior",
    "UniformLatent",
    "find_prior",
    "prior_names",
    "read_card",
]
