"""The orthonormal two-dimensional discrete cosine transform."""

from __future__ import annotations

from torch import Tensor

from ganprior.physics.cosine import cosine_matrix


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
        self.rows = cosine_matrix(image.shape[-2]).to(image)
        self.columns = cosine_matrix(image.shape[-1]).to(image)

    def analysis(self, x: Tensor) -> Tensor:
        """Coefficients of images (..., H, W), in the same shape."""
        return self.rows @ x @ self.columns.T

    def synthesis(self, w: Tensor) -> Tensor:
        """Images of coefficients (..., H, W), in the same shape."""
        return self.rows.T @ w @ self.columns
