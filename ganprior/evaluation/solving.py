"""What a prior is worth to a solver: errors of few measurements, and how likely images are.

A prior that draws well may invert badly: what decides an error is how likely unseen images are
under it. Estimators that need no generator stand beside, where Gaussians of the same data are
shipped.
"""

from __future__ import annotations

import math
from typing import Any

from torch import Tensor

from ganprior.baselines import LMMSE, GaussianMixture
from ganprior.baselines.measured_rows import MOST_ROWS
from ganprior.evaluation.likelihood import log_likelihood
from ganprior.metrics import per_pixel_error
from ganprior.physics import Gaussian, add_noise
from ganprior.priors import GaussianMixtureLaw, Prior, gaussian_mixture_of
from ganprior.solution import Reconstructor
from ganprior.solvers import CSGM, MAP, ByLabel
from ganprior.streams import Streams, derive_seed

MEASUREMENTS = (25, 100, 300)
# sqrt(m) noise_std, as in Bora et al. (2017).
NOISE_LEVEL = 0.1


def solving_figures(
    prior: Prior, images: Tensor, *, measurements: tuple[int, ...] = MEASUREMENTS, seed: int = 0
) -> dict[str, Any]:
    """Errors of solvers with a prior on images, and how likely they are.

    Parameters
    ----------
    prior : Prior
        Unconditional, or of a mixture, whose generator is then searched too.
    images : Tensor
        (B, C, H, W) in [0, 1], such as neither the prior nor its density was fitted to.
    measurements : tuple of int
        Numbers of Gaussian measurements of each image; those above the number of its values are
        left out.
    seed : int
        Seed of A, noise and searches.

    Returns
    -------
    dict
        ``errors``, mean ||x^ - x||^2 / n by solver and number of measurements; with a density
        ``log_likelihood``, and where Gaussians of the data are shipped
        ``log_likelihood_of_mixture``, both means in nats per image.

    Raises
    ------
    ValueError
        If the images have another shape than the prior's.
    """
    n = math.prod(prior.image_shape)
    errors: dict[str, dict[str, float]] = {}
    for m in (number for number in measurements if number <= n):
        physics = Gaussian(m, prior.image_shape, derive_seed(seed, "solving") % 2**32).to(images)
        noise_std = NOISE_LEVEL / math.sqrt(m)
        y = add_noise(physics.A(images), noise_std, Streams(seed))
        for name, solver in _solvers(prior, noise_std).items():
            x = solver.solve(y, physics, rng=Streams(seed)).x
            errors.setdefault(name, {})[str(m)] = float(per_pixel_error(x, images).mean())
    return {"errors": errors, **_likelihoods(prior, images, seed)}


def _solvers(prior: Prior, noise_std: float) -> dict[str, Reconstructor]:
    """Solvers by their names, as far as the prior and its data have them."""

    def csgm(one: Prior) -> Reconstructor:
        return CSGM(one, noise_std=noise_std)

    found = {"csgm": ByLabel(prior, csgm) if prior.classes else csgm(prior)}
    if prior.density is not None:
        found["map"] = MAP(prior, noise_std)
    if (law := _shipped_law(prior)) is not None:
        found |= {
            "gaussian-mixture": GaussianMixture(law, noise_std),
            "lmmse": LMMSE(law, noise_std),
        }
    return found


def _likelihoods(prior: Prior, images: Tensor, seed: int) -> dict[str, float]:
    found = {}
    if prior.density is not None and images[0].numel() <= MOST_ROWS:
        found["log_likelihood"] = float(log_likelihood(prior, images, seed=seed).mean())
    if (law := _shipped_law(prior)) is not None:
        found["log_likelihood_of_mixture"] = float(law.log_density(images).mean())
    return found


def _shipped_law(prior: Prior) -> GaussianMixtureLaw | None:
    try:
        return gaussian_mixture_of(prior.card.get("data_sha256"))
    except ValueError:
        return None
