"""The players of a run and the step they take: Algorithm 1 of Goodfellow et al. (2014).

For every generator step: ``critic_steps`` times draw real images and latents and step the
discriminator, then draw latents and step the generator. With an encoder the generator is also the
decoder of a VAE, and both losses add up (Larsen et al. 2016, arXiv 1512.09300, with pixels in
place of the discriminator's features); without adversary, and in the first ``vae_steps``, it is
that alone. A moving average of the generator's weights is what ships.

Every random number (initial weights, latents, noise) comes from one CPU generator whose state is
in the checkpoint, and the order of the data from its position, so an interrupted run goes on bit
for bit.

On a GPU the steps of players whose losses draw nothing are recorded and replayed.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from ganprior.cuda_graph import Recording
from ganprior.datasets import Images
from ganprior.priors.architectures import components_of, draw_from
from ganprior.streams import derive_seed, standard_normal
from ganprior.training.batches import make_batches, validation_images
from ganprior.training.checkpoint import Header, load_checkpoint, save_checkpoint
from ganprior.training.distributed import ALONE, World, averaging, shared_batch_norm
from ganprior.training.fast_convolution import use_fast_convolutions
from ganprior.training.linear_start import start_linear_parts
from ganprior.training.losses import Losses
from ganprior.training.mixture import MixtureLosses
from ganprior.training.optimizers import (
    gradient_norm,
    make_optimizer,
    rate_at,
    set_rate,
)
from ganprior.training.players import build_players, objective_of, start_players
from ganprior.training.precision import precision_for
from ganprior.training.recipes import Recipe
from ganprior.training.state import state_of, take_up

# Steps before a recording: torch asks for a few.
UNRECORDED = 3


class Step(NamedTuple):
    """What a step says of itself, each a scalar on the run's device.

    ``discriminator_loss`` and ``discriminator_gradient``, the norm over all parameters, are None
    in a step without adversary.
    """

    discriminator_loss: Tensor | None
    generator_loss: Tensor
    discriminator_gradient: Tensor | None
    generator_gradient: Tensor


class Trainer:
    """The players, their optimisers, the average and the random state of one run.

    Parameters
    ----------
    recipe : Recipe
        All numbers of the run.
    images : Images
        Images of the recipe's size and channels, with labels where the recipe is conditional. The
        first ``recipe.images`` train, others after them validate.
    device : torch.device
        Where the networks live.
    world : World
        The processes that share the run.

    Attributes
    ----------
    step : int
        Generator steps taken.
    objective : Objective or None
        The adversarial objective; None for ``"vae"``.
    generator, discriminator, encoder, average : nn.Module or None
        The players, images in [-1, 1], and the moving average of the generator.
    validation : Tensor
        Images in [0, 1] that the run does not train on, (N, C, H, W); N may be 0.
    taken : list of str
        What was taken from other weights (``start_generator``, ``start_discriminator``).

    Raises
    ------
    ValueError
        If the images have another shape than the recipe, are fewer than a batch, or lack labels;
        if other weights to start from cannot be read or do not fit.
    """

    def __init__(
        self, recipe: Recipe, images: Images, device: torch.device, world: World = ALONE
    ) -> None:
        self.recipe = recipe
        self.device = device
        self.world = world
        self.objective = objective_of(recipe)
        self.batches = make_batches(images, recipe, device, world)
        self.validation = validation_images(images, recipe)
        self.data_sha256 = images.sha256
        self.rng = torch.Generator().manual_seed(derive_seed(recipe.seed, "training"))
        self.step = 0
        self._build()

    def _build(self) -> None:
        recipe = self.recipe
        self.networks = build_players(recipe, self.objective, self.rng)
        start_linear_parts(self.networks, self.batches.pixels, recipe)
        self.taken = start_players(self.networks, recipe)
        # Channels-last is what oneDNN and cuDNN convolve fastest.
        layout = torch.channels_last if recipe.channels_last else torch.contiguous_format
        for name, network in self.networks.items():
            network.to(self.device, memory_format=layout)  # type: ignore[call-overload]
            self.networks[name] = shared_batch_norm(network, self.world, self.device)
        self.generator = self.networks["generator"]
        self.discriminator = self.networks.get("discriminator")
        self.encoder = self.networks.get("encoder")
        ema = get_ema_multi_avg_fn(recipe.ema_decay)
        self.average = AveragedModel(self.generator, multi_avg_fn=ema)
        draw_from(self.generator, self.rng)
        bfloat16 = precision_for(recipe.precision, self.device) == torch.bfloat16
        if self.device.type == "cpu" and not bfloat16:
            # The average keeps ordinary layers: it is what ships.
            for network in self.networks.values():
                use_fast_convolutions(network)
        self.optimizers = {n: make_optimizer(net, recipe) for n, net in self.networks.items()}
        decoding = [self.generator] if self.encoder is None else [self.generator, self.encoder]
        if recipe.compile:
            # The discriminator is not compiled: a gradient penalty differentiates it twice.
            for player in decoding:
                for part in components_of(player):
                    part.compile()
        autocast = torch.autocast(self.device.type, torch.bfloat16, enabled=bfloat16)
        losses = Losses if recipe.mixture == 1 else MixtureLosses
        self.losses = losses(recipe, self.objective, self.networks, autocast, self.rng)
        rests = self.encoder is not None and not recipe.ships_encoder
        self._averaging = {"generator": averaging(self.world, *decoding, resting=rests)}
        if self.discriminator is not None:
            self._averaging["discriminator"] = averaging(self.world, self.discriminator)
        # Read on every step, where a GPU would have to be waited for.
        self.average.n_averaged = self.average.n_averaged.cpu()
        self._forget_recordings()

    def _forget_recordings(self) -> None:
        """Begin anew: a recording holds the addresses of weights and moments."""
        self._recordings: dict[tuple[str, bool], Recording] = {}

    def _play(
        self, player: str, step: Callable[..., tuple[Tensor, Tensor]], *inputs: Tensor | None
    ) -> tuple[Tensor, ...]:
        """Loss and gradient norm of a player's step, recorded where that can be."""
        if self.world.size > 1:  # processes wait for each other within a step
            return step(*inputs)
        # In and after the VAE's steps other losses are descended.
        key = player, self.in_vae_steps
        recording = self._recordings.setdefault(key, Recording(UNRECORDED, self.rng))
        return recording.call(step, *inputs)

    @property
    def in_vae_steps(self) -> bool:
        """Whether the next step trains encoder and decoder alone."""
        return self.objective is None or self.step < self.recipe.vae_steps

    def train_step(self) -> Step:
        """One generator step, after its discriminator steps."""
        rate = rate_at(self.recipe, self.step)
        own = self.recipe.discriminator_rate or self.recipe.learning_rate
        for player, optimizer in self.optimizers.items():
            ratio = own / self.recipe.learning_rate if player == "discriminator" else 1
            set_rate(optimizer, rate * ratio)
        loss_d = norm_d = None
        if not self.in_vae_steps:
            assert self.objective is not None
            for _ in range(self.objective.critic_steps):
                loss_d, norm_d = self._play_discriminator()
        loss_g, norm_g = self._play_generator()
        self.average.update_parameters(self.generator)
        self.step += 1
        return Step(loss_d, loss_g, norm_d, norm_g)

    def _play_discriminator(self) -> tuple[Tensor, ...]:
        """Draw what a step of the discriminator needs, and take it."""
        real, labels = self.batches.take(self.device)
        inputs = real, labels, self.latents()
        return self._play("discriminator", self._descend_discriminator, *inputs)

    def _descend_discriminator(
        self, real: Tensor, labels: Tensor | None, z: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Loss and norm of the gradient of a step on these images and latents."""
        assert self.objective is not None
        assert self.discriminator is not None
        optimizer = self.optimizers["discriminator"]
        with torch.no_grad():
            fake = self.losses.images(z, labels)
        loss = self._averaging["discriminator"](
            self.losses.discriminator, real, fake, labels, self.step
        )
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        norm = gradient_norm(self.discriminator)
        judges = components_of(self.discriminator)
        for judge in judges:
            self.objective.after_backward(judge)
        optimizer.step()
        for judge in judges:
            self.objective.after_step(judge)
        return loss.detach(), norm

    def _play_generator(self) -> tuple[Tensor, ...]:
        """Draw what a step of the generator needs, and take it."""
        z = labels = real = real_labels = None
        if not self.in_vae_steps:
            z, labels = self.latents(), self._labels()
        if self._trains_encoder:
            real, real_labels = self.batches.take(self.device)
        inputs = z, labels, real, real_labels
        return self._play("generator", self._descend_generator, *inputs)

    def _descend_generator(
        self,
        z: Tensor | None,
        labels: Tensor | None,
        real: Tensor | None,
        real_labels: Tensor | None,
    ) -> tuple[Tensor, Tensor]:
        """Loss and norm of the gradient of a step on latents, images or both."""
        moving = [self.optimizers["generator"]]
        if real is not None:
            moving.append(self.optimizers["encoder"])
        if self.discriminator is not None:
            self.discriminator.requires_grad_(False)
        loss = self._averaging["generator"](
            self.losses.generator, z, labels, real, real_labels, self.step
        )
        for optimizer in moving:
            optimizer.zero_grad(set_to_none=True)
        loss.backward()
        norm = gradient_norm(self.generator)
        for optimizer in moving:
            optimizer.step()
        if self.discriminator is not None:
            self.discriminator.requires_grad_(True)
        return loss.detach(), norm

    @property
    def _trains_encoder(self) -> bool:
        """Whether the next step moves the encoder: one that does not ship rests after the VAE."""
        return self.encoder is not None and (self.in_vae_steps or self.recipe.ships_encoder)

    def latents(self) -> Tensor:
        """Latents of this process's rows of a batch, (B, k); of a mixture (T B, k)."""
        shape = self.recipe.mixture * self.recipe.batch_size, self.recipe.latent_size
        return self.world.part(standard_normal(shape, self.rng)).to(self.device)

    def _labels(self) -> Tensor | None:
        if not self.recipe.classes:
            return None
        shape = (self.recipe.batch_size,)
        labels = torch.randint(self.recipe.classes, shape, generator=self.rng)
        return self.world.part(labels).to(self.device)

    def save(self, path: Path) -> None:
        """Write the whole state to a checkpoint file."""
        header = Header(self.step, self.batches.count, self.recipe, self.data_sha256)
        save_checkpoint(path, state_of(self), header)

    def restore(self, path: Path) -> None:
        """Take up the state of a checkpoint.

        Raises
        ------
        ValueError
            If it is no checkpoint, one of another recipe or of other data, or not finite.
        """
        state, header = load_checkpoint(path)
        header.check_recipe(self.recipe, path)
        if header.data_sha256 != self.data_sha256:
            raise ValueError(
                f"{path} was trained on other data; give the --data that the run began with"
            )
        take_up(self, state, path)
        self.step, self.batches.count = header.step, header.batches
        self._forget_recordings()
