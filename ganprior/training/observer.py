"""What is written of a run while it goes: losses, monitors, sheets, checkpoints, warnings."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from tqdm import tqdm

from ganprior.priors import Prior
from ganprior.progress import progress
from ganprior.sheets import save_sheet
from ganprior.streams import derive_seed
from ganprior.training.distance import estimate_distance
from ganprior.training.export import average_prior
from ganprior.training.loss_log import LossLog
from ganprior.training.mixture import weight_entropies
from ganprior.training.monitor_log import add_row
from ganprior.training.monitors import Health, Monitor, Snapshot
from ganprior.training.run_folder import RunFolder
from ganprior.training.state import broken_part, state_of
from ganprior.training.tensorboard import Board
from ganprior.training.trainer import Step, Trainer


class TrainingFailed(ValueError):
    """A run that ended because it went wrong; its last good checkpoint is kept."""


def warn_on_stderr(warning: str) -> None:
    """Print a line without tearing a progress bar."""
    tqdm.write(warning, file=sys.stderr)


@dataclass(frozen=True)
class Watch:
    """What is asked of a run beside its training.

    Attributes
    ----------
    monitors : sequence of Monitor
        Asked every ``recipe.monitor_every`` steps for columns of ``monitors.csv``.
    warn : callable
        Receives the one line that names a failure.
    stop_on_failure : bool
        End the run at the first failure.
    tensorboard : bool
        Write what the CSV files hold, and the sheets, for TensorBoard too.
    progress : bool
        Show progress on stderr: a bar on a terminal, a line now and then elsewhere.
    """

    monitors: Sequence[Monitor] = ()
    warn: Callable[[str], None] = warn_on_stderr
    stop_on_failure: bool = False
    tensorboard: bool = False
    progress: bool = True


class Observer:
    """Sees every step of a run; a context manager. Of several processes only the first writes.

    Parameters
    ----------
    trainer : Trainer
        The run.
    folder : RunFolder
        Where to write.
    watch : Watch
        What is asked for.
    """

    def __init__(self, trainer: Trainer, folder: RunFolder, watch: Watch) -> None:
        self.trainer = trainer
        self.folder = folder
        self.watch = watch
        self.health = Health(trainer.recipe)
        self.writes = trainer.world.rank == 0
        self._open = ExitStack()

    def __enter__(self) -> Observer:
        if self.writes:
            step, steps = self.trainer.step, self.trainer.recipe.steps
            self.folder.cut(step)
            self._log = self._open.enter_context(LossLog(self.folder.losses, step))
            visible = self.watch.progress
            shown = progress("training", initial=step, visible=visible, leave=True)
            self._progress = self._open.enter_context(shown)
            self._progress.tell(step, steps)
            self._board = Board(self.folder.tensorboard if self.watch.tensorboard else None, step)
            self._open.callback(self._board.close)
        return self

    def __exit__(self, *error: object) -> None:
        self._open.close()

    def saw(self, taken: Step) -> None:
        """Write what is due after a step.

        Raises
        ------
        TrainingFailed
            If the run has failed: nothing of this step is then in the checkpoint.
        """
        trainer, recipe = self.trainer, self.trainer.recipe
        values = _numbers(trainer, taken)
        self._check(values)
        if self.writes:
            self._log.add(trainer.step, *values.values())
            self._board.scalars(trainer.step, values)
            self._progress.tell(trainer.step, recipe.steps, _losses(values))
        every = recipe.sheet_every, recipe.monitor_every, recipe.checkpoint_every
        sheet, monitors, checkpoint = (n > 0 and trainer.step % n == 0 for n in every)
        if sheet or monitors or checkpoint:
            self._check_state()
        # The checkpoint comes last: what is due up to its step is then always on disk, and a run
        # that goes on from it lacks nothing.
        if sheet and self.writes:
            with self._progress.stage(f"samples of step {trainer.step}"):
                self._sheet(average_prior(trainer), self.folder.samples_at(trainer.step))
        if monitors and self.writes:
            with self._progress.stage(f"monitors of step {trainer.step}"):
                self._monitor()
        if checkpoint:
            self._save()

    def checkpoint(self) -> None:
        """Write a checkpoint.

        Raises
        ------
        TrainingFailed
            If the weights are not finite: the last checkpoint stays.
        """
        self._check_state()
        self._save()

    def _save(self) -> None:
        if self.writes:
            with self._progress.stage(f"checkpoint of step {self.trainer.step}"):
                self._log.flush()
                self._board.flush()
                self.trainer.save(self.folder.checkpoint)

    def _check_state(self) -> None:
        """Refuse to keep what nothing can go on from; losses may be finite before it shows there.

        All processes look, and see the same.
        """
        part = broken_part(state_of(self.trainer))
        if part is not None:
            self._act_on(
                f"step {self.trainer.step}: NaN or infinite numbers in {part}; "
                f"{self.health.gentler()}",
                broken=True,
            )

    def end(self, card: dict[str, Any]) -> None:
        """Write the prior, whose card says this too, and a sheet of its samples."""
        with self._progress.stage("the prior and its samples"):
            prior = average_prior(self.trainer, card)
            prior.save(self.folder.prior)
            self._sheet(prior, self.folder.samples)

    def _sheet(self, prior: Prior, path: Path) -> None:
        """Write a sheet of samples: of the same latents every time, so that one sees progress."""
        rng = torch.Generator().manual_seed(derive_seed(self.trainer.recipe.seed, "sample sheet"))
        samples = prior.sample(100, rng)
        save_sheet(path, samples, 10)
        self._board.images(self.trainer.step, samples)

    def _monitor(self) -> None:
        trainer = self.trainer
        row: dict[str, float] = {}
        distance = estimate_distance(trainer)
        if distance is not None:
            row["distance"] = distance
        row |= weight_entropies(trainer.networks)
        if len(trainer.validation):
            rng = torch.Generator().manual_seed(derive_seed(trainer.recipe.seed, "monitors"))
            prior = average_prior(trainer)
            for monitor in self.watch.monitors:
                row |= monitor(Snapshot(trainer.step, prior, trainer.validation, rng))
        if row:
            add_row(self.folder.monitors, trainer.step, row)
            self._board.scalars(trainer.step, dict(row))
        if {"diversity", "real_diversity"} <= row.keys():
            diversity = row["diversity"], row["real_diversity"]
            self._act_on(self.health.check_diversity(trainer.step, *diversity))

    def _check(self, values: dict[str, float | None]) -> None:
        trainer, step = self.trainer, self.trainer.step
        if step == trainer.recipe.vae_steps + 1:
            # The adversary begins: what was usual before it is not usual now.
            self.health = Health(trainer.recipe)
        loss_d, loss_g, norm_d, norm_g = values.values()
        assert loss_g is not None
        assert norm_g is not None
        warning = self.health.check(
            step,
            loss_g if loss_d is None else loss_d,
            loss_g,
            norm_g if norm_d is None else norm_d,
            norm_g,
        )
        broken = any(value is not None and not math.isfinite(value) for value in values.values())
        self._act_on(warning, broken=broken)

    def _act_on(self, warning: str | None, *, broken: bool = False) -> None:
        if warning is None:
            return
        if broken or self.watch.stop_on_failure:
            kept = self.folder.checkpoint
            raise TrainingFailed(f"{warning}; the last good checkpoint is {kept}")
        if self.writes:
            self.watch.warn(warning)


def _losses(values: dict[str, float | None]) -> str:
    """``loss D 0.512, loss G 1.204``; of an objective without adversary the latter alone."""
    losses = {"D": values["discriminator_loss"], "G": values["generator_loss"]}
    return ", ".join(f"loss {who} {v:.3f}" for who, v in losses.items() if v is not None)


def _numbers(trainer: Trainer, taken: Step) -> dict[str, float | None]:
    """Fields of a step as numbers, means over all processes; one transfer from the device."""
    there = {name: value for name, value in taken._asdict().items() if value is not None}
    numbers = trainer.world.mean(torch.stack(list(there.values()))).tolist()
    found = dict(zip(there, numbers, strict=True))
    return {name: found.get(name) for name in taken._fields}
