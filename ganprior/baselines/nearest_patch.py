"""Nearest-patch retrieval: the missing pixels of the training image that fits the known ones best.

    x = y at the known pixels, T_i elsewhere,   i = argmin over i of  ||mask ⊙ (y - T_i)||^2

The simplest baseline of R. A. Yeh, C. Chen, T. Y. Lim, A. G. Schwing, M. Hasegawa-Johnson, M. N.
Do, "Semantic image inpainting with deep generative models", 2017, arXiv 1607.07539, section 4,
after J. Hays, A. A. Efros, "Scene completion using millions of photographs", ACM Transactions on
Graphics 26(3), 2007, who blend what they paste.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

import torch
from torch import Tensor

from ganprior.baselines.blending import poisson_blend
from ganprior.baselines.inpainting import Inpainter
from ganprior.baselines.outcome import Outcome
from ganprior.datasets import load_images
from ganprior.priors import Prior
from ganprior.progress import tell
from ganprior.registry import Text, register

# Training images that are compared at a time: 40 MB of colour images of 64 x 64 pixels.
CHUNK = 1024

Blend = Callable[[Tensor, Tensor, Tensor], Tensor]


@register(
    "solver",
    "nearest-patch",
    "the hole of the training image whose known pixels are nearest, blended in",
    Text(
        "images",
        "the training images: a folder, a file or the name of a data set",
        example="FOLDER",
        required=True,
    ),
    needs="mask",
)
class NearestPatch(Inpainter):
    """Fill the missing pixels from the nearest image of a training set; physics: a mask.

    Parameters
    ----------
    images : Tensor
        Training images in [0, 1], (N, C, H, W), finite. They stay on their device: the parts of
        it that are compared move to that of y.
    blend : callable, optional
        ``blend(found, known, mask)`` makes the whole image of the training image found, (B, C, H,
        W), the known pixels with zeros elsewhere, and the mask, 1 where a pixel is known, both
        (B, C, H, W), all floating point. The pixels are pasted as they are when absent.

    Raises
    ------
    ValueError
        If ``images`` is not a batch of images, or holds none.

    Examples
    --------
    >>> import torch
    >>> from ganprior import NearestPatch, demo_images, inpainting
    >>> images = demo_images().floats()
    >>> mask = torch.ones(1, 28, 28)
    >>> mask[:, 7:21, 7:21] = 0
    >>> physics = inpainting(mask, (1, 28, 28))
    >>> torch.equal(NearestPatch(images)(physics(images), physics), images)
    True
    """

    images: Tensor

    def __init__(self, images: Tensor, blend: Blend | None = None) -> None:
        super().__init__()
        if images.ndim != 4 or len(images) == 0 or not images.is_floating_point():
            raise ValueError(
                f"images has shape {tuple(images.shape)} and type {images.dtype}; give at least "
                "one floating-point image, (N, C, H, W)"
            )
        # No parameter and not part of the state: a training set is no weights.
        self.register_buffer("images", images, persistent=False)
        self.blend = blend

    @classmethod
    def from_options(cls, prior: Prior, images: str) -> NearestPatch:
        """Read the training images at the size of a prior's; what is found is blended in."""
        channels, size, _ = prior.image_shape
        return cls(_training_images(images, size, channels), poisson_blend)

    def fill(self, known: Tensor, mask: Tensor) -> Outcome:
        """Paste; see :class:`~ganprior.baselines.inpainting.Inpainter`.

        The objective is the squared distance of the known pixels to those of the image found.
        """
        index = self.nearest(known, mask)
        found = self.images[index.to(self.images.device)].to(known)
        blend = paste if self.blend is None else self.blend
        return Outcome(
            x=blend(found, known, mask.to(known)),
            objective=(mask * (known - found)).square().flatten(1).sum(1),
            converged=torch.ones_like(index, dtype=torch.bool),
            steps=torch.ones_like(index),
        )

    def nearest(self, known: Tensor, mask: Tensor) -> Tensor:
        """Index of the training image that is nearest to each image at its known pixels.

        Parameters
        ----------
        known : Tensor
            Images with zeros where a pixel is missing, (B, C, H, W).
        mask : Tensor
            True where a pixel is known, bool, (B, C, H, W).

        Returns
        -------
        Tensor
            int64, (B,); the first of equals.

        Raises
        ------
        ValueError
            If the training images have another size.
        """
        if self.images.shape[1:] != known.shape[1:]:
            raise ValueError(
                f"y has images of size {tuple(known.shape[1:])} and the training set of size "
                f"{tuple(self.images.shape[1:])}; resize the training images"
            )
        best = torch.full_like(known[:, 0, 0, 0], torch.inf, dtype=torch.float64)
        index = torch.zeros_like(best, dtype=torch.int64)
        rows, weights = known.flatten(1), mask.to(known).flatten(1)
        for start in range(0, len(self.images), CHUNK):
            part = self.images[start : start + CHUNK].to(known).flatten(1)
            # ||mask (y - T)||^2 less ||mask y||^2, which is the same for all T.
            distance = weights @ part.square().T - 2 * rows @ part.T
            least, where = distance.double().min(1)
            index = torch.where(least < best, where + start, index)
            best = torch.minimum(best, least)
            tell(start + len(part), len(self.images))
        return index


def paste(found: Tensor, known: Tensor, mask: Tensor) -> Tensor:
    """Known pixels where the mask is 1, those of ``found`` elsewhere."""
    return torch.where(mask == 1, known, found)


@functools.lru_cache(maxsize=1)
def _training_images(source: str, size: int, channels: int) -> Tensor:
    return load_images(source, split="train", size=size, channels=channels).floats()
