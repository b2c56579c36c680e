"""A law of images without a generator: a mixture of Gaussians, each low rank plus diagonal.

    x = centre + c Psi + e,    c ~ sum over j of w_j N(m_j, S_j),    e ~ N(0, D)

The rows of Psi, (q, n), are principal components. S_j is full on the first r of them and the same
diagonal for all j on the others; D is a diagonal in pixels. G. Yu, G. Sapiro, S. Mallat, "Solving
inverse problems with piecewise linear estimators: from Gaussian mixture models to structured
sparsity", IEEE Transactions on Image Processing 21(5), 2012, arXiv 1006.3056; low rank plus
diagonal as in M. E. Tipping, C. M. Bishop, "Mixtures of probabilistic principal component
analysers", Neural Computation 11(2), 1999.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor

TENSORS = ("weights", "centre", "basis", "means", "factors", "variances", "diagonal")


@dataclass(frozen=True, eq=False)
class GaussianMixtureLaw:
    """Mixture of K Gaussians of images in [0, 1] with n values; all tensors are float64.

    Attributes
    ----------
    image_shape : tuple of int
        (C, H, W), n = C H W.
    weights : Tensor
        w, positive, of sum 1, (K,).
    centre : Tensor
        Image that coefficients are counted from, (n,).
    basis : Tensor
        Psi, (q, n).
    means : Tensor
        m_j on the first r rows of Psi, (K, r); they are 0 on the others.
    factors : Tensor
        Lower Cholesky factors of S_j on the first r rows of Psi, (K, r, r).
    variances : Tensor
        Diagonal of every S_j on the other rows, at least 0, (q - r,).
    diagonal : Tensor
        Diagonal of D, positive, (n,).
    card : dict
        What is known about it: ``data`` with ``data_sha256`` and ``licence``, how it was fitted,
        its held-out log density. A loaded one's also says ``weights_sha256``.

    Raises
    ------
    ValueError
        If the shapes do not fit together, or a weight or an entry of the diagonal is not positive.
    """

    image_shape: tuple[int, int, int]
    weights: Tensor
    centre: Tensor
    basis: Tensor
    means: Tensor
    factors: Tensor
    variances: Tensor
    diagonal: Tensor
    card: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        n, (count, r) = math.prod(self.image_shape), self.means.shape
        expected = {
            "weights": (count,),
            "centre": (n,),
            "basis": (r + len(self.variances), n),
            "factors": (count, r, r),
            "diagonal": (n,),
        }
        for name, shape in expected.items():
            if tuple(getattr(self, name).shape) != shape:
                found = tuple(getattr(self, name).shape)
                raise ValueError(f"{name} has shape {found} where the others need {shape}")
        if not (self.weights > 0).all() or not (self.diagonal > 0).all():
            raise ValueError("weights and diagonal must be positive")

    def to(self, device: torch.device) -> GaussianMixtureLaw:
        """Copy to a device."""
        tensors = {name: getattr(self, name).to(device) for name in TENSORS}
        return replace(self, **tensors)

    def component_means(self) -> Tensor:
        """Mean image of every component, (K, n)."""
        return self.centre + self.means @ self.basis[: self.means.shape[1]]

    def mean(self) -> Tensor:
        """Mean image, (n,)."""
        return self.weights @ self.component_means()

    def pixel_variances(self) -> Tensor:
        """Variance of every pixel, (n,)."""
        one = self.one_gaussian()
        rows = one.factors[0].T @ one.basis[: one.means.shape[1]]
        rest = one.basis[one.means.shape[1] :]
        return rows.square().sum(0) + one.variances @ rest.square() + one.diagonal

    def one_gaussian(self) -> GaussianMixtureLaw:
        """The Gaussian of the same mean and covariance: a mixture of one component."""
        if len(self.weights) == 1:
            return self
        mean = self.weights @ self.means
        away = self.means - mean
        covariance = torch.einsum("k,kij,klj->il", self.weights, self.factors, self.factors)
        covariance += (self.weights[:, None] * away).T @ away
        return replace(
            self,
            weights=torch.ones_like(self.weights[:1]),
            means=mean[None],
            factors=torch.linalg.cholesky(covariance)[None],
        )

    def component(self, index: int) -> GaussianMixtureLaw:
        """One of the Gaussians alone."""
        part = slice(index, index + 1)
        return replace(
            self,
            weights=torch.ones_like(self.weights[part]),
            means=self.means[part],
            factors=self.factors[part],
        )

    def square_roots(self) -> Tensor:
        """T_j with S_j = T_j T_j^T, lower triangular, (K, q, q)."""
        rest = torch.diag_embed(self.variances.sqrt()).expand(len(self.weights), -1, -1)
        r, q = self.means.shape[1], len(self.basis)
        roots = self.factors.new_zeros(len(self.weights), q, q)
        roots[:, :r, :r], roots[:, r:, r:] = self.factors, rest
        return roots

    def sample(self, count: int, rng: torch.Generator) -> Tensor:
        """Draw images, float64, (count, C, H, W); not clipped to [0, 1].

        Parameters
        ----------
        count : int
            How many.
        rng : torch.Generator
            CPU generator.
        """
        drawn = torch.multinomial(self.weights, count, replacement=True, generator=rng)
        q, n = self.basis.shape
        normal = torch.randn(count, q + n, generator=rng, dtype=torch.float64)
        r = self.means.shape[1]
        first = self.means[drawn] + torch.einsum("bij,bj->bi", self.factors[drawn], normal[:, :r])
        rest = self.variances.sqrt() * normal[:, r:q]
        x = self.centre + torch.cat([first, rest], 1) @ self.basis
        return (x + self.diagonal.sqrt() * normal[:, q:]).reshape(count, *self.image_shape)

    def log_density(self, x: Tensor) -> Tensor:
        """log p(x) of images (B, C, H, W), float64, (B,).

        By the matrix determinant lemma and Woodbury's identity on Psi: q x q matrices alone.

        Raises
        ------
        ValueError
            If the images have another shape than those of the law.
        """
        if tuple(x.shape[1:]) != self.image_shape:
            raise ValueError(f"x has images of size {tuple(x.shape[1:])}, not {self.image_shape}")
        away = x.flatten(1).double() - self.centre
        weighted = self.basis / self.diagonal
        gram, correlation = weighted @ self.basis.T, away @ weighted.T
        constant = len(self.centre) * math.log(2 * math.pi) + self.diagonal.log().sum()
        energy = (away.square() / self.diagonal).sum(1)
        logs = [self._log_component(j, gram, correlation, energy) for j in range(len(self.weights))]
        return torch.logsumexp(torch.stack(logs) + self.weights.log()[:, None], 0) - constant / 2

    def _log_component(self, j: int, gram: Tensor, correlation: Tensor, energy: Tensor) -> Tensor:
        """Log density of a component without the factors that it shares with the others, (B,)."""
        part = self.component(j)
        root, r = part.square_roots()[0], self.means.shape[1]
        mean = self.means[j]
        # Of x - centre - m Psi: its product with Psi / D, and its norm in units of D.
        moved = correlation - mean @ gram[:r]
        square = energy - 2 * correlation[:, :r] @ mean + mean @ gram[:r, :r] @ mean
        factor = torch.linalg.cholesky(torch.eye(len(root)).to(root) + root.T @ gram @ root)
        explained = torch.linalg.solve_triangular(factor, (moved @ root).T, upper=False)
        return -factor.diagonal().log().sum() - (square - explained.square().sum(0)) / 2
