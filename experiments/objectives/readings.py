"""What a discriminator of points says once it is trained, run by run."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

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


def probabilities(game: Game, x: Tensor) -> Tensor:
    """D(x) of every run at points x (X, d), float64 (R, X)."""
    return torch.sigmoid(outputs(game, x.float().expand(game.runs, -1, -1))).double()


def game_values(game: Game, count: int) -> Tensor:
    """E log D + E log(1 - D) of every run, float64 (R,), on new points."""
    real, fake = on_new_points(game, count)
    return (logsigmoid(real).mean(1) + logsigmoid(-fake).mean(1)).double()


def distances(game: Game, count: int) -> Tensor:
    """The objective's own estimate of its distance for every run, (R,), on new points."""
    pairs = zip(*on_new_points(game, count), strict=True)
    return torch.stack([game.objective.distance(real, fake) for real, fake in pairs])


def generator_gradients(game: Game, parameter: Tensor) -> Tensor:
    """Derivative of each run's generator loss in a parameter of the generator, of its shape."""
    (gradient,) = torch.autograd.grad(game.runs * game.generator_loss(), parameter)
    return gradient
