"""From a training run to the prior that ships: the averaged generator, with its own statistics."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch.optim.swa_utils import AveragedModel

from ganprior.priors import GaussianLatent, Prior
from ganprior.priors.architectures.conditional import classes_of
from ganprior.priors.architectures.mixture import weights_of
from ganprior.streams import derive_seed, standard_normal
from ganprior.training.players import architecture_of

if TYPE_CHECKING:
    from ganprior.training.trainer import Trainer

_BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.SyncBatchNorm)


@torch.no_grad()
def average_with_statistics(
    average: AveragedModel,
    latent_size: int,
    *,
    classes: int = 0,
    batches: int = 50,
    batch_size: int = 200,
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
    classes : int
        Classes of a conditional generator, each as frequent as the others; 0 without labels.
    batches, batch_size : int
        Latents that the statistics are taken over.
    """
    network: nn.Module = copy.deepcopy(average.module).eval()
    norms = [module for module in network.modules() if isinstance(module, _BATCH_NORMS)]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        # Noise and dropout stay off: the prior that is used has none.
        norm.train()
        norm.reset_running_stats()
        # A plain mean over the batches instead of a moving one.
        norm.momentum = None
    device = next(network.parameters()).device
    rng = torch.Generator().manual_seed(derive_seed(0, "batch-norm statistics"))
    for _ in range(batches if norms else 0):
        z = standard_normal((batch_size, latent_size), rng).to(device)
        if classes:
            network(z, torch.arange(batch_size, device=device) % classes)
        else:
            network(z)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
    return network.eval()


def average_prior(trainer: Trainer, card: dict[str, Any] | None = None) -> Prior:
    """Prior of a run as it stands, on the CPU: averaged generator, discriminator and encoder.

    Parameters
    ----------
    trainer : Trainer
        The run; it is left as it is.
    card : dict, optional
        What the card says beside what the run itself knows (data, licence).
    """
    recipe, objective = trainer.recipe, trainer.objective
    facts = {
        "architecture": architecture_of(recipe, objective).describe(),
        "recipe": recipe.toml(),
        "steps": trainer.step,
        "data_sha256": trainer.data_sha256,
        "quality": {},
        **(card or {}),
    }
    weights = weights_of(trainer.average.module)
    if weights is not None:
        facts["mixture_weights"] = [round(weight, 4) for weight in weights.tolist()]
    if objective is not None:
        facts["discriminator_output"] = objective.discriminator_output
    classes = classes_of(trainer.generator)
    generator = average_with_statistics(trainer.average, recipe.latent_size, classes=classes)
    return Prior(
        generator.cpu(),
        GaussianLatent(recipe.latent_size),
        (recipe.channels, recipe.size, recipe.size),
        discriminator=_copy(trainer.discriminator),
        encoder=_copy(trainer.encoder) if recipe.ships_encoder else None,
        card=facts,
    ).eval()


def _copy(network: nn.Module | None) -> nn.Module | None:
    return None if network is None else copy.deepcopy(network).cpu()
