"""From a training run to the prior that ships: the averaged generator, with its own statistics."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel, update_bn

from ganprior.priors import GaussianLatent, Prior
from ganprior.streams import derive_seed

if TYPE_CHECKING:
    from ganprior.training.trainer import Trainer


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


def average_prior(trainer: Trainer, card: dict[str, Any] | None = None) -> Prior:
    """Prior of a run as it stands, on the CPU: averaged generator and discriminator.

    Parameters
    ----------
    trainer : Trainer
        The run; it is left as it is.
    card : dict, optional
        What the card says beside what the run itself knows (data, licence).
    """
    recipe = trainer.recipe
    facts = {
        "architecture": {
            "name": "dcgan",
            "latent_size": recipe.latent_size,
            "channels": recipe.channels,
            "size": recipe.size,
            "filters": recipe.filters,
            "discriminator_filters": recipe.discriminator_filters,
            "discriminator_batch_norm": trainer.objective.discriminator_batch_norm,
        },
        "recipe": recipe.toml(),
        "steps": trainer.step,
        "data_sha256": trainer.data_sha256,
        "discriminator_output": trainer.objective.discriminator_output,
        "quality": {},
        **(card or {}),
    }
    return Prior(
        average_with_statistics(trainer.average, recipe.latent_size).cpu(),
        GaussianLatent(recipe.latent_size),
        (recipe.channels, recipe.size, recipe.size),
        discriminator=copy.deepcopy(trainer.discriminator).cpu(),
        card=facts,
    ).eval()
