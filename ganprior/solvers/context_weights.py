"""Which known pixels count in the context loss: W of Yeh et al. (2017), section 3.1."""

from __future__ import annotations

from typing import Literal, get_args

import torch.nn.functional as F
from torch import Tensor

Weighting = Literal["weighted", "uniform", "inverted"]

# Side of the neighbourhood N(i), the pixel itself included (section 4 of the paper).
WINDOW = 7


def context_weights(
    mask: Tensor, weighting: Weighting = "weighted", window: int = WINDOW
) -> Tensor:
    """Weight of every pixel, 0 for hidden ones.

    W_i = sum over j in N(i) of (1 - M_j) / |N(i)| where M_i is not 0, else 0: a known pixel counts
    by how much of its neighbourhood is hidden, so that what surrounds a hole decides. At the
    border of the image N(i) holds the pixels that there are.

    Parameters
    ----------
    mask : Tensor
        M, 1 where a pixel is known and 0 where it is hidden, (..., C, H, W): every image and
        channel has weights of its own.
    weighting : {"weighted", "uniform", "inverted"}
        ``"weighted"`` is the paper's W = M (1 - M) * window. ``"uniform"`` is W = M, the loss of
        B. Amos's dcgan-completion.tensorflow. ``"inverted"`` is W = M (M * window), largest far
        from the holes: it is what ``createWeightedMask`` of moodoki's semantic_image_inpainting
        computes, and the many copies of it.
    window : int
        Side of N(i), odd.

    Returns
    -------
    Tensor
        W in [0, 1], of the shape of the mask.

    Raises
    ------
    ValueError
        If ``weighting`` is none of the three or ``window`` is not odd and positive.
    """
    check_weighting(weighting)
    if window < 1 or window % 2 == 0:
        raise ValueError(f"window must be odd and at least 1, got {window}")
    if weighting == "uniform":
        return mask
    counted = 1 - mask if weighting == "weighted" else mask
    planes = counted.flatten(0, -4) if mask.dim() > 4 else counted
    means = F.avg_pool2d(planes, window, 1, window // 2, count_include_pad=False)
    return mask * means.reshape(mask.shape)


def check_weighting(weighting: str) -> None:
    """Refuse a weighting that is none of the three.

    Raises
    ------
    ValueError
        If it is another word.
    """
    if weighting not in get_args(Weighting):
        known = ", ".join(get_args(Weighting))
        raise ValueError(f"weighting must be one of {known}, got {weighting!r}")
