"""What networks are built from: a name and some numbers, which a prior's card keeps."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, fields
from typing import Any

from ganprior.names import check_name
from ganprior.registry import entries

CONDITIONINGS = ("labels", "auxiliary")
_TYPES = {
    "str": str,
    "bool": bool,
    "int": int,
    "int | None": int | None,
    "float": int | float,
}
# More would take long to build, before anyone has seen how large they are.
MOST_COMPONENTS = 100
_POSITIVE = ("latent_size", "channels", "size", "filters", "discriminator_filters")


@dataclass(frozen=True, kw_only=True)
class Architecture:
    """Both players and the encoder of one prior, before they have weights.

    Attributes
    ----------
    name : str
        One of those that the files of this folder register.
    latent_size : int
        k, the number of entries of z.
    channels, size : int
        Channels, and height and width in pixels, of the images.
    filters, discriminator_filters : int
        Base width of the generator (and of the encoder), and of the discriminator: channels of
        the hidden layer next to the image; for ``"mlp"`` the width of every hidden layer.
    discriminator_batch_norm : bool
        Batch norm in the discriminator, where the architecture has any.
    classes : int
        Number of classes of a conditional prior; 0 for an unconditional one.
    conditioning : str
        ``"labels"``: both players are given the label. ``"auxiliary"``: the generator is given
        it and the discriminator tells it.
    label : int, optional
        The one class that is left of a conditional prior (``Prior.given``), or the component of a
        mixture.
    mixture : int
        T: generators, and as many discriminators, each with its weight; the label of an image is
        then the generator that makes it.
    generator_noise : float
        Standard deviation of Gaussian noise on the generator's hidden layers, while it trains.
    generator_dropout : float
        Share of the entries of the generator's hidden layers that are dropped.
    dropout_at_test : bool
        Whether they are dropped in eval mode too.
    spectral_norm : bool
        Spectral normalisation of the discriminator's weights.
    encoder : bool
        Whether there is an encoder.

    Raises
    ------
    ValueError
        If a name is unknown or a number out of range.
    """

    name: str = "dcgan"
    latent_size: int
    channels: int
    size: int
    filters: int
    discriminator_filters: int
    discriminator_batch_norm: bool = True
    classes: int = 0
    conditioning: str = "labels"
    label: int | None = None
    mixture: int = 1
    generator_noise: float = 0.0
    generator_dropout: float = 0.0
    dropout_at_test: bool = False
    spectral_norm: bool = False
    encoder: bool = False

    def __post_init__(self) -> None:
        check_name("architecture", self.name, entries("architecture"))
        check_name("conditioning", self.conditioning, CONDITIONINGS)
        for name in _POSITIVE:
            if getattr(self, name) < 1:
                raise ValueError(
                    f"architecture: {name} must be at least 1, got {getattr(self, name)}"
                )
        if self.name != "mlp":
            grid_of(self.size)
        if self.classes < 0 or self.classes == 1:
            raise ValueError(
                f"architecture: classes must be 0 (no labels) or at least 2, got {self.classes}"
            )
        if not 1 <= self.mixture <= MOST_COMPONENTS:
            raise ValueError(
                f"architecture: mixture must be 1 to {MOST_COMPONENTS}, got {self.mixture}"
            )
        if self.mixture > 1 and (self.classes or self.encoder):
            raise ValueError("architecture: a mixture has neither classes nor an encoder")
        if self.label is not None:
            check_label(self.label, self.classes or (self.mixture if self.mixture > 1 else 0))
        if not 0 <= self.generator_noise < math.inf:
            raise ValueError(
                f"architecture: generator_noise must be at least 0, got {self.generator_noise}"
            )
        if not 0 <= self.generator_dropout < 1:
            raise ValueError(
                f"architecture: generator_dropout must be in [0, 1), got {self.generator_dropout}"
            )

    @classmethod
    def of(cls, card: dict[str, Any]) -> Architecture:
        """Architecture of a card's dictionary; what an old card does not have takes its default.

        Raises
        ------
        ValueError
            If an entry is unknown, or as for the class.
        TypeError
            If it is no dictionary, or an entry is missing or of another type.
        """
        if not isinstance(card, dict):
            raise TypeError(f"architecture is {card!r}, and not a dictionary")
        types = {field.name: str(field.type) for field in fields(cls)}
        for name, value in card.items():
            check_name("entry of architecture", name, types)
            if not isinstance(value, _TYPES[types[name]]) or (
                isinstance(value, bool) and types[name] != "bool"
            ):
                raise TypeError(f"{name} is {value!r}, and not of type {types[name]}")
        return cls(**card)

    def describe(self) -> dict[str, Any]:
        """JSON form for a card, read back by :meth:`of`."""
        return asdict(self)


def grid_of(size: int) -> tuple[int, int]:
    """Start of the generator's grid, and how often it doubles, for an image of ``size`` pixels.

    Raises
    ------
    ValueError
        If ``size`` is not reached by doubling 4 or 7.
    """
    start = 7 if size % 7 == 0 else 4
    doublings = (size // start).bit_length() - 1
    if doublings < 1 or start << doublings != size:
        raise ValueError(
            f"size must be 4 or 7 times a power of two (28, 32, 64, 128), got {size}; "
            "scale the images, or take the architecture 'mlp', which has any size"
        )
    return start, doublings


def check_label(label: int, classes: int) -> None:
    """Refuse a label that no class has.

    Raises
    ------
    ValueError
        If ``label`` is not in 0 ... ``classes`` - 1.
    """
    if classes == 0:
        raise ValueError(
            f"label {label} was given, but the prior is unconditional (classes = 0): "
            "use it as it is, or take a conditional one"
        )
    if not 0 <= label < classes:
        raise ValueError(f"label must be one of 0 ... {classes - 1}, got {label}")
