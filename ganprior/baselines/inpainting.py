"""What the inpainting baselines have in common: the known pixels come in, a whole image goes out.

The mask is found by measuring, so that every physics that keeps some pixels and hides the others
will do, whatever it calls its mask.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

import torch
from torch import Tensor

from ganprior.baselines.inputs import checked_measurements, split_finite
from ganprior.baselines.linear_map import close, normal_image
from ganprior.baselines.outcome import Outcome
from ganprior.physics.copies import private_copy
from ganprior.progress import Wish, with_progress
from ganprior.solution import Reconstructor, Solution, without_autocast
from ganprior.streams import Streams

# Rounding errors by which the gain of known pixels may differ.
ROUNDING = 16


class Inpainter(Reconstructor):
    """A method that fills the pixels that a mask hides; the physics is y = mask ⊙ x."""

    @abstractmethod
    def fill(self, known: Tensor, mask: Tensor) -> Outcome:
        """Fill the missing pixels of a batch.

        Parameters
        ----------
        known : Tensor
            Images with zeros where a pixel is missing, (B, C, H, W), finite.
        mask : Tensor
            True where a pixel is known, bool, (B, C, H, W).
        """

    @with_progress
    @without_autocast
    @torch.no_grad()
    def solve(
        self, y: Tensor, physics: Any, *, rng: Streams | int = 0, progress: Wish = False
    ) -> Solution:
        """Reconstruct and report; see :class:`~ganprior.solution.Solution`.

        Parameters
        ----------
        y : Tensor
            Images with zeros where a pixel is missing, (B, C, H, W).
        physics : object
            A mask: ``A(x)`` keeps some pixels of x and puts zeros for the others, the same ones
            in all images or not. Known pixels may be in any unit: all of an image multiplied by
            one number.
        rng : Streams or int
            Not used: nothing here is random.
        progress : bool or callable
            True for a bar of the steps, on a terminal and in notebooks; or a function that is told
            the number of steps done and the number there are at most.

        Returns
        -------
        Solution
            A signal whose measurements are not all finite has status ``nonfinite`` and an image
            of zeros; the others are as they would be without it.

        Raises
        ------
        ValueError
            If y is not a tensor, the physics is not a mask, or it hides every pixel of an image.
        """
        measured, finite = split_finite(checked_measurements(y, physics))
        remedy = f"{type(self).__name__} fills missing pixels only"
        mask, gain = known_pixels(measured, physics, remedy)
        filled = self.fill(torch.where(mask, measured / gain, 0), mask)
        return filled.solution(y, physics, finite)


def known_pixels(y: Tensor, physics: Any, remedy: str) -> tuple[Tensor, Tensor]:
    """Mask of an inpainting physics, and its unit; refuse any other.

    Parameters
    ----------
    y : Tensor
        Measurements, (B, C, H, W).
    physics : object
        With ``A``.
    remedy : str
        End of the message about a physics that is not a mask.

    Returns
    -------
    mask : Tensor
        True where a pixel is known, bool, (B, C, H, W).
    gain : Tensor
        What the known pixels of each image are multiplied by in y, not zero, (B, 1, 1, 1).

    Raises
    ------
    ValueError
        If the physics is not a mask, or an image has no known pixel.
    """
    gains = mask_gains(y, physics)
    if gains is None:
        raise ValueError(
            f"physics {type(physics).__name__} is not a mask (y = mask x, 1 known, 0 missing) of "
            f"images of shape {tuple(y.shape)}: {remedy}"
        )
    mask = gains != 0
    for i in (~mask.flatten(1).any(1)).nonzero().flatten().tolist():
        raise ValueError(f"physics: its mask hides every pixel of image {i}; keep at least one")
    return mask, _extreme(gains)


def mask_gains(y: Tensor, physics: Any) -> Tensor | None:
    """What A multiplies each pixel by, (B, C, H, W), 0 or one number; None where it does more."""
    if y.ndim != 4 or y.is_complex():
        return None
    x = normal_image(y)
    try:
        gains, measured = (private_copy(physics).A(image) for image in (torch.ones_like(y), x))
    except Exception:
        # y is no image, or A raises what it likes: those that fit have another shape.
        return None
    if not isinstance(gains, Tensor) or gains.shape != y.shape or measured.shape != y.shape:
        return None
    kept = _extreme(gains)
    off = torch.minimum(gains.abs(), (gains - kept).abs())
    binary = bool((off <= ROUNDING * torch.finfo(y.dtype).eps * kept.abs()).all())
    if not binary or not close(measured, gains * x):
        return None
    return torch.where((gains - kept).abs() < kept.abs() / 2, kept, 0)


def _extreme(gains: Tensor) -> Tensor:
    """The largest gain of each image, by its absolute value, (B, 1, 1, 1)."""
    rows = gains.flatten(1)
    return rows.gather(1, rows.abs().argmax(1, keepdim=True)).reshape(-1, 1, 1, 1)
