"""The ``--measure`` option: which physics a spec such as ``gaussian:m=100`` stands for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from ganprior.cli.mask_specs import KINDS as MASKS
from ganprior.cli.mask_specs import MaskSpec
from ganprior.cli.specs import check_name, check_options, integer, number, parse_spec

if TYPE_CHECKING:
    import torch

Value = str | int | float
Shape = tuple[int, int, int]


@dataclass(frozen=True)
class MeasureSpec:
    """How images are measured, as asked for on the command line.

    Attributes
    ----------
    name : str
        What stands before the colon.
    options : mapping
        Checked options, each of the type it has in the library.
    text : str
        The spec as given.
    flag : str
        The option of the command line that it was given to, for messages.
    """

    name: str
    options: Mapping[str, Value]
    text: str
    flag: str = "--measure"

    @classmethod
    def parse(cls, text: str, flag: str = "--measure") -> Self:
        """Read a spec.

        ``gaussian:m=100``, ``structured:m=100``, ``mask:center=0.25``, ``mask:random=0.8``,
        ``mask:half=left``, ``mask:pattern=0.25`` (numbers: the fraction that is missing; the half
        that is missing), ``mask:grid=4``, ``mask:holes=3``, ``mask:text=WORDS``,
        ``downsample:factor=4``, ``blur:sigma=2``, ``mri:acceleration=4``, ``gray``, or
        ``identity``.

        Parameters
        ----------
        text : str
            The spec.
        flag : str
            The option of the command line that it was given to, for messages.

        Raises
        ------
        ValueError
            If there is no such name or option, or a value cannot be; the message names it, what
            is valid, and the nearest.
        """
        try:
            name, options = parse_spec(text)
            check_name("measurement", name, _KINDS)
            check_options(options, _KINDS[name].keys)
            return cls(name, _KINDS[name].read(options), text, flag)
        except ValueError as error:
            raise ValueError(f"{flag} {text}: {error}") from None

    def build(self, image_shape: Shape, seed: int) -> Any:
        """Physics of images of one size; imports torch and deepinv.

        Parameters
        ----------
        image_shape : tuple of int
            (C, H, W) of the images.
        seed : int
            Seed of the run. What is random in the physics is drawn from its stream
            ``"physics"``, apart from noise and starts.

        Raises
        ------
        ValueError
            If the spec does not suit the image: m above n, a factor that does not divide the
            height, a mask that hides everything.
        """
        import torch

        from ganprior.streams import derive_seed

        generator = torch.Generator().manual_seed(derive_seed(seed, "physics"))
        try:
            return _KINDS[self.name].build(self.options, image_shape, generator)
        except ValueError as error:
            raise ValueError(f"{self.flag} {self.text}: {error}") from None


@dataclass(frozen=True)
class _Kind:
    """One name: its options, how they are read, and which physics they make."""

    keys: tuple[str, ...]
    read: Callable[[dict[str, str]], dict[str, Value]]
    build: Callable[[Any, Shape, torch.Generator], Any]


def _read_count(options: dict[str, str]) -> dict[str, Value]:
    return {"m": integer(options, "m", minimum=1)}


def _gaussian(options: dict[str, Any], shape: Shape, generator: torch.Generator) -> Any:
    from ganprior.physics import Gaussian

    return Gaussian(options["m"], shape, generator)


def _structured(options: dict[str, Any], shape: Shape, generator: torch.Generator) -> Any:
    from ganprior.physics import StructuredRows

    return StructuredRows(options["m"], shape, generator)


def _read_mask(options: dict[str, str]) -> dict[str, Value]:
    if len(options) != 1:
        raise ValueError(
            f"a mask takes exactly one of {', '.join(MASKS)}, got {', '.join(options) or 'none'}; "
            "write for example mask:center=0.25"
        )
    [name] = options
    return {name: MaskSpec.read(name, options).value}


def _mask(options: dict[str, Any], shape: Shape, generator: torch.Generator) -> Any:
    from ganprior.physics import inpainting

    [(name, value)] = options.items()
    return inpainting(MaskSpec(name, value).build(shape, generator), shape)


def _downsample(options: dict[str, Any], shape: Shape, _: torch.Generator) -> Any:
    from ganprior.physics import downsampling

    return downsampling(shape, options["factor"])


def _blur(options: dict[str, Any], shape: Shape, _: torch.Generator) -> Any:
    from ganprior.physics import blur

    return blur(shape, options["sigma"])


def _mri(options: dict[str, Any], shape: Shape, generator: torch.Generator) -> Any:
    from ganprior.physics import SingleCoilMRI, cartesian_mask

    return SingleCoilMRI(cartesian_mask(shape, options["acceleration"], generator), shape)


def _gray(options: dict[str, Any], shape: Shape, _: torch.Generator) -> Any:
    from ganprior.physics import gray

    return gray(shape)


def _identity(options: dict[str, Any], shape: Shape, _: torch.Generator) -> Any:
    from ganprior.physics import identity

    return identity()


_KINDS = {
    "gaussian": _Kind(("m",), _read_count, _gaussian),
    "structured": _Kind(("m",), _read_count, _structured),
    "mask": _Kind(tuple(MASKS), _read_mask, _mask),
    "downsample": _Kind(
        ("factor",), lambda given: {"factor": integer(given, "factor", minimum=2)}, _downsample
    ),
    "blur": _Kind(("sigma",), lambda given: {"sigma": number(given, "sigma", above=0)}, _blur),
    "mri": _Kind(
        ("acceleration",),
        lambda given: {"acceleration": number(given, "acceleration", minimum=1)},
        _mri,
    ),
    "gray": _Kind((), lambda _: {}, _gray),
    "identity": _Kind((), lambda _: {}, _identity),
}
