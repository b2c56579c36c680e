"""Diversity of generated images: how far apart those of one minibatch lie.

A generator that has collapsed draws images that are alike. A. Odena, C. Olah, J. Shlens,
"Conditional image synthesis with auxiliary classifier GANs", 2017, arXiv 1610.09585, section 4.2,
watch for it by the mean similarity of random pairs of samples. They take MS-SSIM, whose five
scales need 176 pixels a side; here it is the Euclidean distance, which every size has.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor


def diversity(images: Tensor) -> float:
    """Mean of ||x - x'|| / sqrt(n) over all pairs of images.

    A generator that draws a handful of images well still scores high: recall shows that.

    Parameters
    ----------
    images : Tensor
        (B, C, H, W) in [0, 1], B at least 2.

    Returns
    -------
    float
        From 0, all alike, to 1.

    Raises
    ------
    ValueError
        If there are fewer than two images.
    """
    if len(images) < 2:
        raise ValueError(f"diversity is over pairs of images, got {len(images)}; give 2 or more")
    flat = images.clamp(0, 1).float().flatten(1)
    return float(torch.pdist(flat).mean()) / math.sqrt(flat.shape[1])
