"""What a prior can represent: the latents whose images are nearest to given ones.

Projection in A. Bora, A. Jalal, E. Price, A. G. Dimakis, "Compressed Sensing using Generative
Models", 2017, arXiv 1703.03208, section 6: CSGM with A = I and lambda = 0. It needs a solver,
which is why it stands here and not among the metrics.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ganprior.metrics import per_pixel_error
from ganprior.priors import Prior
from ganprior.solution import Reconstructor
from ganprior.solvers import BALANCED, CSGM, ByLabel, Effort
from ganprior.streams import Streams


def representation_error(
    prior: Prior,
    images: Tensor,
    labels: Tensor | None = None,
    *,
    effort: Effort = BALANCED,
    seed: int = 0,
) -> Tensor:
    """||G(z) - x||^2 / n at the best z that CSGM finds, per image: the floor of every solver.

    Parameters
    ----------
    prior : Prior
        Supplies G; a conditional one is that of each image's class, a mixture's generator the one
        that comes nearest to it.
    images : Tensor
        (N, C, H, W) in [0, 1], on the prior's device.
    labels : Tensor, optional
        Classes of the images, int64 (N,); a conditional prior needs them, a mixture none.
    effort : Effort
        Of each fit.
    seed : int
        Seed of the starts.

    Returns
    -------
    Tensor
        (N,).

    Raises
    ------
    ValueError
        If the prior is conditional and there are no labels.
    """
    if prior.component_weights is not None:
        return per_pixel_error(_nearest(prior, images, effort, seed), images)
    z_of = fit_latents(prior, images, labels, effort=effort, seed=seed)
    own = labels.to(images.device) if prior.classes and labels is not None else None
    return per_pixel_error(prior.render(z_of, own), images)


def _nearest(prior: Prior, images: Tensor, effort: Effort, seed: int) -> Tensor:
    """Images of a mixture that are nearest to given ones, of whichever generator."""
    # Imported here: it takes seconds.
    from ganprior.physics import identity

    def fitted(one: Prior) -> Reconstructor:
        return CSGM(one, 0.0, effort=effort)

    return ByLabel(prior, fitted).solve(images, identity(), rng=Streams(seed)).x


def fit_latents(
    prior: Prior,
    images: Tensor,
    labels: Tensor | None = None,
    *,
    effort: Effort = BALANCED,
    seed: int = 0,
) -> Tensor:
    """Latents whose images are nearest to given ones, (N, *latent shape).

    Parameters, errors
        As for :func:`representation_error`.
    """
    # Imported here: it takes seconds.
    from ganprior.physics import identity

    if not prior.classes:
        z = CSGM(prior, 0.0, effort=effort).solve(images, identity(), rng=Streams(seed)).z
        assert z is not None
        return z
    if labels is None:
        raise ValueError(
            "a conditional prior is fitted to images by their labels, and there are none; give "
            "labelled images"
        )
    labels = labels.to(images.device)
    found = torch.empty(len(images), *prior.latent.shape, device=images.device)
    for label in labels.unique().tolist():
        places = (labels == label).nonzero().flatten()
        solver = CSGM(prior.given(label), 0.0, effort=effort)
        streams = Streams(seed, places.tolist())
        z = solver.solve(images[places], identity(), rng=streams).z
        assert z is not None
        found[places] = z
    return found
