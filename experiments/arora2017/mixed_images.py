"""MIX+GAN on images, by the package's own training: modes, weights, gap, errors of inversions."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from functools import cache
from typing import Any

import torch
from torch import Tensor, nn

from experiments.images import for_training, for_tuning
from experiments.objectives import modes
from experiments.objectives.digits import trainer_of
from experiments.objectives.inversion import own_cache
from experiments.objectives.stacked_mnist import read, stacked
from experiments.rows import Row
from ganprior import CSGM, FAST, ByLabel, Gaussian, Images, Prior, Streams, add_noise, identity
from ganprior.evaluation import TrainedClassifier, load_classifier, shipped_classifier
from ganprior.metrics import per_pixel_error
from ganprior.priors import architectures
from ganprior.solution import Reconstructor
from ganprior.solvers import FromBank
from ganprior.streams import derive_seed
from ganprior.training import Trainer, average_prior

STACKED, FASHION = "stacked MNIST", "Fashion-MNIST"
MODES = {STACKED: 1000, FASHION: 10}
NOISE_LEVEL = 0.1  # sqrt(m) noise_std


@dataclass(frozen=True)
class Pictures:
    """How images are played for."""

    digits: str = "MNIST"
    clothes: str = "Fashion-MNIST"
    tuning: str = "Fashion-MNIST"
    first: int = 59_000  # of the images that no prior is trained on
    images: int = 10_000
    seeds: int = 1
    steps: int = 300
    batch: int = 16
    rate: float = 1e-3
    filters: int = 8
    latent_size: int = 32
    samples: int = 3000
    response_steps: int = 100
    inverted: int = 20
    measurements: tuple[int, ...] = (25, 100)
    bank: int = 1000


def train(config: Pictures, data: str, pairs: int, times: int, longer: int, seed: int) -> Row:
    """Train some pairs, each of so many times the parameters and steps, and measure."""
    width = width_of(config, 3 if data == STACKED else 1, times)
    trainer = trainer_of(
        images_of(config, data),
        objective="non-saturating",
        mixture=pairs,
        filters=width[0],
        discriminator_filters=width[1],
        latent_size=config.latent_size,
        batch_size=config.batch,
        learning_rate=config.rate,
        seed=seed,
    )
    for _ in range(longer * config.steps):
        trainer.train_step()
    prior = average_prior(trainer)
    rng = torch.Generator().manual_seed(derive_seed(seed, "samples"))
    drawn = prior.sample(config.samples, rng)
    classes = read(drawn) if data == STACKED else clothes_reader().read(drawn)
    covered = modes.covered(classes, MODES[data], len(classes), 0.0 if data == STACKED else 0.2)
    found: Row = {
        "covered": int(covered.sum()),
        "kl": round(modes.divergence_from_uniform(classes, MODES[data]), 4),
        "generator_entropy": round(entropy(trainer.generator), 4),
        "discriminator_entropy": round(entropy(trainer.networks["discriminator"]), 4),
        **duality_gap(trainer, config.response_steps, rng),
    }
    return found | (inversion(config, prior) if data == FASHION else {})


@cache
def images_of(config: Pictures, data: str) -> Images:
    """Images that train."""
    if data == STACKED:
        return stacked(config.digits, config.images, 0)
    if config.clothes == FASHION:
        return for_training(FASHION).head(config.images)
    return for_tuning(config.clothes, 0, config.images, 0)[0]


@cache
def clothes_reader() -> TrainedClassifier:
    """The shipped classifier of Fashion-MNIST."""
    prior = Prior.load("fashion-mnist-dcgan")
    path = shipped_classifier(prior.card["data_sha256"], prior.image_shape)
    assert path is not None
    return load_classifier(path)


def width_of(config: Pictures, channels: int, times: int) -> tuple[int, int]:
    """Filters of both players with so many times the parameters of ``config.filters``."""

    def parameters(filters: int) -> list[int]:
        architecture = architectures.Architecture(
            latent_size=config.latent_size,
            channels=channels,
            size=28,
            filters=filters,
            discriminator_filters=filters,
        )
        with torch.device("meta"):
            players = architectures.build_networks(architecture)[:2]
        return [sum(p.numel() for p in player.parameters()) for player in players]

    wanted = [times * count for count in parameters(config.filters)]
    widths = []
    for player in range(2):
        filters = config.filters
        while parameters(filters)[player] < wanted[player]:
            filters += 1
        widths.append(filters)
    return widths[0], widths[1]


def entropy(network: nn.Module) -> float:
    """Entropy of a mixture's weights in nats; of one network 0."""
    weights = architectures.mixture.weights_of(network)
    return 0.0 if weights is None else float(-torch.xlogy(weights, weights).sum())


