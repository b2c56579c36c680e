"""Priors that are densities, small enough for closed forms."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ganprior import Prior
from ganprior.priors.density import Density
from ganprior.priors.density_files import gaussian_law
from ganprior.priors.gaussian_mixture_law import GaussianMixtureLaw
from tests.cases import linear_prior, rng, tiny_dcgan

SHAPE = (1, 6, 6)


def tiny_density(
    latent_size: int, shape: tuple[int, int, int] = SHAPE, components: int = 3, spread: float = 0.4
) -> Density:
    """Random laws: Gaussians apart by about their width, deviations of 0.05 to 0.1."""

    def normal(*size: int) -> Tensor:
        return torch.randn(*size, generator=generator, dtype=torch.float64)

    generator = rng(11)
    n = math.prod(shape)
    factors = torch.tril(0.2 * normal(components, latent_size, latent_size))
    factors.diagonal(dim1=1, dim2=2).abs_().add_(spread)
    weights = torch.arange(1, components + 1).double()
    deviation = gaussian_law(
        0.02 * normal(n),
        0.05 * normal(3, n),
        0.002 * (1 + torch.rand(n, generator=generator).double()),
        shape,
    )
    return Density(weights / weights.sum(), normal(components, latent_size), factors, deviation)


def dense_dcgan() -> Prior:
    """A tiny DCGAN of images 8 x 8 with a density."""
    prior = tiny_dcgan()
    prior.density = tiny_density(prior.latent.size, prior.image_shape)
    return prior


def linear_density(components: int = 3) -> Prior:
    """A linear generator with a density: images are a mixture of Gaussians."""
    prior = linear_prior().double()
    prior.density = tiny_density(prior.latent.size, prior.image_shape, components)
    return prior


def as_mixture(prior: Prior) -> GaussianMixtureLaw:
    """The law of the images of a linear generator with a density."""
    density, k = prior.density, prior.latent.size
    with torch.no_grad():
        origin = prior(torch.zeros(1, k).double()).flatten()
        jacobian = prior(torch.eye(k).double()).flatten(1) - origin
    deviation = density.deviation
    root = deviation.square_roots()[0].T @ deviation.basis
    basis, factors = torch.cat([jacobian, root]), []
    for factor in density.factors:
        factors.append(torch.block_diag(factor, torch.eye(len(root)).double()))
    means = torch.cat([density.means, torch.zeros(len(density.means), len(root))], 1)
    return GaussianMixtureLaw(
        image_shape=prior.image_shape,
        weights=density.weights,
        centre=origin + deviation.mean(),
        basis=basis,
        means=means,
        factors=torch.stack(factors),
        variances=torch.zeros(0).double(),
        diagonal=deviation.diagonal,
    )
