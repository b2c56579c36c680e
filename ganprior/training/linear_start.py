"""Fixed linear parts of networks (``dcgan-linear``), from the principal components of the images.

A linear auto-encoder that minimises w / 2 ||x - G(z)||^2 + beta KL has the principal components of
the images as its solution (M. Tipping, C. Bishop, "Probabilistic principal component analysis",
1999, equation 7; J. Lucas et al., "Don't Blame the ELBO!", 2019, arXiv 1911.02469, theorem 1, for
the auto-encoder). With the component v of variance s^2, scaled so that latents are N(0, 1):

    decoder s v,  mean (v . (x - mu)) / s,  variance beta / (w s^2 + beta).
"""

from __future__ import annotations

import torch
from sklearn.decomposition import PCA
from torch import Tensor, nn

from ganprior.priors.architectures.dcgan_linear import LinearEncoder
from ganprior.priors.architectures.mixture import components_of
from ganprior.priors.architectures.resnet import Residual
from ganprior.streams import derive_seed
from ganprior.training.recipes import Recipe

# Components of more images than these are the same to what a network then learns.
IMAGES = 10_000


@torch.no_grad()
def start_linear_parts(networks: dict[str, nn.Module], pixels: Tensor, recipe: Recipe) -> None:
    """Fill the fixed linear parts of generator and encoder, where the architecture has any.

    Parameters
    ----------
    networks : dict of nn.Module
        Players on the CPU.
    pixels : Tensor
        Images that train, uint8, (N, C, H, W).
    recipe : Recipe
        Number of components, weights of the two terms of the loss, and the seed.

    Raises
    ------
    ValueError
        If there are fewer images than latent entries.
    """
    if recipe.architecture != "dcgan-linear":
        return
    k = recipe.latent_size
    if len(pixels) <= k:
        raise ValueError(
            f"{len(pixels)} images have fewer than latent_size = {k} principal components; give "
            "more images or --set latent_size=..."
        )
    rows = pixels[:IMAGES].cpu().flatten(1).float().div_(127.5).sub_(1).numpy()
    seed = derive_seed(recipe.seed, "linear start") % 2**32
    pca = PCA(k, svd_solver="randomized", random_state=seed).fit(rows)
    mean, components = torch.from_numpy(pca.mean_), torch.from_numpy(pca.components_)
    std = torch.from_numpy(pca.explained_variance_).clamp(min=1e-12).sqrt()
    for generator in components_of(networks["generator"]):
        _fill_decoder(generator, mean, components, std)
    if "encoder" in networks:
        ratio = recipe.reconstruction_weight / max(recipe.kl_weight, 1e-12)
        _fill_encoder(networks["encoder"], mean, components, std, ratio)


def _fill_decoder(generator: nn.Module, mean: Tensor, components: Tensor, std: Tensor) -> None:
    (part,) = (module for module in generator.modules() if isinstance(module, Residual))
    linear = next(module for module in part.shortcut.modules() if isinstance(module, nn.Linear))
    linear.weight.copy_((components * std[:, None]).T)
    linear.bias.copy_(mean)


def _fill_encoder(
    encoder: nn.Module, mean: Tensor, components: Tensor, std: Tensor, ratio: float
) -> None:
    assert isinstance(encoder, LinearEncoder)
    weight = components / std[:, None]
    variance = 1 / (ratio * std.square() + 1)
    encoder.linear.weight.copy_(weight)
    encoder.linear.bias.copy_(-weight @ mean)
    encoder.log_variance.copy_(variance.log())
