"""Masks by name: ``center=0.25``, ``random=0.8``, ``half=left``, ``pattern=0.25``, ``text``.

They are the values of ``--mask`` and the options of ``--measure mask:...``. A number is the
fraction that is missing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from ganprior.cli.specs import check_name, choice, integer, number

if TYPE_CHECKING:
    import torch
    from torch import Tensor

Value = str | int | float
Shape = tuple[int, int, int]


@dataclass(frozen=True)
class MaskSpec:
    """A mask that a name stands for.

    Attributes
    ----------
    name : str
        What stands before the equals sign.
    value : str, int or float
        What stands behind it, of the type it has in the library, or the default.
    """

    name: str
    value: Value

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``name=value``, or a name alone for its default.

        Raises
        ------
        ValueError
            If there is no such name or the value cannot be; the message names it, what is valid,
            and the nearest.
        """
        name, equals, value = (part.strip() for part in text.partition("="))
        check_name("mask", name, KINDS)
        return cls.read(name, {name: value} if equals else {})

    @classmethod
    def read(cls, name: str, options: Mapping[str, str]) -> Self:
        """Read the mask ``name`` from options as :func:`~ganprior.cli.specs.parse_spec` gives them.

        Raises
        ------
        ValueError
            If the value cannot be, or is missing and has no default.
        """
        return cls(name, KINDS[name].read(options, name))

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
        from ganprior.physics import masks

        return KINDS[self.name].build(masks, self.value, image_shape, generator)


@dataclass(frozen=True)
class _Kind:
    """One name: how its value is read, and which mask it makes."""

    read: Callable[[Mapping[str, str], str], Value]
    build: Callable[[Any, Any, Shape, Any], Tensor]
    random: bool = False


def _fraction(default: float | None = None) -> Callable[[Mapping[str, str], str], Value]:
    return lambda options, key: number(options, key, default, minimum=0, below=1)


def _side(options: Mapping[str, str], key: str) -> str:
    return choice(options, key, ["left", "right", "top", "bottom"])


def _words(options: Mapping[str, str], key: str) -> str:
    return options.get(key, "semantic inpainting")


KINDS = {
    "center": _Kind(_fraction(0.25), lambda masks, value, shape, _: masks.center(shape, value)),
    "random": _Kind(
        _fraction(), lambda masks, value, shape, rng: masks.random(shape, value, rng), random=True
    ),
    "half": _Kind(_side, lambda masks, value, shape, _: masks.half(shape, value)),
    "pattern": _Kind(
        _fraction(0.25),
        lambda masks, value, shape, rng: masks.pattern(shape, value, rng),
        random=True,
    ),
    "grid": _Kind(
        lambda options, key: integer(options, key, 4, minimum=2),
        lambda masks, value, shape, _: masks.grid(shape, value),
    ),
    "holes": _Kind(
        lambda options, key: integer(options, key, 3, minimum=1),
        lambda masks, value, shape, rng: masks.holes(shape, value, generator=rng),
        random=True,
    ),
    "text": _Kind(_words, lambda masks, value, shape, _: masks.text(shape, value)),
}
