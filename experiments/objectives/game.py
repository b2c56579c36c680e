"""The toy problems' players and their training: points in place of images, many runs at once.

Points are images of one pixel, (N, d, 1, 1) with a channel for each coordinate, so that the
objectives of ``ganprior.training.objectives`` apply as they are. A small network on one CPU core
spends its time in calls, not in arithmetic: R independent runs share every call. Point i belongs to
run i modulo R, each run has weights of its own, and the loss is R times the mean over all points,
the sum of the runs' own losses: no run changes what another one does, beyond the common stream of
random numbers.

The step is that of the package's loop, Algorithm 1 of Goodfellow et al. (2014), with the
stabilisers of ``ganprior.training.stabilisers``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

import torch
from torch import Tensor, nn

from ganprior.training import Objective, Score, objectives, stabilisers

# Runs R, points B of each and a generator to draws of the data, (R, B, d).
Draw = Callable[[int, int, torch.Generator], Tensor]


def to_points(x: Tensor) -> Tensor:
    """(R, B, d) of R runs to points (B R, d, 1, 1)."""
    return x.transpose(0, 1).reshape(-1, x.shape[-1], 1, 1)


def to_runs(points: Tensor, runs: int) -> Tensor:
    """Points (B R, d, 1, 1) to (R, B, d)."""
    return points.flatten(1).view(-1, runs, points.shape[1]).transpose(0, 1)


class Layer(nn.Module):
    """A fully connected layer of R runs, (R, B, inputs) to (R, B, outputs).

    Weights come from N(0, 2 / inputs) (He et al. 2015), biases are 0.
    """

    def __init__(self, runs: int, inputs: int, outputs: int, rng: torch.Generator) -> None:
        super().__init__()
        weight = torch.randn(runs, inputs, outputs, generator=rng) * (2 / inputs) ** 0.5
        self.weight = nn.Parameter(weight)
        self.bias = nn.Parameter(torch.zeros(runs, 1, outputs))

    def forward(self, x: Tensor) -> Tensor:
        """Each run's own affine map."""
        return torch.baddbmm(self.bias, x, self.weight)


class Network(nn.Module):
    """A multilayer perceptron of R runs, (R, B, inputs) to (R, B, outputs).

    Parameters
    ----------
    runs : int
        R.
    sizes : sequence of int
        Inputs, units of each hidden layer, outputs.
    activation : callable
        Makes the module behind each hidden layer.
    rng : torch.Generator
        Source of the weights.
    """

    def __init__(
        self,
        runs: int,
        sizes: Sequence[int],
        activation: Callable[[], nn.Module],
        rng: torch.Generator,
    ) -> None:
        super().__init__()
        *hidden, last = pairwise(sizes)
        layers: list[nn.Module] = []
        for before, after in hidden:
            layers += [Layer(runs, before, after, rng), activation()]
        self.features = nn.Sequential(*layers)
        self.output = Layer(runs, *last, rng)

    def forward(self, x: Tensor) -> Tensor:
        """Each run's own network."""
        output: Tensor = self.output(self.features(x))
        return output


class Affine(nn.Module):
    """The generator G(z) = mean + std z: N(mean, std^2 I), its density known.

    Parameters
    ----------
    mean : Tensor
        Of each run, (R, d).
    std : Tensor
        Of each run, (R,).
    """

    def __init__(self, mean: Tensor, std: Tensor) -> None:
        super().__init__()
        self.mean = nn.Parameter(mean.clone())
        self.log_std = nn.Parameter(std.log())

    @property
    def std(self) -> Tensor:
        """Standard deviation of each run, (R,)."""
        return self.log_std.exp()

    def forward(self, z: Tensor) -> Tensor:
        """(R, B, d) to (R, B, d)."""
        return self.mean[:, None] + self.std[:, None, None] * z


@dataclass(frozen=True)
class Settings:
    """How a game is played.

    Attributes
    ----------
    objective : str
        Name in ``ganprior.training.objectives``; ``"f-gan NAME"`` is that divergence.
    critic_steps : int
        Discriminator steps before each generator step.
    clip : float
        c of ``"wgan"``.
    penalty_weight : float
        lambda of ``"wgan-gp"``.
    batch : int
        Points per step of either player and run.
    latent_size : int
        Entries of z ~ N(0, I).
    generator_rate, discriminator_rate : float
        Of Adam, or for ``"wgan"`` of RMSProp as in its paper; they fall to 0 over the last half of
        ``steps`` where ``decay`` is set.
    beta : float
        First beta of Adam; the second one is 0.999.
    steps : int
        Generator steps.
    input_noise : float
        Standard deviation of noise on the discriminator's input, falling to 0 over all steps.
    closeness_weight : float
        Weight of the closeness penalty on the discriminator's features of generated points.
    """

    objective: str
    critic_steps: int = 1
    clip: float = 0.1
    penalty_weight: float = 10.0
    batch: int = 256
    latent_size: int = 1
    generator_rate: float = 1e-3
    discriminator_rate: float = 1e-3
    decay: bool = False
    beta: float = 0.5
    steps: int = 1000
    input_noise: float = 0.0
    closeness_weight: float = 0.0


