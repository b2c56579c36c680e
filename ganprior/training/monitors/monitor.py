"""What a monitor is: it looks at a run now and then and gives columns of ``monitors.csv``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from ganprior.priors import Prior


@dataclass(frozen=True)
class Snapshot:
    """A run as monitors see it.

    Attributes
    ----------
    step : int
        Generator steps so far.
    prior : Prior
        The averaged generator as it would ship, on the CPU, in eval mode.
    real : Tensor
        Validation images in [0, 1], (N, C, H, W), none of which was trained on.
    rng : torch.Generator
        CPU generator for latents, the same state at every snapshot: figures of two steps then
        differ by the run alone.
    """

    step: int
    prior: Prior
    real: Tensor
    rng: torch.Generator


class Monitor(Protocol):
    """Something that measures a snapshot."""

    def __call__(self, run: Snapshot, /) -> dict[str, float]:
        """Columns of one row, by name."""
        ...
