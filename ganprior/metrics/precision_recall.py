"""Precision and recall of generated images.

T. Kynkäänniemi, T. Karras, S. Laine, J. Lehtinen, T. Aila, "Improved precision and recall metric
for assessing generative models", 2019, arXiv 1904.06991.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

from ganprior.metrics.features import check_features

# Rows of the table of distances that are in memory at once.
_CHUNK = 1000


class PrecisionRecall(NamedTuple):
    """Two shares, from 0 to 1.

    Attributes
    ----------
    precision : float
        Share of generated images that fall into the manifold of the real ones: are they good?
    recall : float
        Share of real images that fall into the manifold of the generated ones: are all there?
    """

    precision: float
    recall: float


def precision_recall(
    real_features: Tensor, fake_features: Tensor, neighbours: int = 3
) -> PrecisionRecall:
    """Precision and recall by equation 2, over manifolds made of balls (equation 1).

    The manifold of a set is the union of balls around its features, each reaching to the
    ``neighbours``-th nearest other feature of the set.

    Parameters
    ----------
    real_features, fake_features : Tensor
        Features of each set, (N, F) and (M, F); the paper takes as many of either.
    neighbours : int
        k of the paper, which sets it to 3.

    Returns
    -------
    PrecisionRecall
        Both NaN where a feature is not finite.

    Raises
    ------
    ValueError
        If ``neighbours`` is below 1, the features are not (N, F) and (M, F) with one F, or either
        set has no ``neighbours`` others.
    """
    if neighbours < 1:
        raise ValueError(f"neighbours must be at least 1, got {neighbours}")
    check_features(real_features, fake_features, least=neighbours + 1)
    # The distances come from inner products, whose cancellation double precision stands.
    real, fake = real_features.double(), fake_features.double()
    if not (real.isfinite().all() and fake.isfinite().all()):
        return PrecisionRecall(math.nan, math.nan)
    return PrecisionRecall(
        precision=_share_inside(fake, real, neighbours),
        recall=_share_inside(real, fake, neighbours),
    )


def _share_inside(points: Tensor, manifold: Tensor, neighbours: int) -> float:
    """Mean of f (equation 1) over the points."""
    radii = _radii(manifold, neighbours)
    inside = [(torch.cdist(part, manifold) <= radii).any(1) for part in points.split(_CHUNK)]
    return float(torch.cat(inside).double().mean())


def _radii(manifold: Tensor, neighbours: int) -> Tensor:
    # The nearest feature of all is the feature itself.
    parts = [
        torch.cdist(part, manifold).kthvalue(neighbours + 1, dim=1).values
        for part in manifold.split(_CHUNK)
    ]
    return torch.cat(parts)
