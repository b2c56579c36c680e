"""Masks by name: ``center=0.25``, ``random=0.8``, ``half=left``, ``pattern=0.25``, ``text``.

They are the values of ``--mask`` and the options of ``--measure mask:...``. A number is the
fraction that is missing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from ganprior.names import check_name
from ganprior.registry import Entry, Value, entries

if TYPE_CHECKING:
    import torch
    from torch import Tensor

Shape = tuple[int, int, int]


@dataclass(frozen=True)
class MaskSpec:
    """A mask that a name stands for.

    Attributes
    ----------
    entry : Entry
        The mask whose name stands before the equals sign.
    value : str, int or float
        What stands behind it, of the type it has in the library, or the default.
    """

    entry: Entry
    value: Value

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``name=value``, or a name alone for its default.

        Raises
        ------
        ValueError
            If there is no such name or the value cannot be; the message names it, what is known,
            and the nearest.
        """
        name, equals, value = (part.strip() for part in text.partition("="))
        known = entries("mask")
        check_name("mask", name, known)
        [option] = known[name].options
        read = option.read({name: value} if equals else {})
        assert read is not None
        return cls(known[name], read)

    @property
    def name(self) -> str:
        """What stands before the equals sign."""
        return self.entry.name

    def build(self, image_shape: Shape, generator: torch.Generator) -> Tensor:
        """Mask (1, H, W) of images of a shape; imports torch and deepinv.

        Parameters
        ----------
        image_shape : tuple of int
            (C, H, W) of the images.
        generator : torch.Generator
            CPU generator of the masks that are random.

        Raises
        ------
        ValueError
            If the mask does not suit the images.
        """
        context = {"img_size": image_shape, "generator": generator}
        mask: Tensor = self.entry.make({self.name: self.value}, context)
        return mask
