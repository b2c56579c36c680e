"""Errors of one image against the truth: squared error per pixel, PSNR and SSIM.

Every function takes reconstructions ``x_hat`` and true images ``x`` in [0, 1], both (B, C, H, W),
and returns one number per image, (B,). Reconstructions are clipped to [0, 1] first, whatever
method they come from; a NaN pixel makes the number of its image NaN.
"""

from __future__ import annotations

import torch
from torch import Tensor

# Side of SSIM's window, which must fit into the image.
_WINDOW = 11


def per_pixel_error(x_hat: Tensor, x: Tensor) -> Tensor:
    """||x_hat - x||^2 / n with n = C H W: the error of Bora et al. (2017, arXiv 1703.03208).

    Parameters
    ----------
    x_hat, x : Tensor
        Reconstructions and true images in [0, 1], (B, C, H, W).

    Returns
    -------
    Tensor
        (B,), from 0 to 1.

    Raises
    ------
    ValueError
        If the shapes differ or are not (B, C, H, W).

    Examples
    --------
    >>> import torch
    >>> from ganprior import per_pixel_error
    >>> per_pixel_error(torch.full((1, 1, 2, 2), 0.5), torch.zeros(1, 1, 2, 2))
    tensor([0.2500])
    """
    _check_shapes(x_hat, x)
    return (x_hat.clamp(0, 1) - x).square().flatten(1).mean(1)


def psnr(x_hat: Tensor, x: Tensor) -> Tensor:
    """Peak signal-to-noise ratio in dB for a peak of 1: -10 log10 of the per-pixel error.

    Parameters
    ----------
    x_hat, x : Tensor
        Reconstructions and true images in [0, 1], (B, C, H, W).

    Returns
    -------
    Tensor
        (B,); infinite where both images are equal.

    Raises
    ------
    ValueError
        If the shapes differ or are not (B, C, H, W).

    Examples
    --------
    >>> import torch
    >>> from ganprior import psnr
    >>> psnr(torch.full((1, 1, 2, 2), 0.1), torch.zeros(1, 1, 2, 2))
    tensor([20.])
    """
    return -10 * torch.log10(per_pixel_error(x_hat, x))


def ssim(x_hat: Tensor, x: Tensor) -> Tensor:
    """Structural similarity (Wang, Bovik, Sheikh, Simoncelli 2004, "Image quality assessment").

    The paper's constants: a Gaussian window of 11 x 11 pixels with standard deviation 1.5,
    K1 = 0.01, K2 = 0.03, dynamic range 1. The mean is over the windows that lie whole inside the
    image (18 x 18 of them at 28 x 28) and over channels.

    Parameters
    ----------
    x_hat, x : Tensor
        Reconstructions and true images in [0, 1], (B, C, H, W), H and W at least 11.

    Returns
    -------
    Tensor
        (B,), at most 1.

    Raises
    ------
    ValueError
        If the shapes differ, are not (B, C, H, W), or an image is smaller than the window.
    """
    _check_shapes(x_hat, x)
    if min(x.shape[2:]) < _WINDOW:
        raise ValueError(
            f"ssim needs images of at least {_WINDOW} x {_WINDOW} pixels, the size of its window, "
            f"got {tuple(x.shape)}; use psnr"
        )
    # Imported here: it takes seconds, and the other two metrics do not need it.
    from torchmetrics.functional.image import structural_similarity_index_measure

    # The map and not torchmetrics' own mean, which counts windows that reach over the border into
    # a mirror image. In float64, because a variance near 0 is found by subtraction.
    _, similarity = structural_similarity_index_measure(
        x_hat.clamp(0, 1).double(), x.double(), data_range=1.0, return_full_image=True
    )
    border = _WINDOW // 2
    inside = similarity[..., border:-border, border:-border]
    return inside.flatten(1).mean(1).to(x.dtype)


def _check_shapes(x_hat: Tensor, x: Tensor) -> None:
    if x.ndim != 4 or x_hat.shape != x.shape:
        raise ValueError(
            "x_hat and x must have one shape (B, C, H, W), got "
            f"{tuple(x_hat.shape)} and {tuple(x.shape)}"
        )
