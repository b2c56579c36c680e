"""Tiny networks and priors of every architecture, as if they had been trained a little."""

from __future__ import annotations

import torch
from torch import nn

from ganprior import GaussianLatent, Prior
from ganprior.priors.architectures import (
    ARCHITECTURES,
    Architecture,
    Networks,
    build_networks,
    initialise,
)
from tests.cases import rng

LATENT_SIZE = 5
# All but the one that takes no labels, has no tanh at its end and a part that is not trained.
COMMON = tuple(name for name in ARCHITECTURES if name != "dcgan-linear")


def tiny_architecture(name: str = "dcgan", **changes: object) -> Architecture:
    """28 pixels, grey, and the fewest filters that show what there is to see."""
    values: dict[str, object] = {
        "name": name,
        "latent_size": LATENT_SIZE,
        "channels": 1,
        "size": 28,
        "filters": 4,
        "discriminator_filters": 2,
    }
    return Architecture.of({**values, **changes})


def tiny_networks(architecture: Architecture, seed: int = 0) -> Networks:
    """Networks with weights that are not small and batch-norm statistics of their own."""
    networks = build_networks(architecture)
    source = rng(seed)
    for network in networks:
        if network is not None:
            for module in network.modules():
                if getattr(module, "initial_std", None) == 0:
                    del module.initial_std
            initialise(network, source, 0.2)
            _live(network, source)
            network.eval()
    return networks


@torch.no_grad()
def _live(network: nn.Module, source: torch.Generator) -> None:
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.3, generator=source)
            module.running_var.uniform_(0.5, 1.5, generator=source)
        if isinstance(getattr(module, "bias", None), torch.Tensor):
            module.bias.normal_(0, 0.1, generator=source)


def tiny_prior(name: str = "dcgan", **changes: object) -> Prior:
    """Prior of one of the architectures, in eval mode, that can be saved."""
    architecture = tiny_architecture(name, **changes)
    networks = tiny_networks(architecture)
    return Prior(
        networks.generator,
        GaussianLatent(architecture.latent_size),
        (architecture.channels, architecture.size, architecture.size),
        discriminator=networks.discriminator,
        encoder=networks.encoder,
        card={"architecture": architecture.describe(), "discriminator_output": "probability"},
    ).eval()
