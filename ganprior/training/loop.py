"""A training run from its first step to the prior on disk."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from tqdm import tqdm

from ganprior.files import write_atomically
from ganprior.priors import Prior
from ganprior.sheets import save_sheet
from ganprior.streams import derive_seed
from ganprior.training.export import average_prior
from ganprior.training.loss_log import LossLog
from ganprior.training.recipes import Recipe
from ganprior.training.run_folder import RunFolder
from ganprior.training.trainer import Trainer


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
        Run folder: ``recipe.toml``, ``checkpoint.safetensors``, ``losses.csv``, ``samples/``, and
        at the end the prior, ``prior.safetensors`` with ``prior.json``, and its ``samples.png``.
    resume : bool
        Go on from the folder's checkpoint.
    should_stop : callable
        Asked before every step; True ends the run with a checkpoint.
    card : dict, optional
        What the prior's card says beside what the run itself knows (data, licence).
    progress : bool
        Show a progress bar where stderr is a terminal.

    Returns
    -------
    bool
        Whether the last step was reached, and the prior written.

    Raises
    ------
    ValueError
        If the folder cannot be written, holds another run, or has no checkpoint to resume; if a
        loss is not finite: the checkpoint is then the last one before that.
    """
    recipe, folder = trainer.recipe, RunFolder(out)
    folder.check(recipe, resume=resume)
    if resume:
        trainer.restore(folder.checkpoint)
    folder.clear_parts()
    _write_text(folder.recipe, recipe.toml())
    # Also before the first step: from here on there is always something to resume.
    trainer.save(folder.checkpoint)
    with (
        LossLog(folder.losses, trainer.step) as log,
        tqdm(total=recipe.steps, initial=trainer.step, disable=None if progress else True) as bar,
    ):
        while trainer.step < recipe.steps and not should_stop():
            losses = _step(trainer)
            log.add(trainer.step, *losses)
            bar.set_postfix(d=f"{losses[0]:.3f}", g=f"{losses[1]:.3f}", refresh=False)
            bar.update()
            if trainer.step % recipe.checkpoint_every == 0:
                _checkpoint(trainer, log, folder)
            if trainer.step % recipe.sheet_every == 0:
                _sheet(average_prior(trainer), recipe, folder.samples_at(trainer.step))
        _checkpoint(trainer, log, folder)
    if trainer.step < recipe.steps:
        return False
    prior = average_prior(trainer, card or {})
    prior.save(folder.prior)
    _sheet(prior, recipe, folder.samples)
    return True


def _step(trainer: Trainer) -> tuple[float, float]:
    loss_d, loss_g = (float(loss) for loss in trainer.train_step())
    if not math.isfinite(loss_d + loss_g):
        raise ValueError(
            f"step {trainer.step}: the losses are {loss_d} and {loss_g}; lower the rate with "
            "--set learning_rate=... and start in another folder"
        )
    return loss_d, loss_g


def _checkpoint(trainer: Trainer, log: LossLog, folder: RunFolder) -> None:
    # Losses first: the rows up to a checkpoint's step are then always on disk.
    log.flush()
    trainer.save(folder.checkpoint)


def _sheet(prior: Prior, recipe: Recipe, path: Path) -> None:
    # The same latents every time: one sees the samples become sharp.
    rng = torch.Generator().manual_seed(derive_seed(recipe.seed, "sample sheet"))
    save_sheet(path, prior.sample(100, rng), 10)


def _write_text(path: Path, text: str) -> None:
    def write(file: Path) -> None:
        file.write_text(text, encoding="utf-8")

    write_atomically(path, write)
