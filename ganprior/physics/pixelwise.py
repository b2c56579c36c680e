"""Physics that act on each pixel by itself: inpainting, gray, and the identity."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

from deepinv import physics as deepinv
from torch import Tensor

from ganprior.physics.arguments import checked_img_size, checked_mask
from ganprior.physics.one_line import OneLine
from ganprior.registry import entries, register

# ITU-R BT.601, section 2.5.1: weights of R, G and B in luma.
LUMA = (0.299, 0.587, 0.114)


class Inpainting(OneLine, deepinv.Inpainting):
    """deepinv's, shown in one line."""

    @property
    def m(self) -> int:
        """Numbers known of an image; of several masks the most."""
        known: Tensor = self.mask.expand(-1, *self.img_size)
        return int(known.flatten(1).sum(1).max())


class Decolorize(OneLine, deepinv.Decolorize):
    """deepinv's, shown in one line."""


class Denoising(OneLine, deepinv.Denoising):
    """deepinv's, shown in one line."""


def inpainting(mask: Tensor, img_size: Sequence[int], noise_model: Any = None) -> Inpainting:
    """Known pixels and zeros elsewhere: y = mask ⊙ x.

    Parameters
    ----------
    mask : Tensor
        1 (or True) where a pixel is known, 0 where it is missing: (H, W), (1, H, W) or (C, H, W)
        for one mask, (B, 1, H, W) or (B, C, H, W) for one mask per image. It is copied:
        deepinv's ``A(x, mask=...)`` replaces the mask of the physics, never the caller's.
        :mod:`ganprior.physics.masks` makes the usual ones.
    img_size : sequence of int
        (C, H, W) of the images.
    noise_model : deepinv noise model, optional
        What ``physics(x)`` adds to the known pixels; nothing when absent.

    Raises
    ------
    ValueError
        If the mask does not fit the images, holds values other than 0 and 1, or hides every
        pixel of an image.
    """
    size = checked_img_size(img_size)
    return Inpainting(img_size=size, mask=checked_mask(mask, size), noise_model=noise_model)


@register(
    "physics",
    "mask",
    "y = mask * x: some pixels are hidden; with exactly one of the masks",
    one_of="mask",
    random=True,
)
def _masked(
    img_size: Sequence[int], generator: Any = None, noise_model: Any = None, **mask: Any
) -> Inpainting:
    """Hide what one of the registered masks hides."""
    [(name, value)] = mask.items()
    context = {"img_size": img_size, "generator": generator}
    return inpainting(entries("mask")[name].make({name: value}, context), img_size, noise_model)


def with_missing(physics: deepinv.LinearPhysics, known: Tensor) -> deepinv.LinearPhysics:
    """Measure pictures some pixels of which are missing: y = known ⊙ A(x), (B, C, H, W).

    Parameters
    ----------
    physics : deepinv physics
        A, linear, whose measurements are pictures.
    known : Tensor
        Where each picture is known, bool or 1 and 0, (B, C, H, W).

    Raises
    ------
    ValueError
        If nothing is known of a picture.
    """
    mask = known.float()
    if isinstance(physics, deepinv.Inpainting):
        mask = mask * physics.mask
    restriction = inpainting(mask, mask.shape[1:])
    if isinstance(physics, deepinv.Inpainting | deepinv.Denoising):
        return restriction
    with warnings.catch_warnings():
        # That A_dagger becomes iterative.
        warnings.simplefilter("ignore")
        return deepinv.compose(physics, restriction)


@register("physics", "gray", "the luma of a colour image, by Rec. 601", needs="colour")
def gray(img_size: Sequence[int], noise_model: Any = None) -> Decolorize:
    """Luma of a colour image: y = 0.299 R + 0.587 G + 0.114 B, (B, 1, H, W).

    The weights are those of ITU-R BT.601, by which a picture file of one channel is made of one
    of three; deepinv's own agree to three digits.

    Parameters
    ----------
    img_size : sequence of int
        (3, H, W) of the images.
    noise_model : deepinv noise model, optional
        What ``physics(x)`` adds to ``A(x)``; nothing when absent.

    Raises
    ------
    ValueError
        If the images have not three channels.
    """
    channels, _, _ = size = checked_img_size(img_size)
    if channels != 3:
        raise ValueError(f"gray measures images of three channels, got images of size {size}")
    return Decolorize(channels, srf=LUMA, noise_model=noise_model)


@register(
    "physics", "identity", "the image itself: what is left is the prior's representation error"
)
def identity(noise_model: Any = None) -> Denoising:
    """Measure the image itself: y = x, for the projection on the range of a generator.

    Parameters
    ----------
    noise_model : deepinv noise model, optional
        What ``physics(x)`` adds; nothing when absent (deepinv's own default is Gaussian noise of
        standard deviation 0.1).
    """
    return Denoising(noise_model=deepinv.ZeroNoise() if noise_model is None else noise_model)
