"""The two players of a run and the step they take: Algorithm 1 of Goodfellow et al. (2014).

For every generator step: ``critic_steps`` times draw real images and latents and step the
discriminator, then draw latents and step the generator. A moving average of the generator's
weights is what ships.

Every random number (initial weights, latents, the penalty's mix) comes from one CPU generator
whose state is in the checkpoint, and the order of the data from its position, so an interrupted
run goes on bit for bit.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from ganprior.datasets import Images
from ganprior.priors.dcgan import DCGANDiscriminator, DCGANGenerator, initialise
from ganprior.streams import derive_seed
from ganprior.training.batches import Batches, training_pixels
from ganprior.training.checkpoint import (
    Header,
    load_checkpoint,
    optimizer_tensors,
    restore_optimizer,
    save_checkpoint,
)
from ganprior.training.nonsaturating import NonSaturating
from ganprior.training.recipes import Recipe
from ganprior.training.wasserstein_gp import WassersteinGP

Objective = NonSaturating | WassersteinGP


def objective_of(recipe: Recipe) -> Objective:
    """Make the objective that a recipe names."""
    if recipe.objective == "non-saturating":
        return NonSaturating(recipe.critic_steps)
    return WassersteinGP(recipe.critic_steps, recipe.penalty_weight)


class Trainer:
    """Both players, their optimisers, the average and the random state of one run.

    Parameters
    ----------
    recipe : Recipe
        All numbers of the run.
    images : Images
        Training images of the recipe's size and channels; the first ``recipe.images`` are used.
    device : torch.device
        Where the networks live; the images stay where they are.

    Attributes
    ----------
    step : int
        Generator steps taken.
    generator, discriminator, average : nn.Module
        The players, images in [-1, 1], and the moving average of the generator.

    Raises
    ------
    ValueError
        If the images have another shape than the recipe or are fewer than a batch.
    """

    def __init__(self, recipe: Recipe, images: Images, device: torch.device) -> None:
        self.recipe = recipe
        self.device = device
        self.objective = objective_of(recipe)
        self.batches = Batches(training_pixels(images, recipe), recipe.batch_size, recipe.seed)
        self.data_sha256 = images.sha256
        self.rng = torch.Generator().manual_seed(derive_seed(recipe.seed, "training"))
        self.step = 0
        self.autocast = precision_for(recipe.precision, device) == torch.bfloat16
        self._build()

    def _build(self) -> None:
        recipe = self.recipe
        generator = DCGANGenerator(recipe.latent_size, recipe.channels, recipe.size, recipe.filters)
        discriminator = DCGANDiscriminator(
            recipe.channels,
            recipe.size,
            recipe.discriminator_filters,
            batch_norm=self.objective.discriminator_batch_norm,
        )
        for network in (generator, discriminator):
            initialise(network, self.rng)
        # Channels-last is what oneDNN and cuDNN convolve fastest.
        layout = torch.channels_last
        self.generator = generator.to(self.device, memory_format=layout)  # type: ignore[call-overload]
        self.discriminator = discriminator.to(self.device, memory_format=layout)  # type: ignore[call-overload]
        average = get_ema_multi_avg_fn(recipe.ema_decay)
        self.average = AveragedModel(self.generator, multi_avg_fn=average)
        self.generator_optimizer = self._adam(self.generator)
        self.discriminator_optimizer = self._adam(self.discriminator)

    def _adam(self, network: nn.Module) -> torch.optim.Adam:
        recipe = self.recipe
        return torch.optim.Adam(network.parameters(), recipe.learning_rate, recipe.betas)

    def train_step(self) -> tuple[Tensor, Tensor]:
        """One generator step after its discriminator steps; returns both players' last losses."""
        self._set_rates()
        for _ in range(self.objective.critic_steps):
            real = self.batches.take(self.device)
            with torch.no_grad():
                fake = self._generate(self._latents())
            loss_d = self.objective.discriminator_loss(self._score, real, fake, self.rng)
            self.discriminator_optimizer.zero_grad(set_to_none=True)
            loss_d.backward()
            self.discriminator_optimizer.step()

        self.discriminator.requires_grad_(False)
        loss_g = self.objective.generator_loss(self._score, self._generate(self._latents()))
        self.generator_optimizer.zero_grad(set_to_none=True)
        loss_g.backward()
        self.generator_optimizer.step()
        self.discriminator.requires_grad_(True)

        self.average.update_parameters(self.generator)
        self.step += 1
        return loss_d.detach(), loss_g.detach()

    def _set_rates(self) -> None:
        recipe = self.recipe
        left = recipe.steps - self.step
        falling = recipe.decay_from and self.step >= recipe.decay_from
        share = left / (recipe.steps - recipe.decay_from) if falling else 1.0
        for optimizer in (self.generator_optimizer, self.discriminator_optimizer):
            for group in optimizer.param_groups:
                group["lr"] = share * recipe.learning_rate

    def _score(self, x: Tensor) -> Tensor:
        with self._precision():
            score: Tensor = self.discriminator(x)
        return score.float()

    def _generate(self, z: Tensor) -> Tensor:
        with self._precision():
            x: Tensor = self.generator(z)
        return x.float()

    def _precision(self) -> torch.autocast:
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.autocast)

    def _latents(self) -> Tensor:
        recipe = self.recipe
        z = torch.randn(recipe.batch_size, recipe.latent_size, generator=self.rng)
        return z.to(self.device)

    def save(self, path: Path) -> None:
        """Write the whole state to a checkpoint file."""
        state = {
            "generator": self.generator.state_dict(),
            "discriminator": self.discriminator.state_dict(),
            "average": self.average.state_dict(),
            "generator_optimizer": optimizer_tensors(self.generator_optimizer),
            "discriminator_optimizer": optimizer_tensors(self.discriminator_optimizer),
            "random": {"state": self.rng.get_state()},
        }
        header = Header(self.step, self.batches.count, self.recipe, self.data_sha256)
        save_checkpoint(path, state, header)

    def restore(self, path: Path) -> None:
        """Take up the state of a checkpoint.

        Raises
        ------
        ValueError
            If it is no checkpoint, or one of another recipe or of other data.
        """
        state, header = load_checkpoint(path)
        header.check_recipe(self.recipe, path)
        if header.data_sha256 != self.data_sha256:
            raise ValueError(
                f"{path} was trained on other data; give the --data that the run began with"
            )
        try:
            self.generator.load_state_dict(state["generator"])
            self.discriminator.load_state_dict(state["discriminator"])
            self.average.load_state_dict(state["average"])
            # Adam has no moments before the first step.
            restore_optimizer(self.generator_optimizer, state.get("generator_optimizer", {}))
            restore_optimizer(
                self.discriminator_optimizer, state.get("discriminator_optimizer", {})
            )
            self.rng.set_state(state["random"]["state"])
        except (KeyError, RuntimeError) as error:
            raise ValueError(
                f"{path} is damaged: {error}; start again in another folder"
            ) from error
        self.step, self.batches.count = header.step, header.batches


def precision_for(precision: str, device: torch.device) -> torch.dtype:
    """Number format of convolutions: bfloat16 where the device has units for it.

    A CPU without such units emulates it, several times slower than float32.
    """
    if precision != "auto":
        return torch.bfloat16 if precision == "bfloat16" else torch.float32
    if device.type == "cuda":
        fast = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        units = torch.cpu.get_capabilities()
        fast = bool(units.get("amx_bf16") or units.get("avx512_bf16"))
    return torch.bfloat16 if fast else torch.float32
