"""Methods without a generator whose weight is tuned along a path, by the name that figures have."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from ganprior import LassoDCT, LassoPixel, LassoWavelet, Reconstructor, TotalVariation

BOX: dict[str, Any] = {"box": True, "tolerance": 1e-3}
UNTRAINED: dict[str, Callable[..., Reconstructor]] = {
    "lasso-dct": LassoDCT,
    "lasso-wavelet": partial(LassoWavelet, "db1"),
    "lasso-pixel": LassoPixel,
    "lasso-dct-frequency": partial(LassoDCT, weights="frequency"),
    "lasso-dct-frequency-box": partial(LassoDCT, weights="frequency", **BOX),
    "lasso-dct-box": partial(LassoDCT, **BOX),
    "lasso-wavelet-box": partial(LassoWavelet, "db1", **BOX),
    "lasso-pixel-box": partial(LassoPixel, **BOX),
    "tv": TotalVariation,
}
LASSOS = ("lasso-dct", "lasso-wavelet", "lasso-pixel")
