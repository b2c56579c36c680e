"""A training run from its first step to the prior on disk."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch

from ganprior.files import write_atomically
from ganprior.training.monitors import Monitor
from ganprior.training.observer import Observer, Watch, warn_on_stderr
from ganprior.training.run_folder import RunFolder
from ganprior.training.tensorboard import summary_writer
from ganprior.training.trainer import Trainer


def train(
    trainer: Trainer,
    out: Path,
    *,
    resume: bool = False,
    should_stop: Callable[[], bool] = lambda: False,
    card: dict[str, Any] | None = None,
    monitors: Sequence[Monitor] = (),
    warn: Callable[[str], None] = warn_on_stderr,
    stop_on_failure: bool = False,
    tensorboard: bool = False,
    progress: bool = True,
) -> bool:
    """Run a recipe to its last step, or until asked to stop.

    Parameters
    ----------
    trainer : Trainer
        Fresh players.
    out : Path
        Run folder: ``recipe.toml``, ``checkpoint.safetensors``, ``losses.csv``, ``monitors.csv``,
        ``samples/``, and at the end the prior, ``prior.safetensors`` with ``prior.json``, and its
        ``samples.png``.
    resume : bool
        Go on from the folder's checkpoint.
    should_stop : callable
        Asked before every step; True ends the run with a checkpoint.
    card : dict, optional
        What the prior's card says beside what the run itself knows (data, licence).
    monitors : sequence of Monitor
        Asked every ``recipe.monitor_every`` steps for columns of ``monitors.csv``, beside the
        objective's own estimate of its distance; where there are validation images.
    warn : callable
        Receives the one line that names a failure (see ``Health``).
    stop_on_failure : bool
        End the run at the first failure.
    tensorboard : bool
        Write what the CSV files hold, and the sheets, to ``tensorboard/`` too.
    progress : bool
        Show progress on stderr: a bar on a terminal, a line now and then elsewhere.

    Returns
    -------
    bool
        Whether the last step was reached, and the prior written.

    Raises
    ------
    TrainingFailed
        If a loss is not finite, or at another failure with ``stop_on_failure``; the checkpoint is
        then the last one before that.
    ValueError
        If the folder cannot be written, holds another run, or has no checkpoint to resume; if
        TensorBoard is asked for and not installed.
    """
    folder, world = RunFolder(out), trainer.world
    if tensorboard:
        summary_writer()
    folder.check(trainer.recipe, resume=resume)
    if resume:
        trainer.restore(folder.checkpoint)
    # Nobody writes before all have looked.
    world.wait()
    if world.rank == 0:
        _begin(trainer, folder)
    watch = Watch(monitors, warn, stop_on_failure, tensorboard, progress)
    with Observer(trainer, folder, watch) as observer:
        while trainer.step < trainer.recipe.steps and not _any_stops(trainer, should_stop):
            observer.saw(trainer.train_step())
        observer.checkpoint()
        finished = trainer.step >= trainer.recipe.steps
        if finished and world.rank == 0:
            observer.end(card or {})
    return finished


def _begin(trainer: Trainer, folder: RunFolder) -> None:
    folder.clear_parts()
    _write_text(folder.recipe, trainer.recipe.toml())
    # Also before the first step: from here on there is always something to resume.
    trainer.save(folder.checkpoint)


def _any_stops(trainer: Trainer, should_stop: Callable[[], bool]) -> bool:
    """Whether any process is asked to stop: all must leave at the same step."""
    asked = should_stop()
    if trainer.world.size == 1:
        return asked
    return bool(trainer.world.mean(torch.tensor(float(asked), device=trainer.device)) > 0)


def _write_text(path: Path, text: str) -> None:
    def write(file: Path) -> None:
        file.write_text(text, encoding="utf-8")

    write_atomically(path, write)
