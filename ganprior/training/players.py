"""The networks of a run, from its recipe: built, initialised, and started from other weights."""

from __future__ import annotations

import os
import re
from pathlib import Path

import torch
from torch import Tensor, nn

from ganprior.priors import find_prior
from ganprior.priors.architectures import Architecture, build_networks, initialise
from ganprior.priors.network_files import check_size, read_tensors
from ganprior.training.objectives import Objective, make_objective, objective_options
from ganprior.training.recipes import Recipe

# What a mixture puts before the names of a component's tensors.
_COMPONENT = re.compile(r"^components\.\d+\.")


def objective_of(recipe: Recipe) -> Objective | None:
    """Make the adversarial objective that a recipe names; None for ``"vae"``."""
    if not recipe.has_adversary:
        return None
    name = "non-saturating" if recipe.objective == "vae-gan" else recipe.objective
    values = {
        "critic_steps": recipe.critic_steps,
        "penalty_weight": recipe.penalty_weight,
        "clip": recipe.clip,
        "divergence": recipe.divergence,
        "real_label": recipe.real_label,
        "fake_label": recipe.fake_label,
        "real_target": recipe.real_label,
        "fake_target": recipe.fake_label,
        "flip_probability": recipe.label_flip,
    }
    return make_objective(
        name, **{key: values[key] for key in objective_options(name) if key in values}
    )


def architecture_of(
    recipe: Recipe, objective: Objective | None, *, encoder: bool | None = None
) -> Architecture:
    """Networks of a recipe; with the encoder that ships, or as ``encoder`` says."""
    return Architecture(
        name=recipe.architecture,
        latent_size=recipe.latent_size,
        channels=recipe.channels,
        size=recipe.size,
        filters=recipe.filters,
        discriminator_filters=recipe.discriminator_filters,
        discriminator_batch_norm=objective is None or objective.discriminator_batch_norm,
        classes=recipe.classes,
        conditioning=recipe.conditioning,
        mixture=recipe.mixture,
        generator_noise=recipe.generator_noise,
        generator_dropout=recipe.generator_dropout,
        dropout_at_test=recipe.dropout_at_test,
        spectral_norm=recipe.spectral_norm,
        encoder=recipe.ships_encoder if encoder is None else encoder,
    )


def build_players(
    recipe: Recipe, objective: Objective | None, rng: torch.Generator
) -> dict[str, nn.Module]:
    """Networks that some step of a recipe trains, with their first weights, on the CPU.

    Returns
    -------
    dict of nn.Module
        ``"generator"``; ``"discriminator"`` where there is an adversary; ``"encoder"`` where a
        step trains one.

    Raises
    ------
    ValueError
        If there are no such networks, or they are too large.
    """
    architecture = architecture_of(recipe, objective, encoder=recipe.trains_encoder)
    check_size(lambda: (part for part in build_networks(architecture) if part is not None))
    built = build_networks(architecture)
    players = {"generator": built.generator}
    if objective is not None:
        players["discriminator"] = built.discriminator
    if built.encoder is not None:
        players["encoder"] = built.encoder
    for network in players.values():
        initialise(network, rng)
    return players


def start_players(players: dict[str, nn.Module], recipe: Recipe) -> list[str]:
    """Put the weights in that the recipe's ``start_...`` name.

    Returns
    -------
    list of str
        What was taken, a line for each.

    Raises
    ------
    ValueError
        If a file cannot be read, nothing in it fits, or there is no such player.
    """
    sources = {
        "generator": recipe.start_generator,
        "discriminator": recipe.start_discriminator,
        "encoder": recipe.start_encoder,
    }
    for name, source in sources.items():
        if source and name not in players:
            raise ValueError(
                f"start_{name} is {source}, but objective {recipe.objective!r} has no {name}"
            )
    return [_start(players[name], name, source) for name, source in sources.items() if source]


@torch.no_grad()
def _start(network: nn.Module, name: str, source: str) -> str:
    found = _tensors(name, source)
    # Counters of batch norm say nothing: every network has them.
    own = {k: t for k, t in network.state_dict().items() if t.is_floating_point()}
    taken = 0
    for key, tensor in own.items():
        # Of one network every component of a mixture starts alike; their latents part them.
        candidate = found.get(_plain(key), found.get(_plain(_COMPONENT.sub("", key))))
        if candidate is not None and candidate.shape == tensor.shape:
            tensor.copy_(candidate)
            taken += 1
    if not taken:
        raise ValueError(
            f"start_{name}: no tensor of {source} has the name and shape of one of the {name}'s; "
            "give one of the same architecture and filters"
        )
    return f"{name}: {taken} of {len(own)} tensors taken from {source}"


def _tensors(name: str, source: str) -> dict[str, Tensor]:
    """Tensors of a prior's player; of a classifier all, where the discriminator starts."""
    try:
        path = find_prior(source)
    except ValueError as error:
        if not os.path.isfile(source):
            raise ValueError(f"start_{name}: {error}") from error
        path = Path(source)
    try:
        tensors = read_tensors(path)
    except ValueError as error:
        raise ValueError(f"start_{name}: {error}") from error
    if any(key.startswith("generator.") for key in tensors):
        start = f"{name}."
        tensors = {k.removeprefix(start): t for k, t in tensors.items() if k.startswith(start)}
    return {_plain(key): tensor for key, tensor in tensors.items()}


def _plain(key: str) -> str:
    """Name of a tensor without what wraps a conditional player; a classifier's trunk is D's."""
    key = key.removeprefix("body.").removeprefix("network.")
    return "features." + key.removeprefix("trunk.") if key.startswith("trunk.") else key
