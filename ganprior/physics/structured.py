"""Structured random measurements: Gaussian-like, without a matrix."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from deepinv.physics import StructuredRandom
from torch import Tensor

from ganprior.physics.arguments import (
    LEAST_SQUARES,
    check_images,
    checked_count,
    checked_generator,
    checked_img_size,
    refuse_unknown,
)
from ganprior.physics.cosine import cosine_matrix
from ganprior.physics.one_line import OneLine
from ganprior.registry import Count, register
from ganprior.streams import uniform


@register(
    "physics",
    "structured",
    "m coefficients, drawn at random, of a randomised cosine transform",
    Count("m", "number of measurements", example=100, required=True),
    random=True,
)
class StructuredRows(OneLine, StructuredRandom):
    """Random rows of a randomised orthonormal transform: y = √(n/m) D F R x.

    R flips the signs of the pixels at random, F is the orthonormal cosine transform over
    channels, height and width, D keeps m of the n coefficients. The entries of A have mean square
    1/m, as those of a Gaussian matrix, and A Aᵀ = (n/m) I. (The subsampled randomised transform of
    Do, Gan, Nguyen, Tran 2012, "Fast and efficient compressive sensing using structurally random
    matrices", equation 1.) deepinv's ``StructuredRandom`` makes F R of equal size; its output size
    would crop the image of coefficients and not count them.

    Parameters
    ----------
    m : int
        Number of measurements, 1 to n = C·H·W.
    img_size : sequence of int
        (C, H, W) of the images.
    generator : torch.Generator or int, optional
        Generator of signs and rows on the CPU, or a seed; seed 0 when absent.
    noise_model : deepinv noise model, optional
        What ``physics(x)`` adds to ``A(x)``; nothing when absent.

    Raises
    ------
    ValueError
        If m is not between 1 and n.

    Examples
    --------
    >>> import torch
    >>> from ganprior import StructuredRows
    >>> StructuredRows(100, (1, 28, 28), 0)(torch.ones(1, 1, 28, 28)).shape
    torch.Size([1, 100])
    """

    rows: Tensor

    def __init__(
        self,
        m: int,
        img_size: Sequence[int],
        generator: torch.Generator | int | None = None,
        noise_model: Any = None,
    ) -> None:
        size = checked_img_size(img_size)
        m, n = checked_count(m, size, "choose another m"), math.prod(size)
        generator = checked_generator(generator)
        super().__init__(
            img_size=size,
            output_size=size,
            transform_func=cosine_transform,
            transform_func_inv=inverse_cosine_transform,
            diagonals=[torch.where(uniform(size, generator) > 0.5, -1.0, 1.0).float()],
            noise_model=noise_model,
        )
        self.scale = math.sqrt(n / m)
        self.register_buffer("rows", torch.randperm(n, generator=generator)[:m].sort().values)

    @property
    def m(self) -> int:
        """Number of measurements."""
        return self.rows.numel()

    def A(self, x: Tensor, **noise: Any) -> Tensor:
        """Measurements (B, m) of images (B, C, H, W)."""
        refuse_unknown(self, noise)
        check_images(x, self.img_size)
        return self.scale * super().A(x).flatten(1)[:, self.rows]

    def A_adjoint(self, y: Tensor, **noise: Any) -> Tensor:
        """Aᵀ y, images (B, C, H, W), of measurements (B, m)."""
        refuse_unknown(self, noise)
        if y.dim() != 2 or y.shape[1] != self.m:
            raise ValueError(f"y must have shape (batch, {self.m}), got {tuple(y.shape)}")
        coefficients = y.new_zeros(len(y), math.prod(self.img_size))
        coefficients = coefficients.index_copy(1, self.rows, self.scale * y)
        return super().A_adjoint(coefficients.reshape(-1, *self.img_size))

    def A_dagger(self, y: Tensor, **others: Any) -> Tensor:
        """Apply A⁺ = (m/n) Aᵀ, because A Aᵀ = (n/m) I."""
        refuse_unknown(self, others, *LEAST_SQUARES)
        return self.A_adjoint(y) / self.scale**2


def cosine_transform(x: Tensor) -> Tensor:
    """Orthonormal DCT-II over the last three axes."""
    for axis in (-3, -2, -1):
        x = _along(axis, x, cosine_matrix(x.shape[axis], x.dtype, x.device))
    return x


def inverse_cosine_transform(x: Tensor) -> Tensor:
    """Orthonormal DCT-III over the last three axes, the inverse and adjoint of the DCT-II."""
    for axis in (-3, -2, -1):
        x = _along(axis, x, cosine_matrix(x.shape[axis], x.dtype, x.device).T)
    return x


def _along(axis: int, x: Tensor, matrix: Tensor) -> Tensor:
    return (x.movedim(axis, -1) @ matrix.T).movedim(-1, axis)
