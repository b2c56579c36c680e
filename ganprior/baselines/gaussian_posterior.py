"""A Gaussian mixture of images, given linear measurements of them, with the matrix at hand.

For component j, N(mu_j, C_j), and y = A x + noise of variance s^2:

    C_y = A C_j A^T + s^2 I,    log p(y | j) = log N(y; A mu_j, C_y)
    E[x | y, j] = mu_j + C_j A^T C_y^-1 (y - A mu_j)
    Cov[x | y, j] = C_j - C_j A^T C_y^-1 A C_j

S. M. Kay, "Fundamentals of Statistical Signal Processing: Estimation Theory", 1993, equations
(10.28) and (10.29). p(j | y) is in proportion to w_j p(y | j), and the mean of the posterior is the
mean of the components' with these weights: G. Yu, G. Sapiro, S. Mallat 2012, arXiv 1006.3056, take
the best component alone, section III.

Everything is in float64. Without noise C_y may be singular: the diagonal of all of them is enlarged
alike, so that none gains by it, by what rounding amounts to, and further where a factorisation
still fails. That is a noise of 2e-6 of the size of y in float32, and 1e-6 in float64.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from ganprior.priors.gaussian_mixture_law import GaussianMixtureLaw

# Rounding of an entry of y that was summed from many, in units of the eps of its type.
ROUNDING = 16
# The least enlargement, relative to the variance of an entry of y: determinants of rows that repeat
# others are then right to 1e-3. Ten times as much each time that a factorisation fails.
LEAST, TRIES = 1e-12, 10


@dataclass(frozen=True)
class GaussianMixturePosterior:
    """What is known of the images after measuring; all float64, an entry per signal.

    Attributes
    ----------
    mean : Tensor
        E[x | y], (B, C, H, W).
    std : Tensor
        Standard deviation of every pixel, (B, C, H, W).
    log_evidence : Tensor
        log p(y), (B,): a density in the units of y, over the entries that respond to the image.
    component_weights : Tensor
        p(j | y), (B, K).
    """

    mean: Tensor
    std: Tensor
    log_evidence: Tensor
    component_weights: Tensor


@dataclass(frozen=True)
class Conditioned:
    """Mean images (B, n), variances of pixels (B, n) or None, log p(y, j), (B, K)."""

    mean: Tensor
    variance: Tensor | None
    log_joint: Tensor


@dataclass(frozen=True)
class _Measured:
    """A law as A sees it: A Psi^T in two parts, A D, and what the C_y have in common.

    ``size`` is the variance of each entry of y without the noise, over all components.
    """

    law: GaussianMixtureLaw
    first: Tensor
    rest: Tensor
    spread: Tensor
    common: Tensor
    size: Tensor

    @classmethod
    def of(cls, law: GaussianMixtureLaw, A: Tensor, noise_variance: float) -> _Measured:
        r = law.means.shape[1]
        first, rest = (A @ law.basis.T).split([r, len(law.variances)], dim=1)
        spread = A * law.diagonal
        common = (rest * law.variances) @ rest.T + spread @ A.T
        varying = (first @ law.one_gaussian().factors[0]).square().sum(1)
        size = common.diagonal() + varying
        common.diagonal().add_(noise_variance)
        return cls(law, first, rest, spread, common, size)

    def covariance_with_images(self, j: int) -> Tensor:
        """A C_j, (m, n)."""
        law, r = self.law, self.law.means.shape[1]
        full = (self.first @ law.factors[j]) @ law.factors[j].T @ law.basis[:r]
        return full + (self.rest * law.variances) @ law.basis[r:] + self.spread


def condition(
    law: GaussianMixtureLaw, A: Tensor, y: Tensor, noise_std: float, *, variance: bool = False
) -> Conditioned:
    """Condition on measurements that share one matrix and one noise: one factor per component.

    Parameters
    ----------
    law : GaussianMixtureLaw
        Law of the images.
    A : Tensor
        (m, n), float64, no row zero.
    y : Tensor
        (B, m), of the type in which it was measured.
    noise_std : float
        Standard deviation of each entry of y.
    variance : bool
        Whether to compute the variances too, which takes m^2 n for each component.
    """
    seen = _Measured.of(law, A, noise_std**2)
    jitter = max((ROUNDING * torch.finfo(y.dtype).eps) ** 2, LEAST)
    # (m, B): a column for every signal.
    away = (y.double() - A @ law.centre).T
    parts = _components(seen, away, jitter, variance)
    log_joint = torch.stack([part.log_evidence for part in parts], 1) + law.weights.log()
    weights = log_joint.softmax(1)
    coefficients = sum(w[:, None] * p.coefficients.T for w, p in zip(weights.T, parts, strict=True))
    dual = sum(w[:, None] * p.dual.T for w, p in zip(weights.T, parts, strict=True))
    rest = law.variances * (dual @ seen.rest)
    both = torch.cat([coefficients, rest], 1)
    mean = law.centre + both @ law.basis + dual @ seen.spread
    return Conditioned(mean, _variance(seen, parts, weights, mean) if variance else None, log_joint)


@dataclass(frozen=True)
class _Part:
    """One component: first coefficients (r, B), C_y^-1 (y - A mu) (m, B), variances (n,)."""

    coefficients: Tensor
    dual: Tensor
    log_evidence: Tensor
    variance: Tensor | None
    factorised: bool


def _components(seen: _Measured, away: Tensor, jitter: float, variance: bool) -> list[_Part]:
    """All components, their diagonals enlarged as little as will do for all of them."""
    for _ in range(TRIES):
        parts = [
            _component(seen, j, away, jitter * seen.size, variance)
            for j in range(len(seen.law.weights))
        ]
        if all(part.factorised for part in parts):
            break
        jitter *= 10
    return parts


def _component(seen: _Measured, j: int, away: Tensor, added: Tensor, variance: bool) -> _Part:
    law = seen.law
    loaded = seen.first @ law.factors[j]
    factor, failed = torch.linalg.cholesky_ex(seen.common + loaded @ loaded.T + torch.diag(added))
    residual = away - (seen.first @ law.means[j])[:, None]
    white = torch.linalg.solve_triangular(factor, residual, upper=False)
    dual = torch.linalg.solve_triangular(factor.T, white, upper=True)
    normalisation = factor.diagonal().log().sum() + len(away) / 2 * math.log(2 * math.pi)
    return _Part(
        coefficients=law.means[j][:, None] + law.factors[j] @ (loaded.T @ dual),
        dual=dual,
        log_evidence=-normalisation - white.square().sum(0) / 2,
        variance=_left(seen, j, factor) if variance else None,
        factorised=not failed,
    )


def _left(seen: _Measured, j: int, factor: Tensor) -> Tensor:
    """Diagonal of Cov[x | y, j], (n,)."""
    known = torch.linalg.solve_triangular(factor, seen.covariance_with_images(j), upper=False)
    left = seen.law.component(j).pixel_variances() - known.square().sum(0)
    return left.clamp(min=0)


def _variance(seen: _Measured, parts: list[_Part], weights: Tensor, mean: Tensor) -> Tensor:
    """Law of total variance: mean of the components' variances plus variance of their means."""
    total = torch.zeros_like(mean)
    for w, part in zip(weights.T, parts, strict=True):
        rest = seen.law.variances[:, None] * (seen.rest.T @ part.dual)
        own = torch.cat([part.coefficients, rest]).T @ seen.law.basis + part.dual.T @ seen.spread
        own += seen.law.centre
        assert part.variance is not None
        total += w[:, None] * ((own - mean).square() + part.variance)
    return total
