"""What was measured: how many numbers, and with which noise."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from deepinv.physics import MRI, Inpainting, MultiCoilMRI
from torch import Tensor

from ganprior.physics.mri import SingleCoilMRI
from ganprior.streams import Streams


def measurement_support(physics: Any) -> Tensor | None:
    """Entries of y that were measured, for physics that fill y up with zeros.

    Returns
    -------
    Tensor or None
        1 where an entry is measured and 0 where it is not, of a shape that broadcasts to y; None
        where every entry of y is a measurement.
    """
    if isinstance(physics, Inpainting | MRI | SingleCoilMRI):
        return physics.mask
    if isinstance(physics, MultiCoilMRI):
        return physics.mask.unsqueeze(2)
    return None


def measurement_count(physics: Any, image_shape: Sequence[int]) -> int | Tensor:
    """Count the real numbers that the physics measures of one image: m.

    The known pixels, channels counted, for a mask; two real numbers for every sample of k-space
    that is measured; the number of entries of y otherwise, a complex entry being two.

    Parameters
    ----------
    physics : object
        Anything with ``A``, linear or not.
    image_shape : sequence of int
        (C, H, W) of the images.

    Returns
    -------
    int or Tensor
        m; for a physics with one mask per image one m per image, int64, (B,).

    Raises
    ------
    ValueError
        If y is not one tensor (stacked physics).
    """
    support = measurement_support(physics)
    count = 1 if support is None else len(support)
    with torch.no_grad():
        y = _one_tensor(physics.A(_zeros(physics, (count, *image_shape))))
    if support is None:
        return math.prod(y.shape[1:]) * (2 if y.is_complex() else 1)
    counts = support.expand_as(y).flatten(1).sum(1).round().long()
    return int(counts[0]) if count == 1 else counts


def add_noise(y: Tensor, noise_std: float, streams: Streams, physics: Any | None = None) -> Tensor:
    """Add Gaussian noise that depends on the seed and on the index of the signal alone.

    Parameters
    ----------
    y : Tensor
        Clean measurements, first axis the batch; left unchanged.
    noise_std : float
        Standard deviation of the noise of each entry of y, at least 0, in the units of y: of A
        with N(0, 1/m) entries and images in [0, 1]. For complex y, of the real and of the
        imaginary part.
    streams : Streams
        Random streams of the signals; the purpose drawn from is ``"noise"``.
    physics : object, optional
        Physics that measured y: entries of y that it did not measure (missing pixels, lines of
        k-space) get no noise.

    Returns
    -------
    Tensor
        Noisy measurements, a new tensor of the shape, type and device of y.

    Raises
    ------
    ValueError
        If ``noise_std`` is negative or not finite, or y is not one tensor (stacked physics).
    """
    y = _one_tensor(y)
    if not (math.isfinite(noise_std) and noise_std >= 0):
        raise ValueError(f"noise_std must be a finite number of at least 0, got {noise_std}")
    if noise_std == 0:
        return y.clone()
    shape = (*y.shape[1:], 2) if y.is_complex() else tuple(y.shape[1:])
    noise = streams.normal("noise", len(y), shape)
    noise = (torch.view_as_complex(noise) if y.is_complex() else noise).to(y)
    support = None if physics is None else measurement_support(physics)
    return y + noise_std * (noise if support is None else noise * support.to(noise))


def _one_tensor(y: Any) -> Tensor:
    if not isinstance(y, Tensor):
        raise ValueError(
            f"measurements must be one tensor, got {type(y).__name__}; stacked physics are not "
            "supported, measure with one of them"
        )
    return y


def _zeros(physics: Any, shape: Sequence[int]) -> Tensor:
    """Images of zeros of the type and on the device that the physics computes with."""
    for buffer in physics.buffers() if isinstance(physics, torch.nn.Module) else ():
        if buffer.is_floating_point():
            return torch.zeros(*shape, dtype=buffer.dtype, device=buffer.device)
    return torch.zeros(*shape)
