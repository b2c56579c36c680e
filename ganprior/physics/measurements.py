"""What was measured: how many numbers, and with which noise."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from ganprior.numbers import check_number
from ganprior.physics.copies import private_copy, rows_held
from ganprior.physics.facts import facts, like_images
from ganprior.physics.probing import one_tensor
from ganprior.streams import Streams


def measurement_support(physics: Any, image_shape: Sequence[int]) -> Tensor | None:
    """Entries of y that were measured, for physics that fill y up with constants.

    Found by measuring random images, so that anybody's own physics may hide entries.

    Parameters
    ----------
    physics : object
        Anything with ``A``.
    image_shape : sequence of int
        (C, H, W) of the images.

    Returns
    -------
    Tensor or None
        True where an entry ever responds to the image, bool, of a shape that broadcasts to y; None
        where every entry does.

    Raises
    ------
    ValueError
        If y is not one tensor (stacked physics), or ``A`` does not take such images.
    """
    return facts(physics, image_shape, count=_count(physics, image_shape)).support


def measurement_count(physics: Any, image_shape: Sequence[int]) -> int | Tensor:
    """Count the real numbers that the physics measures of one image: m.

    Entries of y that respond to the image, the two parts of a complex entry apart: the known
    pixels, channels counted, for a mask; the lines of k-space that are measured, less the
    imaginary parts that are zero for every real image.

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
        If y is not one tensor (stacked physics), or ``A`` does not take such images.
    """
    m = facts(physics, image_shape, count=_count(physics, image_shape)).m
    return int(m[0]) if len(m) == 1 else m


def add_noise(
    y: Tensor,
    noise_std: float,
    streams: Streams,
    physics: Any | None = None,
    image_shape: Sequence[int] | None = None,
) -> Tensor:
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
    image_shape : sequence of int, optional
        (C, H, W) of its images; asked of ``physics.img_size``, else of ``A_adjoint``, when absent.

    Returns
    -------
    Tensor
        Noisy measurements, a new tensor of the shape, type and device of y.

    Raises
    ------
    ValueError
        If ``noise_std`` is negative or not finite, or y is not one tensor (stacked physics).

    Examples
    --------
    >>> import torch
    >>> from ganprior import Streams, add_noise
    >>> add_noise(torch.zeros(2, 100), 0.1, Streams(0)).shape
    torch.Size([2, 100])
    """
    y = one_tensor(y)
    check_number("noise_std", noise_std, least=0)
    if noise_std == 0:
        return y.clone()
    shape = (*y.shape[1:], 2) if y.is_complex() else tuple(y.shape[1:])
    noise = streams.normal("noise", len(y), shape)
    noise = (torch.view_as_complex(noise) if y.is_complex() else noise).to(y)
    if physics is not None and image_shape is None:
        image_shape = _image_shape(y, physics)
    support = None
    if physics is not None and image_shape is not None:
        support = facts(physics, image_shape, count=len(y), like=y).support
    return y + noise_std * (noise if support is None else noise * support.to(noise))


def _count(physics: Any, image_shape: Sequence[int]) -> int:
    """Images that a physics measures at once: it may hold a mask for each."""
    like = like_images(physics)
    for count in (1, *rows_held(physics)):
        try:
            with torch.no_grad():
                y = private_copy(physics).A(like.new_zeros(count, *image_shape))
        except Exception:
            # Made for another number of images; if for none of these, facts() says so.
            continue
        return len(y) if isinstance(y, Tensor) and y.dim() > 1 else 1
    return 1


def _image_shape(y: Tensor, physics: Any) -> tuple[int, ...] | None:
    """(C, H, W) of the images of a physics, as far as it tells."""
    size = getattr(physics, "img_size", None)
    if isinstance(size, Sequence | torch.Size):
        return tuple(size)
    try:
        return tuple(private_copy(physics).A_adjoint(y).shape[1:])
    except Exception:
        return None
