"""Variational auto-encoder, and its union with a GAN, as pure functions.

D. P. Kingma, M. Welling, "Auto-Encoding Variational Bayes", 2014, arXiv 1312.6114. The bound of
log p(x) is L = -KL(q(z | x) || p(z)) + E_q log p(x | z) (equation 3), with q(z | x) = N(mu,
diag(sigma^2)) (equation 9) and p(z) = N(0, I); both players descend -L.

A. B. L. Larsen et al., "Autoencoding beyond pixels using a learned similarity metric", 2016,
arXiv 1512.09300 (VAE/GAN): the likelihood is that of a discriminator's features (equation 7), and
the decoder is also a generator (equation 8, Algorithm 1).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy, softplus


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
    epsilon = torch.randn(mean.shape, generator=rng, device=rng.device).to(mean)
    return mean + torch.exp(log_variance / 2) * epsilon


def posterior_divergence(mean: Tensor, log_variance: Tensor) -> Tensor:
    """KL(q(z | x) || N(0, I)) of each image, (B,) from (B, k) (equation 10, appendix B)."""
    terms = 1 + log_variance - mean.square() - log_variance.exp()
    return -terms.sum(1) / 2


def bernoulli_reconstruction(reconstructed: Tensor, images: Tensor) -> Tensor:
    """-log p(x | z) of each image, its pixels Bernoulli (equation 11), summed over them.

    Parameters
    ----------
    reconstructed, images : Tensor
        G(z) and x in [-1, 1], (B, C, H, W); (G(z) + 1) / 2 are the probabilities of white.

    Returns
    -------
    Tensor
        In nats, (B,). With grey pixels it is a loss, no longer a likelihood.
    """
    probability, white = (reconstructed + 1) / 2, (images + 1) / 2
    return binary_cross_entropy(probability, white, reduction="none").flatten(1).sum(1)


def gaussian_reconstruction(reconstructed: Tensor, images: Tensor, std: float = 1.0) -> Tensor:
    """-log p(x | z) of each image, its pixels N(G(z), std^2) (equation 12), summed over them.

    With a discriminator's features of both in place of the images, and std = 1, it is L_llike of
    Larsen et al. (equations 6 and 7).

    Parameters
    ----------
    reconstructed, images : Tensor
        G(z) and x, or features of them, (B, ...).
    std : float
        Standard deviation of a pixel, in the units of the images.

    Returns
    -------
    Tensor
        In nats, (B,).
    """
    errors = ((reconstructed - images) / std).flatten(1)
    constant = errors.shape[1] * (math.log(std) + math.log(2 * math.pi) / 2)
    return errors.square().sum(1) / 2 + constant


def negative_elbo(reconstruction: Tensor, divergence: Tensor, kl_weight: float = 1.0) -> Tensor:
    """-L (equation 3): the mean over the batch of -log p(x | z) + KL, from (B,) each.

    It is also what the encoder of Larsen et al. descends, L_prior + L_llike (Algorithm 1).
    ``kl_weight`` other than 1 is the beta of I. Higgins et al., "beta-VAE", 2017, equation (4).
    """
    return (reconstruction + kl_weight * divergence).mean()


def vae_gan_decoder_loss(
    reconstruction: Tensor, adversarial: Tensor, reconstruction_weight: float
) -> Tensor:
    """gamma L_llike plus the generator's loss (Larsen et al., equation 9).

    Parameters
    ----------
    reconstruction : Tensor
        L_llike of each image, (B,).
    adversarial : Tensor
        Scalar loss of a generator, over reconstructions and samples: the paper's is
        ``minimax_generator_loss``.
    reconstruction_weight : float
        gamma.
    """
    return reconstruction_weight * reconstruction.mean() + adversarial


def vae_gan_discriminator_loss(real: Tensor, reconstructed: Tensor, sampled: Tensor) -> Tensor:
    """-L_GAN of Algorithm 1 of Larsen et al.: reconstructions and samples both count as fakes.

    Parameters
    ----------
    real, reconstructed, sampled : Tensor
        Logits (B,) of real images, of their reconstructions, and of G(z) with z ~ p(z).
    """
    return softplus(-real).mean() + softplus(reconstructed).mean() + softplus(sampled).mean()
