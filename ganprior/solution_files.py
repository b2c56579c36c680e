"""Solutions as files: arrays, pictures, figures."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from ganprior.files import write_atomically
from ganprior.sheets import contact_sheet

_FIGURES = (".pdf", ".svg")
SUFFIXES = (".npz", ".png", *_FIGURES)
_COLUMNS = 10


def save(solution: Any, path: Path) -> None:
    """Write a solution; see :meth:`ganprior.solution.Solution.save`."""
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise ValueError(f"{path} is no name of a format; end it in {', '.join(SUFFIXES)}")
    if suffix == ".npz":
        arrays = _arrays(solution)
        write_atomically(path, lambda file: np.savez(file, **arrays))
    elif suffix == ".png":
        alone = len(solution.x) == 1
        columns, gap = (1, 0) if alone else (min(_COLUMNS, len(solution.x)), 2)
        sheet = contact_sheet(solution.x.nan_to_num(), columns, gap=gap)
        write_atomically(path, lambda file: sheet.save(file, format="PNG"))
    else:
        _save_figure(solution, path)


def _save_figure(solution: Any, path: Path) -> None:
    from matplotlib import pyplot

    figure = solution.plot()
    try:
        write_atomically(path, figure.savefig)
    finally:
        pyplot.close(figure)


def _arrays(solution: Any) -> dict[str, Any]:
    """Every field that is there, by its name."""
    found: dict[str, Any] = {}
    for field in fields(solution):
        value = getattr(solution, field.name)
        if field.name == "status":
            found["status"] = np.array([str(one) for one in value])
        elif field.name == "settings":
            found |= {f"settings_{name}": _array(number) for name, number in value.items()}
        elif value is not None:
            found[field.name] = _array(value)
    return found


def _array(value: Any) -> Any:
    return value.detach().cpu().numpy() if isinstance(value, Tensor) else np.array(value)
