"""Size to be expected of a coefficient by its frequency.

Amplitudes of natural images fall as 1 / frequency: D. J. Field, "Relations between the statistics
of natural images and the response properties of cortical cells", J. Optical Society of America A
4(12), 1987.
"""

from __future__ import annotations

import torch
from torch import Tensor


def frequencies(image: Tensor) -> Tensor:
    """1 + the frequency of cosine coefficients, (H, W), in half cycles per image.

    In a wavelet transform with the coarse coefficients in the upper left corner it rises from
    coarse levels to fine ones alike.

    Parameters
    ----------
    image : Tensor
        (B, C, H, W): gives the size, type and device.
    """
    rows, columns = (torch.arange(side).to(image) for side in image.shape[-2:])
    return 1 + torch.hypot(rows[:, None], columns)
