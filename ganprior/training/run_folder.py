"""The folder of a run: what lies where, and whether a run may begin or go on in it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from ganprior.files import parts_of
from ganprior.training.checkpoint import read_header
from ganprior.training.monitor_log import cut
from ganprior.training.recipes import Recipe

_UNNAMED = re.compile(r"\.part-\w+(\.\w+)?")


@dataclass(frozen=True)
class RunFolder:
    """Paths of a run.

    Attributes
    ----------
    path : Path
        The folder; it need not be there yet.
    """

    path: Path

    @property
    def recipe(self) -> Path:
        """Every number of the run, as TOML."""
        return self.path / "recipe.toml"

    @property
    def checkpoint(self) -> Path:
        """The state to resume from."""
        return self.path / "checkpoint.safetensors"

    @property
    def losses(self) -> Path:
        """Losses and gradient norms of every step, as CSV."""
        return self.path / "losses.csv"

    @property
    def monitors(self) -> Path:
        """What monitors found now and then, as CSV."""
        return self.path / "monitors.csv"

    @property
    def tensorboard(self) -> Path:
        """Folder of TensorBoard's events."""
        return self.path / "tensorboard"

    @property
    def prior(self) -> Path:
        """The finished prior, without suffix."""
        return self.path / "prior"

    @property
    def samples(self) -> Path:
        """Samples of the finished prior."""
        return self.path / "samples.png"

    @property
    def sheets(self) -> Path:
        """Folder of samples of the average, now and then."""
        return self.path / "samples"

    def samples_at(self, step: int) -> Path:
        """Samples of the average after ``step`` steps."""
        return self.sheets / f"step-{step:06d}.png"

    def cut(self, step: int) -> None:
        """Remove what is of later steps: of a future that a resumed run takes again.

        Raises
        ------
        ValueError
            If a file cannot be written.
        """
        cut(self.monitors, step)
        for sheet in self.sheets.glob("step-*.png"):
            number = sheet.stem.removeprefix("step-")
            if number.isdecimal() and int(number) > step:
                sheet.unlink(missing_ok=True)

    def check(self, recipe: Recipe, *, resume: bool) -> None:
        """Refuse what would overwrite or mix runs; writes nothing.

        Raises
        ------
        ValueError
            If the folder holds a run, without ``resume``; holds no checkpoint or one of another
            recipe, with it.
        """
        if resume:
            read_header(self.checkpoint).check_recipe(recipe, self.checkpoint)
        elif self.checkpoint.exists() or self.prior.with_suffix(".safetensors").exists():
            raise ValueError(
                f"{self.path} already holds a run; go on with it by --resume, or give --out "
                "another folder"
            )

    def clear_parts(self) -> None:
        """Remove what a killed process of this run was writing at that moment, and no other's."""
        prior = self.prior.with_suffix(".safetensors"), self.prior.with_suffix(".json")
        files = self.recipe, self.checkpoint, self.losses, self.monitors, self.samples, *prior
        parts = [part for file in files for part in parts_of(file)]
        parts += self.sheets.glob(".part-step-*")
        # Earlier versions did not name them for what they were to be.
        beside = [*self.path.glob(".part-*"), *self.sheets.glob(".part-*")]
        parts += [part for part in beside if _UNNAMED.fullmatch(part.name)]
        for part in parts:
            part.unlink(missing_ok=True)
