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
from ganprior.baselines.linear_map import close, probe
from ganprior.baselines.outcome import Outcome
from ganprior.solution import Reconstructor, Solution
from ganprior.streams import Streams


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

    @torch.no_grad()
    def solve(self, y: Tensor, physics: Any, *, rng: Streams | int = 0) -> Solution:
        """Reconstruct and report; see :class:`~ganprior.solution.Solution`.

        Parameters
        ----------
        y : Tensor
            Images with zeros where a pixel is missing, (B, C, H, W).
        physics : object
            A mask: ``A(x)`` keeps some pixels of x and puts zeros for the others, the same ones
            in all images or not.
        rng : Streams or int
            Not used: nothing here is random.

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
        measured, finite = split_finite(checked_measurements(y))
        remedy = f"{type(self).__name__} fills missing pixels only"
        mask = known_pixels(measured, physics, remedy)
        filled = self.fill(torch.where(mask, measured, 0), mask)
        return filled.solution(y, physics, finite)


def known_pixels(y: Tensor, physics: Any, remedy: str) -> Tensor:
    """Mask of an inpainting physics; refuse any other.

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
    Tensor
        True where a pixel is known, bool, (B, C, H, W).

    Raises
    ------
    ValueError
        If the physics is not a mask, or an image has no known pixel.
    """
    mask = _find_mask(y, physics)
    if mask is None:
        raise ValueError(
            f"physics {type(physics).__name__} is not a mask (y = mask x, 1 known, 0 missing): "
            f"{remedy}"
        )
    for i in (~mask.flatten(1).any(1)).nonzero().flatten().tolist():
        raise ValueError(f"physics: its mask hides every pixel of image {i}; keep at least one")
    return mask


def _find_mask(y: Tensor, physics: Any) -> Tensor | None:
    """Mask (B, C, H, W), bool, of a physics that only keeps or hides pixels; None of another."""
    if y.ndim != 4 or y.is_complex():
        return None
    x = probe(y)
    try:
        mask, measured = physics.A(torch.ones_like(y)), physics.A(x)
    except (RuntimeError, ValueError, AssertionError):
        # y is no image: those that fit this physics have another shape.
        return None
    if not isinstance(mask, Tensor) or mask.shape != y.shape or measured.shape != y.shape:
        return None
    binary = bool(((mask == 0) | (mask == 1)).all())
    return mask == 1 if binary and close(measured, mask * x) else None
