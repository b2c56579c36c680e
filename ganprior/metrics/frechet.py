"""Fréchet distance between two sets of images, seen through a feature extractor.

M. Heusel, H. Ramsauer, T. Unterthiner, B. Nessler, S. Hochreiter, "GANs trained by a two
time-scale update rule converge to a local Nash equilibrium", 2017, arXiv 1706.08500, equation 6.
Theirs are the features of an Inception network; here they are an argument, and distances of
different features do not compare.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ganprior.metrics.features import check_features


def frechet_distance(real_features: Tensor, fake_features: Tensor) -> float:
    """||m - m'||^2 + Tr(C + C' - 2 (C C')^(1/2)), the distance of two Gaussians (equation 6).

    The paper writes d^2 for it; it is called the distance ever since. Its estimate falls with
    the number of samples: compare figures of one number.

    Parameters
    ----------
    real_features, fake_features : Tensor
        Features of each set, (N, F) and (M, F), N and M at least 2.

    Returns
    -------
    float
        At least 0; NaN where a feature is not finite.

    Raises
    ------
    ValueError
        If the features are not (N, F) and (M, F) with one F, or either set has fewer than 2.
    """
    check_features(real_features, fake_features, least=2)
    real, fake = real_features.double(), fake_features.double()
    if not (real.isfinite().all() and fake.isfinite().all()):
        return math.nan
    shift = (real.mean(0) - fake.mean(0)).square().sum()
    cov_real, cov_fake = (_covariance(features) for features in (real, fake))
    # (C C')^(1/2) and the symmetric (R C' R)^(1/2) with R R = C have the same trace; the latter
    # needs no complex numbers, and a covariance of low rank does it no harm.
    root = _root(cov_real)
    overlap = torch.linalg.eigvalsh(root @ cov_fake @ root).clamp(min=0).sqrt().sum()
    distance = shift + cov_real.trace() + cov_fake.trace() - 2 * overlap
    return max(0.0, float(distance))


def _covariance(features: Tensor) -> Tensor:
    return torch.cov(features.T, correction=1).reshape(features.shape[1], -1)


def _root(matrix: Tensor) -> Tensor:
    """Square root of a symmetric matrix with no negative eigenvalues but by rounding."""
    values, vectors = torch.linalg.eigh(matrix)
    return (vectors * values.clamp(min=0).sqrt()) @ vectors.T
