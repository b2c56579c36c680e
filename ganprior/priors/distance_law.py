"""How far measurements of a prior's own data are from what its density expects, from its card.

With T = ||y - A G(z^)||^2 + ||u||^2, y and A whitened and u the standardised latent, T has a
chi-square law of m degrees of freedom where the density is right and G is linear. No density is:
log(T / m) of images that it was not fitted to, measured without noise, has another mean, and a
spread that more measurements do not narrow down. The card states both at several m / k.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from scipy.special import stdtr
from torch import Tensor

from ganprior.priors.card_law import CardLaw

# Of the tail of log(T / m), which is heavier than a normal one: that of Student's t.
FREEDOM = 8


@dataclass(frozen=True)
class DistanceLaw(CardLaw):
    """T of one prior's own data.

    Attributes
    ----------
    measurements_per_latent_entry : tuple of float
        m / k at which T was measured, positive, rising.
    centre : tuple of float
        exp of the mean of log(T / m) at each of them.
    spread : tuple of float
        Standard deviation of log(T / m).
    """

    KEY: ClassVar[str] = "density"

    centre: tuple[float, ...]
    spread: tuple[float, ...]

    def p_value(self, square: Tensor, m: Tensor, latent_size: int) -> Tensor:
        """Probability of so large a T or a larger one, float64, (B,).

        The larger one of the law's and of the chi-square law's, which is what noise leaves.
        """
        centre, spread = self.between(m / latent_size, list(np.log(self.centre)), self.spread)
        away = (square / m).log() - centre
        scale = spread * math.sqrt((FREEDOM - 2) / FREEDOM)
        own = torch.from_numpy(stdtr(FREEDOM, -(away / scale).cpu().numpy())).to(square)
        return torch.maximum(own, torch.special.gammaincc(m.to(square) / 2, square / 2))
