"""Float pixels, which must lie in [0, 1] or be missing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

# Resizing or weighing colours in float32 leaves [0, 1] by less; a step of 8 bits is 400 times that.
SLACK = 1e-5


def unit_floats(values: NDArray[Any], source: str | Path) -> NDArray[np.float32]:
    """Copy of floats as float32, what left [0, 1] by rounding clipped to it; NaN stays.

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
    pixels = np.array(values, dtype=np.float32, order="C")
    return np.clip(pixels, 0, 1, out=pixels)
