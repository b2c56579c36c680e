"""A small conditional prior that tests share."""

from __future__ import annotations

from ganprior.priors import GaussianLatent, Prior
from ganprior.priors.architectures import Architecture, build_networks, initialise
from tests.cases import rng


def conditional_mlp(classes: int = 3, latent_size: int = 4) -> Prior:
    """A conditional MLP of random weights."""
    architecture = Architecture(
        name="mlp",
        latent_size=latent_size,
        channels=1,
        size=6,
        filters=16,
        discriminator_filters=4,
        classes=classes,
    )
    generator = build_networks(architecture).generator
    initialise(generator, rng())
    return Prior(generator, GaussianLatent(latent_size), (1, 6, 6)).eval()
