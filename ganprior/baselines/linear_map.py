"""The linear map B = A Psi that a Lasso sees: coefficients of a basis in, measurements out.

Everything is a matrix of rows here, one row per signal and real numbers only, whatever shape the
images and the measurements of the physics have.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import torch
from torch import Tensor

from ganprior.physics import Facts, facts
from ganprior.physics.probing import as_rows
from ganprior.solution import squared_norm
from ganprior.streams import derive_seed, standard_normal

# A dense A of at most this many entries is turned into A Psi once (64 MB in float32). A larger
# one is left as it is: its products then cost far more than the transforms that are saved.
FOLD_LIMIT = 2**24
POWER_STEPS = 40
# The power method approaches ||B||^2 from below. FISTA with full momentum is stable on a
# quadratic for steps up to 4 / (3 ||B||^2): this margin and the error of the power method after
# 40 steps (Kuczynski and Wozniakowski 1992: 0.871 log(n) / 39, 21% at n = 12,288 for the worst
# of all spectra, 1% for a Gaussian A) stay within it.
POWER_MARGIN = 1.05


class Basis(Protocol):
    """An orthonormal basis of images: ``synthesis`` inverts ``analysis`` and is its transpose."""

    def analysis(self, x: Tensor) -> Tensor:
        """Coefficients w = Psi^T x of images (B, C, H, W), in the same shape."""
        ...

    def synthesis(self, w: Tensor) -> Tensor:
        """Images x = Psi w of coefficients (B, C, H, W), in the same shape."""
        ...


class Pixels:
    """The basis of the pixels themselves: Psi is the identity."""

    def analysis(self, x: Tensor) -> Tensor:
        """Return the image."""
        return x

    def synthesis(self, w: Tensor) -> Tensor:
        """Return the image."""
        return w


@dataclass(frozen=True)
class LinearMap:
    """B and its transpose on rows.

    Attributes
    ----------
    forward : callable
        (B, n) coefficients to (B, m) measurements.
    transpose : callable
        (B, m) to (B, n).
    shared : bool
        True if every row meets the same matrix, so that rows may leave the batch.
    matrix : Tensor or None
        The matrix, (m, n), where it has been formed.
    """

    forward: Callable[[Tensor], Tensor]
    transpose: Callable[[Tensor], Tensor]
    shared: bool
    matrix: Tensor | None = None

    @classmethod
    def from_matrix(cls, matrix: Tensor) -> LinearMap:
        """Make w -> w @ matrix.T of a matrix (m, n), the same for every row."""
        return cls(lambda w: w @ matrix.T, lambda r: r @ matrix, shared=True, matrix=matrix)

    @classmethod
    def from_physics(
        cls, physics: Any, known: Facts, basis: Basis, y: Tensor, image: Tensor
    ) -> LinearMap:
        r"""Make A Psi of a linear physics.

        Parameters
        ----------
        physics : object
            With ``A`` and ``A_adjoint``.
        known : Facts
            What is known of it. Where it has a dense matrix the product of A and Psi is formed
            once.
        basis : Basis
            Psi.
        y : Tensor
            The batch of measurements, (B, \*measurement shape), real or complex.
        image : Tensor
            An image of each signal, (B, C, H, W): gives their shape and dtype.
        """
        matrix = known.matrix
        if matrix is not None and matrix.numel() <= FOLD_LIMIT:
            rows = matrix.reshape(-1, *image.shape[1:])
            return cls.from_matrix(basis.analysis(rows).flatten(1))

        def forward(w: Tensor) -> Tensor:
            return as_rows(physics.A(basis.synthesis(w.reshape(image.shape))))

        def transpose(r: Tensor) -> Tensor:
            pairs = r.reshape(*y.shape, 2) if y.is_complex() else r.reshape(y.shape)
            x = physics.A_adjoint(torch.view_as_complex(pairs) if y.is_complex() else pairs)
            return basis.analysis(x.real if x.is_complex() else x).flatten(1)

        # A may differ from image to image (masks): no row can leave the batch.
        return cls(forward, transpose, shared=False)

    def divided(self, unit: Tensor) -> LinearMap:
        """B divided by a number for each row, (B, 1): the same one where rows share a matrix."""
        if self.matrix is not None:
            return LinearMap.from_matrix(self.matrix / unit[0])
        return LinearMap(
            lambda w: self.forward(w) / unit, lambda r: self.transpose(r) / unit, self.shared
        )


def count_and_scale(physics: Any, images: Tensor) -> tuple[Tensor, Tensor]:
    """What weights follow: numbers measured of each image, and how large the columns of A are.

    Parameters
    ----------
    physics : object
        With ``A``; or what is known of it.
    images : Tensor
        (B, C, H, W): gives their shape, type and device.

    Returns
    -------
    m : Tensor
        int64, (B,).
    scale : Tensor
        Mean squared norm of the columns, positive, float64, (B,).
    """
    known = facts(physics, images.shape[1:], count=len(images), like=images)
    return known.m, known.scale


def normal_image(image: Tensor) -> Tensor:
    """Make a fixed random image for each signal, the same one, like ``image`` (B, C, H, W)."""
    rng = torch.Generator().manual_seed(derive_seed(0, "baselines"))
    return standard_normal((1, *image.shape[1:]), rng).to(image).expand_as(image)


def close(a: Tensor, b: Tensor) -> bool:
    """Whether two tensors agree but for rounding, to 1e-3 of their norm."""
    return bool((a - b).norm() <= 1e-3 * b.norm())


def squared_operator_norm(operator: LinearMap, start: Tensor) -> Tensor:
    """||B||^2 of every row's matrix by the power method, enlarged by a safety margin.

    Parameters
    ----------
    operator : LinearMap
        B.
    start : Tensor
        Random coefficients to start from, (B, n). They should be the same for every row: the
        result then does not depend on what else is in the batch.

    Returns
    -------
    Tensor
        Positive, (B, 1); (1, 1) where all rows share one matrix.
    """
    u = start[:1] if operator.shared else start
    tiny = torch.finfo(u.dtype).tiny
    for _ in range(POWER_STEPS):
        u = u / squared_norm(u).sqrt().clamp(min=tiny)[:, None]
        u = operator.transpose(operator.forward(u))
    # Of a B that is zero any bound will do but zero, by which FISTA divides.
    return (POWER_MARGIN * squared_norm(u).sqrt()).clamp(min=tiny)[:, None]
