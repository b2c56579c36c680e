"""A Gaussian mixture of images, given measurements whose matrix is too large to be held.

With x = centre + c Psi + e, e ~ N(0, D), and B = A Psi^T, what the coefficients leave of y has

    Sigma = A D A^T + s^2 I,

and by Woodbury's identity the posterior of c is that of q numbers: with S_j = T_j T_j^T,

    K_j = I + T_j^T B^T Sigma^-1 B T_j,
    E[c | y, j] = m_j + T_j K_j^-1 T_j^T B^T Sigma^-1 (y - A centre - B m_j),
    E[x | y] = centre + c Psi + D A^T Sigma^-1 (y - A centre - B c).

Sigma is diagonal for a mask and for whatever else measures no pixel twice; elsewhere its systems
are solved by conjugate gradients, q of them for the physics and two for each signal. Its
determinant is the same for all components: the weights need none. Where Sigma is diagonal the
evidence is whole, else it lacks that factor.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from ganprior.baselines.conjugate_gradients import conjugate_gradients
from ganprior.baselines.linear_map import LinearMap
from ganprior.priors.gaussian_mixture_law import GaussianMixtureLaw
from ganprior.progress import tell
from ganprior.solution import squared_norm

# Of conjugate gradients.
MOST_STEPS = 1000
# Rounding of a measurement, in units of eps.
ROUNDING = 16


@dataclass(frozen=True)
class WoodburySolution:
    """Mean images (B, n), log p(y, j) (B, K) (up to a constant), and whether CG converged (B,)."""

    mean: Tensor
    log_joint: Tensor
    converged: Tensor
    steps: Tensor


@dataclass(frozen=True)
class Sigma:
    """Sigma on rows (B, m): its product, its diagonal where it is diagonal, how it was solved."""

    product: Callable[[Tensor], Tensor]
    diagonal: Tensor | None

    @classmethod
    def of(cls, A: LinearMap, D: Tensor, variance: Tensor, y: Tensor) -> Sigma:
        """A D A^T + variance I of variances of pixels (n,) and of noise (B, 1), on rows like y."""

        def spread(v: Tensor) -> Tensor:
            return A.forward(D * A.transpose(v))

        sums = spread(torch.ones_like(y))
        rounding = (ROUNDING * torch.finfo(y.dtype).eps) ** 2
        size = sums.abs().mean(1, keepdim=True)
        variance = variance + torch.where(size > 0, rounding * size, 1)
        coins = torch.randn(y.shape[1], generator=torch.Generator().manual_seed(0)).to(y)
        found = spread(coins.expand_as(y))
        diagonal = (found - sums * coins).norm() <= 1e-4 * found.norm()
        return cls(lambda v: spread(v) + variance * v, sums + variance if diagonal else None)

    def solve(self, v: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Sigma^-1 v, whether each row converged, and the steps taken."""
        if self.diagonal is not None:
            fine = torch.ones_like(v[:, 0], dtype=torch.bool)
            return v / self.diagonal, fine, fine.long()
        tolerance = math.sqrt(torch.finfo(v.dtype).eps)
        return conjugate_gradients(self.product, v, tolerance=tolerance, max_steps=MOST_STEPS)


def condition_by_woodbury(
    law: GaussianMixtureLaw, A: LinearMap, y: Tensor, noise_std: Tensor, *, alike: bool
) -> WoodburySolution:
    """Condition on measurements of any linear physics.

    Parameters
    ----------
    law : GaussianMixtureLaw
        Law of the images.
    A : LinearMap
        The physics on rows of pixels.
    y : Tensor
        (B, m).
    noise_std : Tensor
        Of each signal, (B,).
    alike : bool
        Whether all signals meet the same matrix and noise.
    """
    D, centre, basis = law.diagonal.to(y), law.centre.to(y), law.basis.to(y)
    sigma = Sigma.of(A, D, noise_std.to(y).square()[:, None], y)
    away = y - A.forward(centre.expand(len(y), -1))
    white, fine, steps = sigma.solve(away)
    gram = _gram(A, sigma, basis, y, alike).double()
    correlation = (A.transpose(white) @ basis.T).double()
    energy = (away * white).double().sum(1)
    found = [_component(law, j, gram, correlation, energy) for j in range(len(law.weights))]
    log_joint = torch.stack([log for _, log in found], 1) + law.weights.log()
    weights = log_joint.softmax(1)
    c = sum(w[:, None] * own for w, (own, _) in zip(weights.T, found, strict=True))
    log_joint = log_joint - _constant(sigma, A, y)[:, None] / 2
    left, also, more = sigma.solve(away - A.forward(c.to(y) @ basis))
    mean = centre + c.to(y) @ basis + D * A.transpose(left)
    return WoodburySolution(mean, log_joint, fine & also, steps + more)


def _gram(A: LinearMap, sigma: Sigma, basis: Tensor, y: Tensor, alike: bool) -> Tensor:
    """B^T Sigma^-1 B, (1 or B, q, q): for a row of Psi at a time, or one for each signal."""
    rows, places = [], torch.arange(len(y), device=y.device)
    for first in range(0, len(basis), len(y) if alike else 1):
        asked = basis[(first + alike * places).clamp(max=len(basis) - 1)]
        solved = A.transpose(sigma.solve(A.forward(asked))[0]) @ basis.T
        tell(min(first + len(asked), len(basis)), len(basis))
        rows.append(solved[None, : len(basis) - first] if alike else solved[:, None])
    gram = torch.cat(rows, 1)
    return (gram + gram.mT) / 2


def _component(
    law: GaussianMixtureLaw, j: int, gram: Tensor, correlation: Tensor, energy: Tensor
) -> tuple[Tensor, Tensor]:
    """E[c | y, j], (B, q), and log p(y | j) without what all components share, (B,)."""
    r, q = law.means.shape[1], len(law.basis)
    root = law.component(j).square_roots()[0]
    mean = torch.cat([law.means[j], law.means.new_zeros(q - r)])
    pulled = gram @ mean
    square = energy - 2 * correlation @ mean + pulled @ mean
    K = torch.eye(q).to(root) + root.T @ gram @ root
    factor = torch.linalg.cholesky(K)
    right = ((correlation - pulled) @ root)[..., None]
    white = torch.linalg.solve_triangular(factor, right, upper=False)
    solved = torch.linalg.solve_triangular(factor.mT, white, upper=True)[..., 0]
    log_determinant = factor.diagonal(dim1=-2, dim2=-1).log().sum(-1)
    return mean + solved @ root.T, -log_determinant - (square - squared_norm(white)) / 2


def _constant(sigma: Sigma, A: LinearMap, y: Tensor) -> Tensor:
    """log det(2 pi Sigma) over the entries that respond, (B,); 0 where it is out of reach."""
    if sigma.diagonal is None:
        return torch.zeros_like(y[:, 0]).double()
    coins = torch.randn(A.transpose(y).shape[1], generator=torch.Generator().manual_seed(0)).to(y)
    seen = A.forward(coins.expand(len(y), -1)).abs()
    responds = seen > ROUNDING * torch.finfo(y.dtype).eps * seen.amax(1, keepdim=True)
    logs = (2 * math.pi * sigma.diagonal.double()).log()
    return torch.where(responds, logs, 0).sum(1)
