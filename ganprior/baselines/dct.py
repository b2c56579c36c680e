"""The orthonormal two-dimensional discrete cosine transform."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def dct_matrix(size: int) -> Tensor:
    """Matrix D (size, size), float64, of the orthonormal DCT-II: D v transforms v.

    D[k, i] = c_k cos(pi k (2 i + 1) / (2 size)), with c_0 = sqrt(1 / size), else
    sqrt(2 / size).
    """
    index = torch.arange(size, dtype=torch.float64)
    matrix = torch.cos(math.pi / (2 * size) * index[:, None] * (2 * index + 1))
    matrix *= math.sqrt(2 / size)
    matrix[0] /= math.sqrt(2)
    return matrix


class DCT:
    """Cosine coefficients of every channel: X -> D_H X D_W^T.

    At the sizes of the experiments (up to a few hundred pixels) two matrix products are faster
    than a transform built on the FFT.

    Parameters
    ----------
    image : Tensor
        An image or a batch: its last two axes, dtype and device are those of the transform.
    """

    def __init__(self, image: Tensor) -> None:
        self.rows = dct_matrix(image.shape[-2]).to(image)
        self.columns = dct_matrix(image.shape[-1]).to(image)

    def analysis(self, x: Tensor) -> Tensor:
        """Coefficients of images (..., H, W), in the same shape."""
        return self.rows @ x @ self.columns.T

    def synthesis(self, w: Tensor) -> Tensor:
        """Images of coefficients (..., H, W), in the same shape."""
        return self.rows.T @ w @ self.columns
