"""How far images of a prior's own data measure from what its density expects.

The numbers by which solvers tell images of another kind (:mod:`ganprior.priors.distance_law`), of
images that the density was not fitted to.
"""

from __future__ import annotations

import math

from torch import Tensor

from ganprior.physics import Gaussian
from ganprior.priors import Prior
from ganprior.priors.distance_law import DistanceLaw
from ganprior.solvers import MAP
from ganprior.streams import derive_seed

# Gaussian measurements per latent entry, as far as there are pixels.
MEASURED = (0.5, 2, 10)


def distance_law(prior: Prior, x: Tensor, seed: int = 0) -> DistanceLaw:
    """Measure images without noise, and see how far they are from what the prior expects.

    Parameters
    ----------
    prior : Prior
        With a density.
    x : Tensor
        Images in [0, 1], (N, C, H, W), at least 2, that the density was not fitted to.
    seed : int
        Seed of A.

    Raises
    ------
    ValueError
        If the prior has no density, or the images are of another shape or too few.
    """
    if len(x) < 2:
        raise ValueError(f"{len(x)} images are too few for a spread; give at least 2")
    k, n = prior.latent.size, math.prod(prior.image_shape)
    numbers = sorted({min(n, max(1, round(place * k))) for place in MEASURED})
    centres, spreads = [], []
    for m in numbers:
        physics = Gaussian(m, prior.image_shape, derive_seed(seed, "distances", m)).to(x)
        found = MAP(prior, 0.0).distances(physics.A(x), physics)
        logs = (found.square / found.m).log()
        centres.append(float(f"{float(logs.mean().exp()):.4g}"))
        # Of few images it may come out as next to nothing.
        spread = max(float(logs.std()), math.sqrt(2 / m))
        spreads.append(float(f"{spread:.4g}"))
    return DistanceLaw(tuple(m / k for m in numbers), tuple(centres), tuple(spreads))