class Mixed:
    """Players of a run as mixed strategies: one network is a mixture of one."""

    def __init__(self, trainer: Trainer, rng: torch.Generator) -> None:
        self.trainer, self.rng = trainer, rng
        assert trainer.objective is not None
        self.objective = trainer.objective
        self.generators = architectures.components_of(trainer.generator)
        self.critics = architectures.components_of(trainer.networks["discriminator"])
        sides = trainer.generator, trainer.networks["discriminator"]
        one = torch.ones(1)
        self.weights = [
            one if (w := architectures.mixture.weights_of(side)) is None else w for side in sides
        ]

    def fakes(self, generators: list[nn.Module]) -> list[Tensor]:
        """A batch of each generator."""
        size = self.trainer.recipe.batch_size, self.trainer.recipe.latent_size
        return [network(torch.randn(size, generator=self.rng)) for network in generators]

    def values(self, generators: list[nn.Module], critics: list[nn.Module]) -> Tensor:
        """E log D_j + E log (1 - D_j(G_i)) of one batch, (T, T')."""
        real, _ = self.trainer.batches.take(torch.device("cpu"))
        loss = self.objective.discriminator_loss
        with torch.no_grad():
            fakes = self.fakes(generators)
        return -torch.stack(
            [
                torch.stack([loss(critic, real, fake, self.rng) for critic in critics])
                for fake in fakes
            ]
        )

    @torch.no_grad()
    def mean(self, generators: list[nn.Module], critics: list[nn.Module]) -> Tensor:
        """The same of some batches."""
        return torch.stack([self.values(generators, critics) for _ in range(20)]).mean(0)


def duality_gap(trainer: Trainer, steps: int, rng: torch.Generator) -> Row:
    """What a better reply would gain of E log D + E log (1 - D), for each side.

    Either side's strongest network goes on for some steps against the other side, which stays.
    """
    game = Mixed(trainer, rng)
    w, v = game.weights
    values = game.mean(game.generators, game.critics)
    critic = copy.deepcopy(game.critics[int((w @ values).argmax())])
    generator = copy.deepcopy(game.generators[int((values @ v).argmin())])
    for judge in game.critics:
        judge.requires_grad_(False)
    rate, betas = trainer.recipe.learning_rate, trainer.recipe.betas
    ahead = [torch.optim.Adam(own.parameters(), rate, betas) for own in (critic, generator)]
    for _ in range(steps):
        loss = -(w @ game.values(game.generators, [critic])).sum()
        descend(ahead[0], loss)
        fake = game.fakes([generator])[0]
        losses = [game.objective.generator_loss(judge, fake) for judge in game.critics]
        descend(ahead[1], v @ torch.stack(losses))
    value = float(w @ values @ v)
    replies = (
        float((w @ game.mean(game.generators, [critic])).sum()) - value,
        value - float((game.mean([generator], game.critics) @ v).sum()),
    )
    # Not to reply at all is a reply, too.
    names = "discriminator_gain", "generator_gain"
    return {name: round(max(own, 0.0), 4) for name, own in zip(names, replies, strict=True)}


def descend(optimizer: torch.optim.Optimizer, loss: Tensor) -> None:
    """One step."""
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    optimizer.step()


def inversion(config: Pictures, prior: Prior) -> Row:
    """Mean per-pixel errors of tuning images: from all pixels, and from m measurements."""
    chosen, streams = for_tuning(config.tuning, config.first, config.inverted, 0)
    x = chosen.floats()
    found: Row = {"representation": _error(config, prior, x, x, identity(), streams, weight=0.0)}
    for m in config.measurements:
        physics = Gaussian(m, prior.image_shape, derive_seed(0, "A", m) % 2**32)
        std = NOISE_LEVEL / m**0.5
        y = add_noise(physics.A(x), std, streams)
        found[f"m = {m}"] = _error(config, prior, x, y, physics, streams, noise_std=std)
    return found


def _error(
    config: Pictures,
    prior: Prior,
    x: Tensor,
    y: Tensor,
    physics: Any,
    streams: Streams,
    *,
    weight: float | None = None,
    noise_std: float = 0.0,
) -> float:
    effort = FAST.change(FromBank, entries=config.bank)

    def csgm(one: Prior) -> Reconstructor:
        return CSGM(one, weight, noise_std=noise_std, effort=effort)

    with own_cache():
        solver = ByLabel(prior, csgm) if prior.classes else csgm(prior)
        return round(float(per_pixel_error(solver.solve(y, physics, rng=streams).x, x).mean()), 5)
