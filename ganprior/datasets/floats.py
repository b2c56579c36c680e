"""Float pixels, which must lie in [0, 1] or be missing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ganprior.datasets.room import CHUNK, plain, room

# Resizing or weighing colours in float32 leaves [0, 1] by less; a step of 8 bits is 400 times that.
SLACK = 1e-5


def unit_floats(values: NDArray[Any], source: str | Path) -> NDArray[np.float32]:
    """Floats as float32, what left [0, 1] by rounding clipped to it; NaN stays.

    They are the values themselves where nothing has to be done.

    Parameters
    ----------
    values : array
        Floats of any size and shape, with at least one entry.
    source : str or Path
        Where they are from, for the error.

    Raises
    ------
    ValueError
        If one is infinite, or outside [0, 1] by more than 1e-5 and by more than one rounding of
        its type.
    """
    low = float(np.fmin.reduce(values, axis=None))
    high = float(np.fmax.reduce(values, axis=None))
    if np.isinf(low) or np.isinf(high):
        raise ValueError(f"{source} holds infinite pixels; remove or replace them")
    slack = max(SLACK, float(np.finfo(values.dtype).eps))
    if low < -slack or high > 1 + slack:
        raise ValueError(
            f"{source}: float images must lie in [0, 1], got {low:g} to {high:g}; rescale them"
        )
    if values.dtype == np.float32 and values.dtype.isnative and 0 <= low <= high <= 1:
        return plain(values)
    pixels = room(values.shape, np.float32)
    for first in range(0, len(values), CHUNK):
        part = pixels[first : first + CHUNK]
        part[...] = values[first : first + CHUNK]
        np.clip(part, 0, 1, out=part)
    return pixels
