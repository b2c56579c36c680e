"""MIX+GAN on points, all seeds at once: small networks on one CPU core spend their time in calls.

The losses are those of :mod:`ganprior.training.mixture`, a test compares them; S seeds of T pairs
are S T networks of :mod:`experiments.objectives.game`, those of a seed behind each other.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn

from experiments.objectives import modes
from experiments.objectives.game import Network
from experiments.rows import Row
from ganprior.streams import derive_seed
from ganprior.training import objectives

CENTRES = {8: modes.ring(), 25: modes.square()}
STD, LEAST = 0.05, 0.2  # of the data's modes, and of a mode's fair share, as in mode_collapse
GAME = objectives.make_objective("non-saturating")
BETAS = (0.5, 0.999)


@dataclass(frozen=True)
class Rings:
    """How points are played for; rates are those of Metz et al. (2017), as in mode_collapse."""

    steps: int = 1500
    batch: int = 64
    hidden: int = 64
    latent_size: int = 4
    rate: float = 1e-3
    discriminator_rate: float = 1e-4
    entropy_weight: float = 0.1
    samples: int = 2000
    response_steps: int = 200
    response_rate: float = 1e-3


class Side(nn.Module):
    """One side of S games: T networks of each, and the numbers that weigh them, (S, T)."""

    def __init__(self, networks: Network, runs: int, pairs: int) -> None:
        super().__init__()
        self.networks = networks
        self.logits = nn.Parameter(torch.zeros(runs, pairs))

    @property
    def log_weights(self) -> Tensor:
        """Logarithms of the weights, (S, T)."""
        return self.logits.log_softmax(1)


class Game:
    """S games of T generators against T discriminators, hidden layers of some width."""

    def __init__(self, config: Rings, count: int, pairs: int, width: int, runs: int) -> None:
        self.config, self.runs, self.pairs = config, runs, pairs
        self.rng = torch.Generator().manual_seed(derive_seed(0, f"{pairs} pairs", count))
        sizes = config.latent_size, width, width
        networks = runs * pairs
        critic = Network(networks, (2, width, width, 1), partial(nn.LeakyReLU, 0.2), self.rng)
        generator = Network(networks, (*sizes, 2), nn.ReLU, self.rng)
        self.generators, self.critics = Side(generator, runs, pairs), Side(critic, runs, pairs)
        self.real = partial(modes.draw_around, CENTRES[count], STD, runs)
        adam = partial(torch.optim.Adam, betas=BETAS)
        self._generator_step = adam(self.generators.parameters(), config.rate)
        self._critic_step = adam(self.critics.parameters(), config.discriminator_rate)

    def draw(self, generators: Side, count: int) -> Tensor:
        """Points of every generator, (S, T, count, 2)."""
        own = len(generators.logits.flatten())
        z = torch.randn(own, count, self.config.latent_size, generator=self.rng)
        points: Tensor = generators.networks(z)
        return points.unflatten(0, (self.runs, -1))

    def play(self) -> None:
        """A step of the discriminators, then one of the generators."""
        with torch.no_grad():
            fake = self.draw(self.generators, self.config.batch)
        real = self.real(self.config.batch, self.rng)
        loss = self.expected(-self.values(fake, self.critics, real), "critics")
        descend(self._critic_step, loss + self._entropy_term(self.critics))
        self.critics.requires_grad_(False)
        loss = self.expected(self.losses(self.draw(self.generators, self.config.batch)))
        descend(self._generator_step, loss + self._entropy_term(self.generators))
        self.critics.requires_grad_(True)

    def values(self, fake: Tensor, critics: Side, real: Tensor) -> Tensor:
        """E log D_j + E log (1 - D_j(G_i)) of points (S, T, B, 2) and (S, B, 2), (S, T, T')."""
        on_fake = scores(critics, fake)
        on_real = scores(critics, real[:, None]).expand_as(on_fake)
        loss = GAME.discriminator_loss
        paired = torch.vmap(lambda a, b: loss(lambda scored: scored, a, b, self.rng))
        return -paired(on_real.flatten(0, 2), on_fake.flatten(0, 2)).view(on_fake.shape[:3])

    def losses(self, fake: Tensor, critics: Side | None = None) -> Tensor:
        """Loss of every generator against every discriminator, (S, T, T')."""
        on_fake = scores(critics or self.critics, fake)
        loss = torch.vmap(lambda a: GAME.generator_loss(lambda scored: scored, a))
        return loss(on_fake.flatten(0, 2)).view(on_fake.shape[:3])

    def expected(self, payoffs: Tensor, moving: str = "generators") -> Tensor:
        """Mean of payoffs (S, T, T) by the weights of both sides, summed over the seeds."""
        weights = {
            name: side.log_weights.exp() if name == moving else side.log_weights.exp().detach()
            for name, side in (("generators", self.generators), ("critics", self.critics))
        }
        return torch.einsum("si,sij,sj->", weights["generators"], payoffs, weights["critics"])

    def _entropy_term(self, side: Side) -> Tensor:
        return -self.config.entropy_weight * side.log_weights.mean(1).sum()

    @torch.no_grad()
    def sample(self, count: int) -> Tensor:
        """Points of the mixtures, (S, count, 2)."""
        weights = self.generators.log_weights.exp()
        chosen = torch.multinomial(weights, count, replacement=True, generator=self.rng)
        points = self.draw(self.generators, count).movedim(1, 2)
        return points.gather(2, chosen[..., None, None].expand(-1, -1, 1, 2))[:, :, 0]


def scores(critics: Side, points: Tensor) -> Tensor:
    """Scores of points (S, T, B, 2) by every one of T' discriminators, (S, T, T', B)."""
    runs, judges = critics.logits.shape
    flat = points.flatten(1, 2)[:, None].expand(-1, judges, -1, -1)
    found: Tensor = critics.networks(flat.flatten(0, 1))
    return found[..., 0].view(runs, judges, *points.shape[1:3]).transpose(1, 2)


def descend(optimizer: torch.optim.Optimizer, loss: Tensor) -> None:
    """One step."""
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    optimizer.step()


def strongest(side: Side, worth: Tensor) -> Side:
    """Of each game the network that is worth most, (S, T), alone."""
    runs, pairs = side.logits.shape
    chosen = worth.argmax(1) + pairs * torch.arange(runs)
    return Side(pick(side.networks, chosen), runs, 1)


def pick(networks: Network, chosen: Tensor) -> Network:
    """Copies of some of the networks of a batch, by number."""
    own = copy.deepcopy(networks)
    for parameter in own.parameters():
        parameter.data = parameter.data[chosen].clone()
    return own


def duality_gap(game: Game) -> tuple[Tensor, Tensor]:
    """What a better reply would gain of E log D + E log (1 - D), for each side, (S,).

    Either side's strongest network goes on for some steps against the other side, which stays.
    """
    config, count = game.config, game.config.samples
    weights, judged = game.generators.log_weights.exp(), game.critics.log_weights.exp()

    def payoff(generators: Side, critics: Side) -> Tensor:
        return game.values(game.draw(generators, count), critics, game.real(count, game.rng))

    with torch.no_grad():
        values = payoff(game.generators, game.critics)
        value = torch.einsum("si,sij,sj->s", weights, values, judged)
        replies = (
            torch.einsum("si,sij->sj", weights, values),
            torch.einsum("sij,sj->si", values, judged),
        )
    critic, generator = strongest(game.critics, replies[0]), strongest(game.generators, -replies[1])
    adam = partial(torch.optim.Adam, lr=config.response_rate, betas=BETAS)
    steps = adam(critic.networks.parameters()), adam(generator.networks.parameters())
    for _ in range(config.response_steps):
        with torch.no_grad():
            fake = game.draw(game.generators, config.batch)
        found = game.values(fake, critic, game.real(config.batch, game.rng))[..., 0]
        descend(steps[0], -(weights.detach() * found).sum())
        found = game.losses(game.draw(generator, config.batch))[:, 0]
        descend(steps[1], (judged.detach() * found).sum())
    with torch.no_grad():
        best_critic = (weights * payoff(game.generators, critic)[..., 0]).sum(1)
        best_generator = (judged * payoff(generator, game.critics)[:, 0]).sum(1)
    # Not to reply at all is a reply, too.
    gains = best_critic - value, value - best_generator
    return gains[0].clamp(min=0), gains[1].clamp(min=0)


def play(config: Rings, count: int, pairs: int, width: int, steps: int, runs: int) -> list[Row]:
    """Modes, weights and gap of every seed after so many steps."""
    game = Game(config, count, pairs, width, runs)
    for _ in range(steps):
        game.play()
    points = game.sample(config.samples)
    gains = duality_gap(game)
    entropies = [
        -(side.log_weights.exp() * side.log_weights).sum(1).detach()
        for side in (game.generators, game.critics)
    ]
    return [
        {
            "run": run,
            **count_modes(points[run], count),
            "generator_entropy": round(float(entropies[0][run]), 4),
            "discriminator_entropy": round(float(entropies[1][run]), 4),
            "discriminator_gain": round(float(gains[0][run]), 4),
            "generator_gain": round(float(gains[1][run]), 4),
        }
        for run in range(runs)
    ]


def count_modes(points: Tensor, count: int) -> Row:
    """Modes covered and KL to uniform of points (N, 2)."""
    nearest, near = modes.read_points(points, CENTRES[count], STD)
    covered = modes.covered(nearest[near], count, len(points), LEAST)
    return {
        "covered": int(covered.sum()),
        "kl": round(modes.divergence_from_uniform(nearest, count), 4),
    }


def width_of(hidden: int, times: int) -> int:
    """Width of two hidden layers with so many times the parameters of those of ``hidden``."""

    def parameters(width: int) -> int:
        return width * width + 9 * width

    width = hidden
    while parameters(width) < times * parameters(hidden):
        width += 1
    return width
