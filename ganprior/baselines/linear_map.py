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

from ganprior.solution import squared_norm
from ganprior.streams import standard_normal

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
    def from_physics(cls, physics: Any, basis: Basis, y: Tensor, image: Tensor) -> LinearMap:
        r"""Make A Psi of a linear physics.

        Parameters
        ----------
        physics : object
            With ``A`` and ``A_adjoint``. Where it has a dense ``matrix`` (see
            :func:`dense_matrix`) the product of A and Psi is formed once.
        basis : Basis
            Psi.
        y : Tensor
            The batch of measurements, (B, \*measurement shape), real or complex.
        image : Tensor
            An image of each signal, (B, C, H, W): gives their shape and dtype.
        """
        matrix = dense_matrix(physics, image)
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


def dense_matrix(physics: Any, image: Tensor) -> Tensor | None:
    """``physics.matrix``, (m, n), where A(x) is ``x.flatten(1) @ matrix.T``; None elsewhere."""
    matrix = getattr(physics, "matrix", None)
    if not isinstance(matrix, Tensor) or matrix.dtype != image.dtype:
        return None
    if matrix.ndim != 2 or matrix.shape[1] != image.shape[1:].numel():
        return None
    # A physics may call something else its matrix: believe it only if it measures the same.
    x = probe(image)
    measured = as_rows(physics.A(x))
    expected = (x[:1].flatten(1) @ matrix.T).expand(len(x), -1)
    return matrix if measured.shape == expected.shape and close(measured, expected) else None


def count_and_scale(physics: Any, image: Tensor) -> tuple[Tensor, Tensor]:
    """Count the measurements of each image, and estimate how large the columns of A are.

    Parameters
    ----------
    physics : object
        With ``A``.
    image : Tensor
        (B, C, H, W): the shape, dtype and device of the images.

    Returns
    -------
    m : Tensor
        Entries of A(x) that are not identically zero, as those of a masked pixel are; at least 1,
        (B,).
    scale : Tensor
        Mean squared norm of the columns of A, positive, float64, (B,): exact for a dense matrix,
        else to about sqrt(2 / m), from one random image.
    """
    x = probe(image)
    y = as_rows(physics.A(x)).double()
    matrix = dense_matrix(physics, image)
    if matrix is None:
        scale = squared_norm(y) / squared_norm(x.double())
    else:
        scale = (matrix.norm().double().square() / matrix.shape[1]).expand(len(image))
    return (y != 0).sum(1).clamp(min=1), torch.where(scale > 0, scale, 1)


def probe(image: Tensor) -> Tensor:
    """Make a fixed random image for each signal, the same one, like ``image`` (B, C, H, W)."""
    pixels = standard_normal((1, *image.shape[1:]), torch.Generator().manual_seed(0))
    return pixels.to(image).expand_as(image)


def close(a: Tensor, b: Tensor) -> bool:
    """Whether two tensors agree but for rounding, to 1e-3 of their norm."""
    return bool((a - b).norm() <= 1e-3 * b.norm())


def as_rows(y: Tensor) -> Tensor:
    """Measurements as real rows (B, m); a complex entry becomes two real ones."""
    return (torch.view_as_real(y) if y.is_complex() else y).flatten(1)


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
