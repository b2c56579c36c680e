"""The unit of long work: one method at one place of a figure, on one block of images."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ganprior.jobs.rows import Row


@dataclass(frozen=True)
class Cell:
    """One independent piece of work; two cells of a sweep differ in their key.

    Attributes
    ----------
    method : str
        What reconstructs, or is trained; of a benchmark, what its contenders are timed on.
    axis : str
        What the figure varies: ``m``, ``noise_level``, ``holes`` ...; empty for nothing.
    value : float or str
        Where on the axis.
    panel : str
        What else the figure varies, ``m = 100``; empty where there is nothing else.
    seed : int
        Seed of A and of the noise: a draw of A.
    first, last : int
        Images ``first`` to ``last``, the last one excluded.
    """

    method: str
    axis: str = ""
    value: float | str = 0
    panel: str = ""
    seed: int = 0
    first: int = 0
    last: int = 0

    @property
    def key(self) -> str:
        """Text that names the cell within its figure, and nothing else does."""
        value = self.value if isinstance(self.value, str) else f"{self.value:g}"
        place = f"{self.axis} = {value}" + (f", {self.panel}" if self.panel else "")
        return f"{self.method} | {place} | seed {self.seed} | images {self.first} to {self.last}"

    @property
    def number(self) -> float:
        """Value of a numeric axis."""
        return float(self.value)

    @property
    def columns(self) -> Row:
        """What every row of the cell begins with."""
        whole = not isinstance(self.value, str) and float(self.value).is_integer()
        axis = {self.axis: int(self.value) if whole else self.value} if self.axis else {}
        panel = {"panel": self.panel} if self.panel else {}
        return {**panel, **axis, "method": self.method, "seed": self.seed}


@dataclass(frozen=True)
class Result:
    """A cell that is done.

    Attributes
    ----------
    cell : Cell
        The cell.
    rows : list of dict
        What was measured; fit for JSON.
    seconds : float
        What it took.
    protocol : dict of str
        What it was done by; see :class:`~ganprior.jobs.store.Store`.
    data : bytes
        What else came out, as its reader knows it: images, say.
    """

    cell: Cell
    rows: list[Row]
    seconds: float
    protocol: dict[str, str]
    data: bytes = b""


def blocks(images: int, size: int) -> Iterator[tuple[int, int]]:
    """Cut ``images`` images into blocks of at most ``size``: (first, last) of each."""
    for first in range(0, images, size):
        yield first, min(first + size, images)


def grid(
    methods: Sequence[str],
    axis: str = "",
    values: Sequence[float | str] = (0,),
    *,
    panels: Sequence[str] = ("",),
    draws: int = 1,
    images: int = 0,
    block: int = 50,
) -> list[Cell]:
    """Cells of every panel, value, method, draw of A and block of images, in this order."""
    return [
        Cell(method, axis, value, panel, draw, *part)
        for panel in panels
        for value in values
        for method in methods
        for draw in range(draws)
        for part in (list(blocks(images, block)) or [(0, 0)])
    ]
