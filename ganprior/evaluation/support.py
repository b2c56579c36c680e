"""How many different images a prior draws, beside as many real ones, as a card has it."""

from __future__ import annotations

import math
from typing import Any

from torch import Tensor

from ganprior.metrics import Support, duplicate_distance, support_size


def support_figures(training: Tensor, fake: Tensor, real: Tensor) -> dict[str, Any]:
    """How many different images there are among samples, and among real images beside them.

    Parameters
    ----------
    training : Tensor
        Features of training images, which say what counts as the same image, (N, F).
    fake, real : Tensor
        Features of samples and of held-out images, (s, F) each.

    Returns
    -------
    dict
        ``support_estimate`` and ``real_support_estimate``, each with ``size``, ``low`` and ``high``
        (a 90% interval; None for infinite): see :func:`~ganprior.metrics.support.support_size`.
    """
    distance = duplicate_distance(training)
    return {
        "support_estimate": _bounds(support_size(fake, distance)),
        "real_support_estimate": _bounds(support_size(real, distance)),
    }


def _bounds(support: Support) -> dict[str, float | None]:
    found = {"size": support.size, "low": support.low, "high": support.high}
    return {key: value if math.isfinite(value) else None for key, value in found.items()}