def objective_of(settings: Settings) -> Objective:
    """The package's objective of a game."""
    name, _, divergence = settings.objective.partition(" ")
    values = {
        "critic_steps": settings.critic_steps,
        "clip": settings.clip,
        "penalty_weight": settings.penalty_weight,
        "divergence": divergence,
    }
    known = objectives.objective_options(name)
    return objectives.make_objective(name, **{k: v for k, v in values.items() if k in known})


class Game:
    """R runs of a game between a generator and a discriminator of points.

    Parameters
    ----------
    settings : Settings
        How it is played.
    generator : nn.Module
        (R, B, latent_size) to (R, B, d).
    discriminator : Network
        (R, B, d) to (R, B, 1).
    real : callable
        Draws of the data, see ``Draw``.
    runs : int
        R.
    rng : torch.Generator
        Source of points, latents and noise.
    """

    def __init__(
        self,
        settings: Settings,
        generator: nn.Module,
        discriminator: Network,
        real: Draw,
        runs: int,
        rng: torch.Generator,
    ) -> None:
        self.settings, self.real, self.runs, self.rng = settings, real, runs, rng
        self.generator, self.discriminator = generator, discriminator
        self.objective = objective_of(settings)
        self.step = 0
        self._noise = stabilisers.InputNoise(settings.input_noise, settings.steps)
        self._descents = {
            generator: self._optimizer(generator, settings.generator_rate),
            discriminator: self._optimizer(discriminator, settings.discriminator_rate),
        }

    def _optimizer(self, network: nn.Module, rate: float) -> torch.optim.Optimizer:
        if self.settings.objective == "wgan":
            return torch.optim.RMSprop(network.parameters(), rate)
        return torch.optim.Adam(network.parameters(), rate, (self.settings.beta, 0.999))

    def fake(self, count: int) -> Tensor:
        """Points of the generator, ``count`` of each run."""
        z = torch.randn(self.runs, count, self.settings.latent_size, generator=self.rng)
        return to_points(self.generator(z))

    def score(self, points: Tensor) -> Tensor:
        """The discriminator's raw output, (N,)."""
        output: Tensor = self.discriminator(to_runs(points, self.runs))
        return output.transpose(0, 1).flatten()

    def play(self) -> None:
        """One generator step, after its discriminator steps."""
        self._set_rates()
        for _ in range(self.objective.critic_steps):
            self.discriminator_step()
        self.generator_step()
        self.step += 1

    def converge(self) -> None:
        """The discriminator's steps alone, ``settings.steps`` of them: the generator stays."""
        while self.step < self.settings.steps:
            self._set_rates()
            self.discriminator_step()
            self.step += 1

    def discriminator_step(self) -> None:
        """One step of the discriminator on new points of both kinds."""
        with torch.no_grad():
            fake = self.fake(self.settings.batch)
        real = to_points(self.real(self.runs, self.settings.batch, self.rng))
        loss = self.objective.discriminator_loss(self._seen(), real, fake, self.rng)
        self._backward(loss, self.discriminator)
        self.objective.after_backward(self.discriminator)
        self._descents[self.discriminator].step()
        self.objective.after_step(self.discriminator)

    def generator_step(self) -> None:
        """One step of the generator on new latents."""
        self.discriminator.requires_grad_(False)
        self._backward(self.generator_loss(), self.generator)
        self._descents[self.generator].step()
        self.discriminator.requires_grad_(True)

    def generator_loss(self) -> Tensor:
        """Loss of the generator on new latents, the mean over the runs."""
        fake = self.fake(self.settings.batch)
        loss = self.objective.generator_loss(self._seen(), fake)
        if self.settings.closeness_weight:
            features = self.discriminator.features(to_runs(fake, self.runs))
            penalties = [stabilisers.closeness_penalty(own) for own in features]
            loss = loss + self.settings.closeness_weight * torch.stack(penalties).mean()
        return loss

    def _backward(self, loss: Tensor, network: nn.Module) -> None:
        self._descents[network].zero_grad(set_to_none=True)
        (self.runs * loss).backward()

    def _seen(self) -> Score:
        if not self.settings.input_noise:
            return self.score
        noise = partial(self._noise, step=self.step, rng=self.rng)
        return lambda points: self.score(noise(points))

    def _set_rates(self) -> None:
        if not self.settings.decay:
            return
        share = min(1.0, 2 * (1 - self.step / self.settings.steps))
        rates = self.settings.generator_rate, self.settings.discriminator_rate
        for optimizer, rate in zip(self._descents.values(), rates, strict=True):
            optimizer.param_groups[0]["lr"] = rate * share
