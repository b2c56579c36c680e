"""The bank as the signals' physics sees it: which entries are near, and what they say of z.

The nearest entry is a start. A better one is what the neighbours together say: the latents are
regressed on the measurements, linearly and for each signal on its own neighbourhood of the bank,
and the fit is evaluated at the signal. No generator is evaluated.

Local regression is that of W. S. Cleveland, "Robust locally weighted regression and smoothing
scatterplots", J. American Statistical Association 74, 1979, with equal weights inside of the
neighbourhood; the ridge that of A. E. Hoerl, R. W. Kennard, "Ridge regression: biased estimation
for nonorthogonal problems", Technometrics 12, 1970. With the neighbours as its ensemble, one step
of an ensemble Kalman inversion is such a regression too (M. A. Iglesias, K. J. H. Law,
A. M. Stuart, "Ensemble Kalman methods for inverse problems", Inverse Problems 29, 2013,
arXiv 1209.2736).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

# Number of principal components of the measurements, for each entry of the latent, that the
# regression uses. More of them improve the fit little, and its cost grows with their square.
COMPONENTS = 3
# Weight of the ridge in units of the mean variance of the components.
RIDGE = 0.1


@dataclass(frozen=True)
class Axes:
    """Centre (M,) and orthonormal directions (M, d) of measurements."""

    centre: Tensor
    directions: Tensor

    @classmethod
    def principal(cls, y: Tensor, count: int) -> Axes:
        """At most ``count`` principal directions of measurements (N, M)."""
        y = y.nan_to_num(0.0, 0.0, 0.0)  # entries that are not finite change no direction
        centre = y.mean(0)
        spread = y - centre
        if y.shape[1] <= count:
            return cls(centre, torch.eye(y.shape[1], dtype=y.dtype, device=y.device))
        # The smaller of the two Gram matrices gives the same directions; in float32 many equal
        # eigenvalues, as of measurements that are always zero, may keep eigh from converging.
        wide = y.shape[1] > len(y)
        gram = spread @ spread.T if wide else spread.T @ spread
        vectors = torch.linalg.eigh(gram.double())[1][:, -count:].to(y)
        return cls(centre, torch.linalg.qr(spread.T @ vectors)[0] if wide else vectors)

    def of(self, y: Tensor) -> Tensor:
        """Components (N, d) of measurements (N, M)."""
        return (y - self.centre) @ self.directions


@dataclass(frozen=True)
class Measured:
    """The bank's entries against B signals.

    Attributes
    ----------
    latents : Tensor
        (N, k).
    error : Tensor
        ||y - A x||^2, (N, B).
    regressed : Tensor
        Latents by regression on neighbourhoods of several sizes, (sizes, B, k).
    """

    latents: Tensor
    error: Tensor
    regressed: Tensor

    def best(self, count: int) -> Tensor:
        """Latents (count, B, k) of the nearest entries, nearest first; fewer of a small bank."""
        return self.latents[nearest(self.error, count)]


def nearest(error: Tensor, count: int) -> Tensor:
    """Numbers of the ``count`` smallest of N errors of each signal, (N, B) to int64 (count, B)."""
    error = torch.where(error.isfinite(), error, torch.inf)
    return error.topk(min(count, len(error)), dim=0, largest=False).indices


def regress(
    latents: Tensor,
    error: Tensor,
    features: Tensor,
    targets: Tensor,
    neighbourhoods: tuple[int, ...],
) -> Tensor:
    """Latents of B signals by ridge regression on their neighbourhoods.

    Parameters
    ----------
    latents : Tensor
        Of the bank's entries, (N, k).
    error : Tensor
        How far each entry is from each signal, (N, B).
    features : Tensor
        Components of the entries' measurements, (N, d).
    targets : Tensor
        Those of the signals, (B, d).
    neighbourhoods : tuple of int
        Sizes.

    Returns
    -------
    Tensor
        (sizes, B, k). Where the fit is not finite the nearest entry stands in.
    """
    numbers = nearest(error, max(neighbourhoods))
    parts = []
    # One signal at a time, so that its rounding is the same in any batch; it is hardly slower.
    for own, target in zip(numbers.unbind(1), targets.split(1), strict=True):
        x, z = features.index_select(0, own)[None], latents.index_select(0, own)[None]
        parts.append(_fits(x, z, target, neighbourhoods))
    fitted = torch.cat(parts, 1)
    return torch.where(fitted.isfinite().all(-1, keepdim=True), fitted, latents[numbers[:1]])


def _fits(x: Tensor, z: Tensor, target: Tensor, sizes: tuple[int, ...]) -> Tensor:
    """Regressions of z on x, evaluated at a target, on so many first rows for each size.

    From (B, N, k), (B, N, d) and (B, d) to (sizes, B, k).
    """
    sizes = tuple(min(size, x.shape[1]) for size in sizes)
    gram = x.new_zeros(len(x), x.shape[2], x.shape[2])
    done, fits = 0, {}
    for size in sorted(set(sizes)):
        # A larger neighbourhood contains the smaller ones: only the products of its additional
        # rows are computed.
        ring, done = x[:, done:size], size
        gram = torch.baddbmm(gram, ring.mT, ring)
        fits[size] = _fit(gram, x[:, :size], z[:, :size], target)
    return torch.stack([fits[size] for size in sizes])


def _fit(gram: Tensor, x: Tensor, z: Tensor, target: Tensor) -> Tensor:
    """Regression of z (B, n, k) on x (B, n, d), whose products x^T x are given, at a target.

    NaN where there is none.
    """
    centre, level = x.mean(1), z.mean(1)
    gram = torch.baddbmm(gram, centre[..., None], centre[:, None], alpha=-x.shape[1])
    diagonal = gram.diagonal(dim1=1, dim2=2)
    diagonal += RIDGE * diagonal.mean(1, keepdim=True) + torch.finfo(x.dtype).tiny
    # One system per signal, for what the neighbours weigh: latents have no part in it. By Cholesky,
    # not LU: after torch.set_num_threads(2) MKL's batched LU was seen to fail and to hang.
    factor, failed = torch.linalg.cholesky_ex(gram)
    w = torch.cholesky_solve((target - centre)[..., None], factor)
    weights = x @ w - centre[:, None] @ w
    fit = level + (weights.mT @ z - weights.sum(1, keepdim=True).mT * level[:, None])[:, 0]
    return torch.where(failed[:, None] == 0, fit, torch.nan)


def squared_distances(a: Tensor, b: Tensor) -> Tensor:
    """||a_i - b_j||^2, (N, B), of vectors (N, M) and (B, M), by one matrix product."""
    return a.square().sum(1)[:, None] - 2 * a @ b.T + b.square().sum(1)
