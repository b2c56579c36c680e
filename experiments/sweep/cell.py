"""The unit of a sweep: one method at one place of a figure, on one block of images."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from experiments.rows import Row


@dataclass(frozen=True)
class Cell:
    """One independent piece of work; two cells of a sweep differ in their key.

    Attributes
    ----------
    figure : str
        Name of the figure, ``bora2017/error-vs-m-mnist``.
    method : str
        What reconstructs.
    axis : str
        What the figure varies: ``m``, ``noise_level``, ``k`` ...
    value : float
        Where on the axis.
    panel : str
        What else the figure varies, ``m = 100``; empty where there is nothing else.
    seed : int
        Seed of A and of the noise: a draw of A.
    first, last : int
        Images ``first`` to ``last``, the last one excluded.
    """

    figure: str
    method: str
    axis: str
    value: float
    panel: str = ""
    seed: int = 0
    first: int = 0
    last: int = 0

    @property
    def key(self) -> str:
        """Text that names the cell within its figure, and nothing else does."""
        place = f"{self.axis} = {self.value:g}" + (f", {self.panel}" if self.panel else "")
        return f"{self.method} | {place} | seed {self.seed} | images {self.first} to {self.last}"

    @property
    def columns(self) -> Row:
        """What every row of the cell begins with."""
        value = int(self.value) if float(self.value).is_integer() else self.value
        panel = {"panel": self.panel} if self.panel else {}
        return {**panel, self.axis: value, "method": self.method, "seed": self.seed}


def blocks(images: int, size: int) -> Iterator[tuple[int, int]]:
    """Cut ``images`` images into blocks of at most ``size``: (first, last) of each."""
    for first in range(0, images, size):
        yield first, min(first + size, images)
