"""Dense measurement matrices: the Gaussian one of compressed sensing, and a user's own."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from deepinv.physics import LinearPhysics
from torch import Tensor

from ganprior.physics.arguments import (
    LEAST_SQUARES,
    check_images,
    checked_count,
    checked_generator,
    checked_img_size,
    refuse_unknown,
)
from ganprior.physics.least_squares import least_norm_solution
from ganprior.physics.one_line import OneLine
from ganprior.registry import Count, register
from ganprior.streams import standard_normal


class Dense(OneLine, LinearPhysics):
    """Measurements y = A x by an explicit matrix.

    Parameters
    ----------
    matrix : Tensor
        A, (m, n) with n = C·H·W; any m, also above n.
    img_size : sequence of int
        (C, H, W) of the images.
    noise_model : deepinv noise model, optional
        What ``physics(x)`` adds to ``A(x)``; nothing when absent.

    Raises
    ------
    ValueError
        If the matrix has not two axes, no row, a number of columns other than n, or entries that
        are not finite real numbers.

    Examples
    --------
    >>> import torch
    >>> from ganprior import Dense
    >>> physics = Dense(torch.eye(784)[::2], (1, 28, 28))
    >>> physics(torch.ones(1, 1, 28, 28)).sum()
    tensor(392.)
    """

    matrix: Tensor

    def __init__(self, matrix: Tensor, img_size: Sequence[int], noise_model: Any = None) -> None:
        size = checked_img_size(img_size)
        n = math.prod(size)
        if matrix.dim() != 2 or matrix.shape[0] < 1 or matrix.shape[1] != n:
            raise ValueError(
                f"matrix must have shape (m, {n}) with m at least 1 for images of size {size}, "
                f"got {tuple(matrix.shape)}"
            )
        if not matrix.is_floating_point():
            raise ValueError(
                f"matrix must hold real floating-point numbers, got {matrix.dtype}; "
                "convert it with .float()"
            )
        # By the extremes, which show a NaN too: an isfinite mask of a large matrix costs a copy.
        if not torch.stack(torch.aminmax(matrix)).isfinite().all():
            raise ValueError("matrix holds NaN or infinite entries; remove them first")
        super().__init__(img_size=size, noise_model=noise_model)
        self.register_buffer("matrix", matrix)

    @property
    def m(self) -> int:
        """Number of measurements."""
        return self.matrix.shape[0]

    def A(self, x: Tensor, **noise: Any) -> Tensor:
        """Measurements (B, m) of images (B, C, H, W)."""
        refuse_unknown(self, noise)
        check_images(x, self.img_size)
        self._check_dtype("x", x)
        return x.flatten(1) @ self.matrix.T

    def A_adjoint(self, y: Tensor, **noise: Any) -> Tensor:
        """Aᵀ y, images (B, C, H, W), of measurements (B, m)."""
        refuse_unknown(self, noise)
        if y.dim() != 2 or y.shape[1] != self.m:
            raise ValueError(f"y must have shape (batch, {self.m}), got {tuple(y.shape)}")
        self._check_dtype("y", y)
        return (y @ self.matrix).reshape(-1, *self.img_size)

    def A_dagger(
        self, y: Tensor, max_iter: int = 1000, tol: float | None = None, **others: Any
    ) -> Tensor:
        """Apply A⁺: images (B, C, H, W) that solve A x = y in least squares with least norm.

        By conjugate gradients, with the arguments of
        :func:`ganprior.physics.least_squares.least_norm_solution`; no pseudo-inverse is formed.
        """
        refuse_unknown(self, others, *LEAST_SQUARES)
        return least_norm_solution(self.A, self.A_adjoint, y, max_iter=max_iter, tol=tol)

    def _check_dtype(self, name: str, signal: Tensor) -> None:
        if signal.dtype != self.matrix.dtype:
            raise ValueError(
                f"{name} is {signal.dtype} but the matrix is {self.matrix.dtype}; "
                f"convert one of them, for example physics.to({signal.dtype})"
            )


@register(
    "physics",
    "gaussian",
    "y = A x, entries of A drawn from N(0, 1/m)",
    Count("m", "number of measurements", example=100, required=True),
    random=True,
)
class Gaussian(Dense):
    """Gaussian measurements: y = A x with independent entries A_ij ~ N(0, 1/m).

    The measurement matrix of Bora, Jalal, Price, Dimakis 2017, "Compressed sensing using
    generative models" (arXiv 1703.03208), theorem 1.1. Unlike deepinv's ``CompressedSensing`` it
    forms no pseudo-inverse: m = 10,000 at n = 12,288 is built in seconds.

    Parameters
    ----------
    m : int
        Number of measurements, 1 to n = C·H·W.
    img_size : sequence of int
        (C, H, W) of the images.
    generator : torch.Generator or int, optional
        Generator of the entries on the CPU, or a seed; seed 0 when absent. They are drawn in
        float32 on the CPU whatever ``dtype`` and ``device``, so that A depends on it alone.
    dtype : torch.dtype
        Type that A is stored in, and that images must have.
    device : torch.device or str
        Where A is stored.
    noise_model : deepinv noise model, optional
        What ``physics(x)`` adds to ``A(x)``; nothing when absent.

    Raises
    ------
    ValueError
        If m is not between 1 and n, or there is not enough memory for A.

    Examples
    --------
    >>> import torch
    >>> from ganprior import Gaussian
    >>> physics = Gaussian(100, (1, 28, 28), 0)
    >>> physics(torch.zeros(5, 1, 28, 28)).shape
    torch.Size([5, 100])
    """

    def __init__(
        self,
        m: int,
        img_size: Sequence[int],
        generator: torch.Generator | int | None = None,
        dtype: torch.dtype = torch.float32,
        device: torch.device | str = "cpu",
        noise_model: Any = None,
    ) -> None:
        size = checked_img_size(img_size)
        remedy = "choose another m, or give a matrix of your own, which may have more rows"
        m, n = checked_count(m, size, remedy), math.prod(size)
        try:
            entries = standard_normal((m, n), checked_generator(generator))
        except (RuntimeError, MemoryError) as error:  # what torch's allocator raises, and NumPy's
            raise ValueError(
                f"a matrix of m={m} times n={n} entries takes {4 * m * n / 1e9:.1f} GB, which are "
                f"not to be had; take StructuredRows({m}, {size}), which needs no matrix"
            ) from error
        super().__init__(entries.div_(math.sqrt(m)).to(dtype), img_size, noise_model)
        self.to(device)

    @staticmethod
    def from_matrix(matrix: Tensor, img_size: Sequence[int], noise_model: Any = None) -> Dense:
        """Physics of a matrix of one's own, (m, n), also with m > n; see :class:`Dense`."""
        return Dense(matrix, img_size, noise_model)
