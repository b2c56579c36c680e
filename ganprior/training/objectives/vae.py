"""Variational auto-encoder as pure functions.

D. P. Kingma, M. Welling, "Auto-Encoding Variational Bayes", 2014, arXiv 1312.6114. The bound of
log p(x) is L = -KL(q(z | x) || p(z)) + E_q log p(x | z) (equation 3), with q(z | x) = N(mu,
diag(sigma^2)) (equation 9) and p(z) = N(0, I); both players descend -L.

A. B. L. Larsen et al., "Autoencoding beyond pixels using a learned similarity metric", 2016,
arXiv 1512.09300, make the decoder a generator too. Here the likelihood stays that of pixels, where
theirs is of a discriminator's features (equation 7).
"""

from __future__ import annotations

import torch
from torch import Tensor

from ganprior.streams import standard_normal


def sample_posterior(mean: Tensor, log_variance: Tensor, rng: torch.Generator) -> Tensor:
    """z = mu + sigma * epsilon with epsilon ~ N(0, I) (equation 10), one z for each image.

    Parameters
    ----------
    mean, log_variance : Tensor
        mu and log sigma^2, (B, k).
    rng : torch.Generator
        Source of epsilon.

    Returns
    -------
    Tensor
        Latents (B, k), differentiable in both.
    """
    epsilon = standard_normal(mean.shape, rng).to(mean)
    return mean + torch.exp(log_variance / 2) * epsilon


def posterior_divergence(mean: Tensor, log_variance: Tensor) -> Tensor:
    """KL(q(z | x) || N(0, I)) of each image, (B,) from (B, k) (equation 10, appendix B)."""
    terms = 1 + log_variance - mean.square() - log_variance.exp()
    return -terms.sum(1) / 2


def gaussian_reconstruction(reconstructed: Tensor, images: Tensor) -> Tensor:
    """-log p(x | z) of each image, its pixels N(G(z), 1) (equation 12), without its constant.

    Parameters
    ----------
    reconstructed, images : Tensor
        G(z) and x, (B, ...).

    Returns
    -------
    Tensor
        Half the squared error, summed over an image, (B,). Pixels of another standard deviation
        are a weight of 1 / std^2.
    """
    return (reconstructed - images).square().flatten(1).sum(1) / 2


def negative_elbo(reconstruction: Tensor, divergence: Tensor, kl_weight: float = 1.0) -> Tensor:
    """-L (equation 3): the mean over the batch of -log p(x | z) + KL, from (B,) each.

    ``kl_weight`` other than 1 is the beta of I. Higgins et al., "beta-VAE", 2017, equation (4).
    """
    return (reconstruction + kl_weight * divergence).mean()
