"""What came of blocks: the bytes that a cell keeps, and all blocks of a run together."""

from __future__ import annotations

import io
import itertools
import json
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from ganprior.cli.comparison import SPREAD, Attempt
from ganprior.cli.comparison_report import Row
from ganprior.jobs import Cell

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Kept(Protocol):
    """What is read of a :class:`~ganprior.jobs.store.Store`."""

    def rows(self, cells: Iterable[Cell]) -> list[Row]:
        """Rows of cells."""

    def data(self, cell: Cell) -> bytes:
        """What else came of a cell."""


class Finished:
    """Every block of every solver: what the results are written from, block by block.

    A solver that blends makes two attempts: the generator's images, then the blended ones.

    Parameters
    ----------
    cells : list of list of Cell
        The cells of each solver, in the order of the images.
    store : Store
        Holds them all.
    """

    def __init__(self, cells: list[list[Cell]], store: Kept) -> None:
        self._cells, self._store = cells, store
        self._attempts = [
            (number, place, name)
            for number, own in enumerate(cells)
            for place, (name, _) in enumerate(_facts(store.data(own[0])))
        ]

    @property
    def solvers(self) -> list[str]:
        """Name of each attempt."""
        return [name for _, _, name in self._attempts]

    def kinds(self, attempt: int) -> list[str]:
        """What there is an image of for each signal: ``solver``, and of some ``std``, ..."""
        number, place, _ = self._attempts[attempt]
        arrays = _arrays(self._store.data(self._cells[number][0]))
        return [kind for kind in ("solver", *SPREAD) if f"{kind}_{place}" in arrays.files]

    def images(self, attempt: int, kind: str = "solver") -> Iterator[NDArray[Any]]:
        """Reconstructions of an attempt, or another kind, (B, C, H, W) of each block."""
        number, place, _ = self._attempts[attempt]
        for cell in self._cells[number]:
            yield _arrays(self._store.data(cell))[f"{kind}_{place}"]

    def rows(self) -> Iterator[Row]:
        """One row per attempt and image."""
        for number, place, _ in self._attempts:
            for cell in self._cells[number]:
                count = cell.last - cell.first
                yield from self._store.rows([cell])[place * count : (place + 1) * count]

    def settings(self) -> list[dict[str, Any]]:
        """What each attempt went by: a number, or a list of one per image where they differ."""
        found = []
        for number, place, name in self._attempts:
            parts = []
            for cell in self._cells[number]:
                own = _facts(self._store.data(cell))[place][1]
                parts.append((cell.last - cell.first, own))
            merged = {key: _merged([(n, own[key]) for n, own in parts]) for key in parts[0][1]}
            found.append({"solver": name, **merged})
        return found


def packed(attempts: Sequence[Attempt]) -> bytes:
    """Images and settings of attempts as the bytes of an ``.npz``."""
    import numpy as np

    facts = json.dumps([(attempt.solver, attempt.settings) for attempt in attempts])
    arrays = {
        f"{kind}_{i}": images.numpy()
        for i, attempt in enumerate(attempts)
        for kind, images in attempt.images.items()
    }
    file = io.BytesIO()
    np.savez(file, facts=np.array(facts), **arrays)  # type: ignore[arg-type]
    return file.getvalue()


def _arrays(data: bytes) -> Any:
    import numpy as np

    return np.load(io.BytesIO(data), allow_pickle=False)


def _facts(data: bytes) -> list[tuple[str, dict[str, Any]]]:
    """Name and settings of each attempt of a cell."""
    found: list[tuple[str, dict[str, Any]]] = json.loads(str(_arrays(data)["facts"]))
    return found


def _merged(parts: list[tuple[int, Any]]) -> Any:
    """One setting of all images, from those of their blocks with the images of each."""
    values = [value for _, value in parts]
    if not any(isinstance(value, list) for value in values) and len(set(values)) == 1:
        return values[0]
    each = ([v] * count if not isinstance(v, list) else v for count, v in parts)
    return list(itertools.chain.from_iterable(each))
