"""Networks by name, one file per architecture.

Every network takes and gives images in [-1, 1]. Unconditional players are called as
``generator(z)`` and ``discriminator(x)``; conditional ones as ``generator(z, labels)`` and, unless
the discriminator is an auxiliary classifier, ``discriminator(x, labels)``; mixtures as
``generator(z, components)`` and ``discriminator(x)``.
"""

from __future__ import annotations

import importlib
from dataclasses import replace
from typing import Any, NamedTuple, Protocol

from torch import nn
from torch.nn.utils.parametrizations import spectral_norm

from ganprior.priors.architectures.architecture import Architecture
from ganprior.priors.architectures.auxiliary import AuxiliaryDiscriminator
from ganprior.priors.architectures.classifier import Classifier
from ganprior.priors.architectures.conditional import (
    ConditionalDiscriminator,
    ConditionalGenerator,
    discriminator_given,
    generator_given,
)
from ganprior.priors.architectures.context_encoder import ContextEncoder
from ganprior.priors.architectures.discriminator import Discriminator
from ganprior.priors.architectures.encoder import Encoder
from ganprior.priors.architectures.initial import initialise
from ganprior.priors.architectures.mixture import (
    Mixture,
    MixtureDiscriminator,
    MixtureGenerator,
    components_of,
)
from ganprior.priors.architectures.stochastic import add_drawing_layers, draw_from
from ganprior.registry import entries

__all__ = [
    "ARCHITECTURES",
    "Architecture",
    "AuxiliaryDiscriminator",
    "Classifier",
    "ConditionalDiscriminator",
    "ConditionalGenerator",
    "ContextEncoder",
    "Encoder",
    "Mixture",
    "MixtureDiscriminator",
    "MixtureGenerator",
    "Networks",
    "build_networks",
    "components_of",
    "draw_from",
    "initialise",
]


class Networks(NamedTuple):
    """The networks of a prior, with weights yet to be filled."""

    generator: nn.Module
    discriminator: nn.Module
    encoder: Encoder | None


class _Family(Protocol):
    """What a file of an architecture holds."""

    def generator(self, architecture: Architecture, inputs: int) -> nn.Sequential: ...

    def discriminator(
        self, architecture: Architecture, inputs: int, filters: int
    ) -> Discriminator: ...


# Names of the architectures: a file of this folder that registers its generator is one.
ARCHITECTURES = tuple(entries("architecture"))


def build_networks(architecture: Architecture) -> Networks:
    """Build the networks of an architecture, with weights yet to be filled.

    Parameters
    ----------
    architecture : Architecture
        What to build.

    Returns
    -------
    Networks
        Generator, discriminator, and the encoder or None; see ``initialise`` for their first
        weights.
    """
    generator, discriminator = _generator(architecture), _discriminator(architecture)
    if architecture.mixture > 1:
        others = range(1, architecture.mixture)
        generator = MixtureGenerator([generator, *(_generator(architecture) for _ in others)])
        discriminator = MixtureDiscriminator(
            [discriminator, *(_discriminator(architecture) for _ in others)]
        )
    if architecture.label is not None:
        generator = generator_given(generator, architecture.label)
        discriminator = discriminator_given(discriminator, architecture.label)
    return Networks(generator, discriminator, _encoder(architecture))


def _family(architecture: Architecture) -> _Family:
    """File of an architecture."""
    family: Any = importlib.import_module(entries("architecture")[architecture.name].module)
    found: _Family = family
    return found


def _generator(architecture: Architecture) -> nn.Module:
    inputs = architecture.latent_size + architecture.classes
    body = _family(architecture).generator(architecture, inputs)
    add_drawing_layers(
        body,
        architecture.generator_noise,
        architecture.generator_dropout,
        dropout_at_test=architecture.dropout_at_test,
    )
    return ConditionalGenerator(body, architecture.classes) if architecture.classes else body


def _discriminator(architecture: Architecture) -> nn.Module:
    a = architecture
    joined = a.classes if a.conditioning == "labels" else 0
    family = _family(a)
    network = family.discriminator(a, a.channels + joined, a.discriminator_filters)
    player: nn.Module = network
    if joined:
        player = ConditionalDiscriminator(network, a.classes, planes=a.name != "mlp")
    elif a.classes:
        player = AuxiliaryDiscriminator(network, a.classes)
    if a.spectral_norm:
        for layer in list(player.modules()):
            if isinstance(layer, nn.Conv2d | nn.Linear):
                spectral_norm(layer)
    return player


def _encoder(architecture: Architecture) -> Encoder | None:
    if not architecture.encoder:
        return None
    # Batch norm is a matter of the critic's objective: the encoder always has the generator's.
    mirror = replace(architecture, discriminator_batch_norm=True)
    family = _family(architecture)
    if hasattr(family, "encoder"):
        own: Encoder = family.encoder(mirror)
        return own
    network = family.discriminator(mirror, architecture.channels, architecture.filters)
    return Encoder(network, architecture.latent_size)
