"""The training loop: Algorithm 1 of Goodfellow et al. (2014) for any objective.

For every generator step: ``critic_steps`` times draw real images and latents and step the
discriminator, then draw latents and step the generator. A moving average of the generator's
weights is what ships.

Every random number (initial weights, order of the data, latents, the penalty's mix) comes from
one CPU generator whose state is in the checkpoint, so an interrupted run goes on bit for bit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from tqdm import tqdm

from ganprior.datasets import Images
from ganprior.files import write_atomically
from ganprior.priors.dcgan import DCGANDiscriminator, DCGANGenerator, initialise
from ganprior.streams import derive_seed
from ganprior.training.checkpoint import (
    load_checkpoint,
    optimizer_tensors,
    restore_optimizer,
    save_checkpoint,
)
from ganprior.training.export import average_with_statistics, export_prior
from ganprior.training.monitors import LossLog, save_sheet
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
        Where the networks live.

    Raises
    ------
    ValueError
        If the images have another size or are fewer than a batch.
    """

    def __init__(self, recipe: Recipe, images: Images, device: torch.device) -> None:
        self.recipe = recipe
        self.device = device
        self.objective = objective_of(recipe)
        self.pixels = _training_pixels(images, recipe)
        self.data_sha256 = images.sha256
        self.rng = torch.Generator().manual_seed(derive_seed(recipe.seed, "training"))
        self.step = 0
        self.batches = 0
        self._build()

    def _build(self) -> None:
        recipe = self.recipe
        generator = DCGANGenerator(
            recipe.latent_size, recipe.channels, recipe.size, recipe.filters
        )
        discriminator = DCGANDiscriminator(
            recipe.channels,
            recipe.size,
            recipe.discriminator_filters,
            batch_norm=self.objective.discriminator_batch_norm,
        )
        for network in (generator, discriminator):
            initialise(network, self.rng)
        # Channels-last is what oneDNN and cuDNN convolve fastest.
        self.generator = generator.to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.discriminator = discriminator.to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        average = get_ema_multi_avg_fn(recipe.ema_decay)
        self.average = AveragedModel(self.generator, multi_avg_fn=average)
        self.generator_optimizer = self._adam(self.generator)
        self.discriminator_optimizer = self._adam(self.discriminator)
        self.autocast = precision_for(recipe.precision, self.device) == torch.bfloat16

    def _adam(self, network: nn.Module) -> torch.optim.Adam:
        recipe = self.recipe
        return torch.optim.Adam(network.parameters(), recipe.learning_rate, recipe.betas)

    def train_step(self) -> tuple[Tensor, Tensor]:
        """One generator step after its discriminator steps; returns both players' last losses."""
        for _ in range(self.objective.critic_steps):
            real = self._real_batch()
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

    def _real_batch(self) -> Tensor:
        """Next images in [-1, 1]; each epoch has an order of its own, by its number alone."""
        size = self.recipe.batch_size
        epoch, batch = divmod(self.batches, len(self.pixels) // size)
        if batch == 0 or not hasattr(self, "_order"):
            seed = derive_seed(self.recipe.seed, "data order", epoch)
            order = torch.Generator().manual_seed(seed)
            self._order = torch.randperm(len(self.pixels), generator=order)
        self.batches += 1
        chosen = self._order[batch * size : (batch + 1) * size].to(self.pixels.device)
        images = self.pixels[chosen].float().div_(127.5).sub_(1)
        return images.contiguous(memory_format=torch.channels_last)

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
        header = {
            "step": self.step,
            "batches": self.batches,
            "recipe": asdict(self.recipe),
            "data_sha256": self.data_sha256,
        }
        save_checkpoint(path, state, header)

    def restore(self, path: Path) -> None:
        """Take up the state of a checkpoint.

        Raises
        ------
        ValueError
            If it is no checkpoint, or one of another recipe or of other data.
        """
        state, header = load_checkpoint(path)
        _refuse_other_run(path, header, self.recipe, self.data_sha256)
        self.generator.load_state_dict(state["generator"])
        self.discriminator.load_state_dict(state["discriminator"])
        self.average.load_state_dict(state["average"])
        restore_optimizer(self.generator_optimizer, state["generator_optimizer"])
        restore_optimizer(self.discriminator_optimizer, state["discriminator_optimizer"])
        self.rng.set_state(state["random"]["state"])
        self.step, self.batches = header["step"], header["batches"]


def train(
    trainer: Trainer,
    out: Path,
    *,
    resume: bool = False,
    should_stop: Callable[[], bool] = lambda: False,
    card: dict[str, Any] | None = None,
    progress: bool = True,
) -> bool:
    """Run a recipe to its last step, or until asked to stop.

    Parameters
    ----------
    trainer : Trainer
        Fresh players.
    out : Path
        Run folder: ``recipe.toml``, ``checkpoint.safetensors``, ``losses.csv``, ``samples/`` and
        the prior, ``prior.safetensors`` with ``prior.json``.
    resume : bool
        Go on from the folder's checkpoint.
    should_stop : callable
        Asked after every step; True ends the run with a checkpoint.
    card : dict, optional
        What the prior's card says beside what the run itself knows (data, licence).
    progress : bool
        Show a progress bar.

    Returns
    -------
    bool
        Whether the last step was reached.

    Raises
    ------
    ValueError
        If the folder cannot be written, holds another run, or has no checkpoint to resume.
    """
    recipe, checkpoint = trainer.recipe, out / "checkpoint.safetensors"
    if resume:
        trainer.restore(checkpoint)
    elif checkpoint.exists():
        raise ValueError(f"{out} already holds a run; give --resume or another folder")
    write_atomically(out / "recipe.toml", lambda path: _write(path, recipe.toml()))
    log = LossLog(out / "losses.csv", trainer.step)
    stopped = False
    with tqdm(total=recipe.steps, initial=trainer.step, disable=not progress) as bar:
        while trainer.step < recipe.steps and not stopped:
            loss_d, loss_g = (float(loss) for loss in trainer.train_step())
            log.add(trainer.step, loss_d, loss_g)
            bar.update()
            bar.set_postfix(d=f"{loss_d:.3f}", g=f"{loss_g:.3f}", refresh=False)
            stopped = should_stop()
            if stopped or trainer.step % recipe.checkpoint_every == 0:
                log.flush()
                trainer.save(checkpoint)
            if trainer.step % recipe.sheet_every == 0:
                _sheet(trainer, out / "samples" / f"step-{trainer.step:06d}.png")
    log.close()
    trainer.save(checkpoint)
    export_prior(trainer.average, trainer.discriminator, recipe, out / "prior", {
        "data_sha256": trainer.data_sha256, "steps": trainer.step,
        "discriminator_output": trainer.objective.discriminator_output, **(card or {}),
    })  # fmt: skip
    _sheet(trainer, out / "samples.png")
    return trainer.step >= recipe.steps


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


def _sheet(trainer: Trainer, path: Path) -> None:
    rng = torch.Generator().manual_seed(derive_seed(trainer.recipe.seed, "sample sheet"))
    z = torch.randn(100, trainer.recipe.latent_size, generator=rng).to(trainer.device)
    average = average_with_statistics(trainer.average, trainer.recipe.latent_size)
    with torch.no_grad():
        save_sheet(path, (average(z) + 1) / 2, 10)


def _training_pixels(images: Images, recipe: Recipe) -> Tensor:
    pixels = images.pixels[: recipe.images]
    wanted = (recipe.channels, recipe.size, recipe.size)
    if tuple(pixels.shape[1:]) != wanted:
        raise ValueError(
            f"the recipe wants images of shape {wanted}, the data has {tuple(pixels.shape[1:])}; "
            "set size and channels of the recipe, or convert with --resize and --channels"
        )
    if len(pixels) < recipe.batch_size:
        raise ValueError(
            f"{len(pixels)} images are fewer than a batch of {recipe.batch_size}; "
            "give more images or a smaller batch_size"
        )
    if pixels.is_floating_point():
        pixels = (pixels * 255).round().byte()
    return pixels


def _refuse_other_run(path: Path, header: dict[str, Any], recipe: Recipe, data: str) -> None:
    saved = Recipe(**{**header["recipe"], "betas": tuple(header["recipe"]["betas"])})
    # More steps on the same recipe are a longer run, not another one.
    other = [name for name in saved.differences(recipe) if name != "steps"]
    if other:
        raise ValueError(f"{path} is of another recipe (differs in {', '.join(other)})")
    if header["data_sha256"] != data:
        raise ValueError(f"{path} was trained on other data; give the same --data")


def _write(path: Path, text: str) -> None:
    path.write_text(text)
