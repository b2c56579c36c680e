"""Two-dimensional orthogonal wavelet transforms: periodic, as many levels as the size allows.

S. Mallat, "A theory for multiresolution signal decomposition", IEEE Transactions on Pattern
Analysis and Machine Intelligence 11(7), 1989; filters from PyWavelets, whose
``wavedec2(..., mode="periodization")`` gives the same coefficients.
"""

from __future__ import annotations

import pywt
import torch
from torch import Tensor


def orthogonal_wavelet(name: str) -> pywt.Wavelet:
    """Look up the filters of an orthogonal wavelet by its PyWavelets name.

    Raises
    ------
    ValueError
        If the name is unknown or its filters are not orthonormal.
    """
    try:
        wavelet = pywt.Wavelet(name)
    except (ValueError, TypeError) as error:
        raise ValueError(
            f"wavelet={name!r} is not a discrete wavelet of PyWavelets; "
            "give an orthogonal one such as db1, db4, sym4 or coif1"
        ) from error
    # Not wavelet.orthogonal: it holds for dmey too, whose filters are cut short.
    size = 2 * wavelet.dec_len
    matrix = wavelet_matrix(size, wavelet)
    if (matrix @ matrix.T - torch.eye(size, dtype=torch.float64)).abs().max() > 1e-10:
        raise ValueError(
            f"wavelet={name!r} is not orthonormal (biorthogonal families are not); "
            "give an orthogonal one such as db1, db4, sym4 or coif1"
        )
    return wavelet


def wavelet_matrix(size: int, wavelet: pywt.Wavelet) -> Tensor:
    """Matrix (size, size), float64, of one level: the coarse half above the detail half.

    Row k holds the filter h at the samples 2 k + len(h) / 2 - j, j = 0, 1, ..., wrapped around.
    """
    matrix = torch.zeros(size, size, dtype=torch.float64)
    k = torch.arange(size // 2)
    for j, (low, high) in enumerate(zip(wavelet.dec_lo, wavelet.dec_hi, strict=True)):
        sample = (2 * k + wavelet.dec_len // 2 - j) % size
        matrix[k, sample] += low
        matrix[k + size // 2, sample] += high
    return matrix


class WaveletTransform:
    """Wavelet coefficients of every channel, coarse ones in the upper left corner.

    Each level replaces the H x W corner that the level before left, X, by W_H X W_W^T; it goes on
    while both sides are even (28, 14, 7).

    Parameters
    ----------
    image : Tensor
        An image or a batch: its last two axes, dtype and device are those of the transform.
    wavelet : pywt.Wavelet
        Orthogonal filters.

    Raises
    ------
    ValueError
        If a side of the image is odd.
    """

    def __init__(self, image: Tensor, wavelet: pywt.Wavelet) -> None:
        height, width = image.shape[-2:]
        if height % 2 or width % 2:
            raise ValueError(
                f"the wavelet basis needs images of even height and width, got {height}x{width}; "
                "resize or crop them, or take the DCT basis"
            )
        self.levels: list[tuple[Tensor, Tensor]] = []
        while height % 2 == 0 and width % 2 == 0:
            rows, columns = (_orthonormal(wavelet_matrix(s, wavelet)) for s in (height, width))
            self.levels.append((rows.to(image), columns.to(image)))
            height, width = height // 2, width // 2

    def analysis(self, x: Tensor) -> Tensor:
        """Coefficients of images (..., H, W), in the same shape."""
        w = x.clone()
        for rows, columns in self.levels:
            corner = w[..., : len(rows), : len(columns)]
            corner.copy_(rows @ corner @ columns.T)
        return w

    def synthesis(self, w: Tensor) -> Tensor:
        """Images of coefficients (..., H, W), in the same shape."""
        x = w.clone()
        for rows, columns in reversed(self.levels):
            corner = x[..., : len(rows), : len(columns)]
            corner.copy_(rows.T @ corner @ columns)
        return x


def _orthonormal(matrix: Tensor) -> Tensor:
    # Some filters (sym4) are stored with errors of 1e-12: one Newton step towards the nearest
    # orthonormal matrix squares them.
    return 1.5 * matrix - 0.5 * matrix @ matrix.T @ matrix
