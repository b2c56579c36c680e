"""How many different images a generator draws, by the birthday paradox.

Among s draws from N equally likely images s (s - 1) / (2 N) pairs are expected to be the same
image. S. Arora, Y. Zhang, "Do GANs actually learn the distribution? An empirical study", 2017,
arXiv 1706.08224, section 2, look for the batch size s at which half of the batches hold a
duplicate, which people confirm by eye. Here the pairs of one large batch are counted, and two
images are the same where their features are nearer than hardly any two training images are.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

# Images compared with all others at once.
_CHUNK = 1000
# Share of training images that have another one as near as what counts as the same image.
SHARE = 0.001
ROUNDING = 1e-7


@dataclass(frozen=True)
class Support:
    """How many images there seem to be.

    Attributes
    ----------
    images : int
        s, images compared.
    pairs : int
        Pairs of them that are the same image.
    size : float
        s (s - 1) / (2 pairs): for N equally likely images an estimate of N, in general of
        1 / sum of p_i^2; infinite without any pair.
    low, high : float
        Its 90% interval, as far as the number of pairs has a Poisson law.
    """

    images: int
    pairs: int
    size: float
    low: float
    high: float


def duplicate_distance(features: Tensor, *, share: float = SHARE) -> float:
    """Distance below which two images count as the same one.

    Parameters
    ----------
    features : Tensor
        Of different real images, (N, F), N at least 2; the more, the smaller the distance.
    share : float
        Share of these images whose nearest other one lies within the distance, in (0, 1).

    Raises
    ------
    ValueError
        If there are fewer than two images, or the share is out of range.
    """
    if features.dim() != 2 or len(features) < 2:
        raise ValueError(
            f"features must be (N, F) of two or more images, got {tuple(features.shape)}"
        )
    if not 0 < share < 1:
        raise ValueError(f"share must be between 0 and 1, got {share}")
    nearest = torch.cat([apart.amin(1) for apart in _distances(features, whole=True)])
    return float(nearest.quantile(share))


def support_size(features: Tensor, distance: float) -> Support:
    """Estimate the number of different images from the pairs of a batch that are the same.

    Parameters
    ----------
    features : Tensor
        Of the drawn images, (s, F), s at least 2.
    distance : float
        Pairs nearer than this are the same image; see :func:`duplicate_distance`.

    Raises
    ------
    ValueError
        If there are fewer than two images, or the distance is negative or not a number.
    """
    if features.dim() != 2 or len(features) < 2:
        raise ValueError(
            f"features must be (s, F) of two or more images, got {tuple(features.shape)}"
        )
    if not distance >= 0:
        raise ValueError(f"distance must be 0 or more, got {distance}")
    # By products of matrices the distance of equal images comes out as the root of a rounding.
    reach = distance + ROUNDING * float(features.double().norm(dim=1).amax())
    pairs = sum(int((apart <= reach).sum()) for apart in _distances(features, whole=False))
    least, most = _poisson_interval(pairs)
    possible = len(features) * (len(features) - 1) / 2
    return Support(
        images=len(features),
        pairs=pairs,
        size=possible / pairs if pairs else math.inf,
        low=possible / most,
        high=possible / least if least else math.inf,
    )


def _distances(features: Tensor, *, whole: bool) -> Iterator[Tensor]:
    """Distances of a chunk of images from all others, or from those that follow it.

    Those that are left out are infinite: where only later ones count, each pair is met once.
    """
    points = features.double()
    for start in range(0, len(points), _CHUNK):
        apart = torch.cdist(points[start : start + _CHUNK], points)
        place = torch.arange(start, start + len(apart))[:, None]
        others = torch.arange(len(points))[None]
        yield apart.masked_fill(others == place if whole else others <= place, torch.inf)


def _poisson_interval(count: int) -> tuple[float, float]:
    """Exact 90% interval of the mean of a Poisson law of which ``count`` was drawn."""
    from scipy.stats import chi2

    least = float(chi2.ppf(0.05, 2 * count)) / 2 if count else 0.0
    return least, float(chi2.ppf(0.95, 2 * count + 2)) / 2
