"""From a training run to the prior that ships: the averaged generator, with its own statistics."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel, update_bn

from ganprior.priors import GaussianLatent, Prior
from ganprior.streams import derive_seed
from ganprior.training.recipes import Recipe


def average_with_statistics(
    average: AveragedModel, latent_size: int, *, batches: int = 50, batch_size: int = 200
) -> nn.Module:
    """Copy of the averaged generator with batch-norm statistics estimated anew, in eval mode.

    The running statistics of training belong to the weights of the moment and not to their
    average: they are replaced by those of fresh latents.

    Parameters
    ----------
    average : AveragedModel
        Moving average of the generator's weights.
    latent_size : int
        k.
    batches, batch_size : int
        Latents that the statistics are taken over.
    """
    network = copy.deepcopy(average.module)
    device = next(network.parameters()).device
    rng = torch.Generator().manual_seed(derive_seed(0, "batch-norm statistics"))
    latents = (torch.randn(batch_size, latent_size, generator=rng) for _ in range(batches))
    network.train()
    update_bn(latents, network, device=device)
    return network.eval()


def export_prior(
    average: AveragedModel,
    discriminator: nn.Module,
    recipe: Recipe,
    path: Path,
    card: dict[str, Any],
) -> Prior:
    """Write the prior of a run: float16 weights and a card, at ``path`` + .safetensors, .json.

    Raises
    ------
    ValueError
        If the files cannot be written.
    """
    generator = average_with_statistics(average, recipe.latent_size).cpu()
    facts = {
        "architecture": {
            "name": "dcgan",
            "latent_size": recipe.latent_size,
            "channels": recipe.channels,
            "size": recipe.size,
            "filters": recipe.filters,
            "discriminator_filters": recipe.discriminator_filters,
            "discriminator_batch_norm": recipe.objective == "non-saturating",
        },
        "recipe": recipe.toml(),
        **card,
    }
    prior = Prior(
        generator,
        GaussianLatent(recipe.latent_size),
        (recipe.channels, recipe.size, recipe.size),
        discriminator=copy.deepcopy(discriminator).cpu().eval(),
        card=facts,
    )
    prior.save(path)
    return prior
