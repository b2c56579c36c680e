"""Physics that filter: down-sampling and blur."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from deepinv import physics as deepinv
from deepinv.physics.functional import gaussian_blur
from torch import Tensor

from ganprior.physics.arguments import checked_img_size
from ganprior.physics.one_line import OneLine
from ganprior.registry import Count, Number, register


class Downsampling(OneLine, deepinv.Downsampling):
    """deepinv's, shown in one line."""

    shown = ("factor", "imsize")


class Blur(OneLine, deepinv.Blur):
    """deepinv's, shown in one line."""


@register(
    "physics",
    "downsample",
    "means of blocks of factor x factor pixels",
    Count(
        "factor", "side of a block; divides height and width", example=4, minimum=2, required=True
    ),
)
def downsampling(
    img_size: Sequence[int],
    factor: int = 4,
    filter: Tensor | str | None = None,
    noise_model: Any = None,
) -> Downsampling:
    """Image at a lower resolution: filter, then every ``factor``-th pixel of every row and column.

    Parameters
    ----------
    img_size : sequence of int
        (C, H, W) of the images.
    factor : int
        At least 2, and a divisor of H and of W.
    filter : Tensor or str, optional
        Filter that deepinv applies first: (1, 1 or C, h, w), or ``"gaussian"``, ``"bilinear"``,
        ``"bicubic"``, ``"sinc"``. When absent, every pixel of y is the mean of a block of
        ``factor`` × ``factor`` pixels, and blocks do not overlap.
    noise_model : deepinv noise model, optional
        What ``physics(x)`` adds to ``A(x)``; nothing when absent.

    Raises
    ------
    ValueError
        If the factor is below 2 or does not divide H and W.
    """
    size = checked_img_size(img_size)
    if factor < 2 or size[1] % factor or size[2] % factor:
        raise ValueError(
            f"factor must be at least 2 and divide the height and width of images of size {size}, "
            f"got {factor}"
        )
    chosen = block_mean_filter(factor) if filter is None else filter
    return Downsampling(img_size=size, filter=chosen, factor=factor, noise_model=noise_model)


def block_mean_filter(factor: int) -> Tensor:
    """Filter (1, 1, 2f - 1, 2f - 1) that averages the block *starting* at each pixel.

    deepinv centres a filter on the pixel it computes, and with f × f taps the blocks would
    straddle the sampling grid and wrap around the border. Convolution runs backwards, so the taps
    of the pixels i, ..., i + f - 1 are the first f of 2f - 1.
    """
    taps = torch.zeros(1, 1, 2 * factor - 1, 2 * factor - 1)
    taps[..., :factor, :factor] = 1 / factor**2
    return taps


@register(
    "physics",
    "blur",
    "Gaussian blur, around the border",
    Number("sigma", "standard deviation in pixels", example=2, above=0, required=True),
)
def blur(img_size: Sequence[int], sigma: float = 2.0, noise_model: Any = None) -> Blur:
    """Gaussian blur with periodic borders; y has the size of the image.

    Parameters
    ----------
    img_size : sequence of int
        (C, H, W) of the images.
    sigma : float
        Standard deviation of the kernel in pixels, above 0. The kernel is cut where deepinv cuts
        it, at about 3.3 standard deviations, and sums to 1.
    noise_model : deepinv noise model, optional
        What ``physics(x)`` adds to ``A(x)``; nothing when absent.

    Raises
    ------
    ValueError
        If sigma is not above 0, or so large that the kernel is wider than the image.
    """
    _, height, width = checked_img_size(img_size)
    if not (math.isfinite(sigma) and sigma > 0):
        raise ValueError(f"sigma must be above 0, got {sigma}")
    # deepinv's rule for the kernel's radius, checked before a huge kernel is built.
    radius = sigma / 0.3 + 1
    if radius >= (min(height, width) + 1) // 2:
        raise ValueError(
            f"sigma={sigma:g} needs a kernel wider than the {height}x{width} image; lower it"
        )
    taps = 2 * int(radius) + 1
    # Far below a pixel's width the kernel is one pixel; its exponent would be 0 / 0 in the end.
    width_std = max(sigma, 1e-3)
    kernel = gaussian_blur(psf_size=(taps, taps), sigma=(width_std, width_std), dtype=torch.float64)
    # By FFT: half the time of the direct sum at sigma = 2 (500 images of 28 x 28), and more above.
    return Blur(
        filter=kernel.to(torch.float32), padding="circular", use_fft=True, noise_model=noise_model
    )
