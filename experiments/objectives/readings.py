"""What a discriminator of points says once it is trained, run by run."""

from __future__ import annotations

import torch
from torch import Tensor

from experiments.objectives.game import Game


def outputs(game: Game, x: Tensor) -> Tensor:
    """Raw outputs at x (R, B, d), (R, B)."""
    found: Tensor = game.discriminator(x)
    return found.squeeze(2)


@torch.no_grad()
def on_new_points(game: Game, count: int) -> tuple[Tensor, Tensor]:
    """Raw outputs (R, count) on real and on generated points that nothing was trained on."""
    z = torch.randn(game.runs, count, game.settings.latent_size, generator=game.rng)
    real = game.real(game.runs, count, game.rng)
    return outputs(game, real), outputs(game, game.generator(z))


def distances(game: Game, count: int) -> Tensor:
    """The objective's own estimate of its distance for every run, (R,), on new points."""
    pairs = zip(*on_new_points(game, count), strict=True)
    return torch.stack([game.objective.distance(real, fake) for real, fake in pairs])
