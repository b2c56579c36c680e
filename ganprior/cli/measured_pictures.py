"""``--measured``: pictures that are measurements already, of images of the prior's size."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ganprior.cli.inputs import Inputs, Shape, read_inputs, words
from ganprior.cli.measure_specs import MeasureSpec
from ganprior.cli.measurements import Measurements

if TYPE_CHECKING:
    from torch import Tensor

# Channels of what a picture file can hold.
_PICTURES = (1, 3)


def read_measured(
    sources: tuple[str, ...],
    spec: MeasureSpec,
    image_shape: Shape,
    *,
    noise_std: float,
    seed: int,
    limit: int | None,
    resize: bool,
    convert: bool,
) -> tuple[Inputs, Measurements]:
    """Read pictures as measurements: y itself, of images that nobody has seen.

    Parameters
    ----------
    sources : tuple of str
        What to read.
    spec : MeasureSpec
        What the pictures were measured by.
    image_shape : tuple of int
        (C, H, W) of the images that are looked for.
    noise_std : float
        Standard deviation of the noise that the pictures have.
    seed : int
        Seed of what is random in the physics.
    limit : int or None
        Most pictures.
    resize, convert : bool
        Bring the pictures to the size, and to the channels, that the physics gives.

    Raises
    ------
    ValueError
        If the physics gives no pictures, or the pictures are not of the shape that it gives.
    """
    physics = spec.build(image_shape, seed)
    channels, size, _ = shape = _picture_shape(physics, spec, image_shape)
    inputs = read_inputs(
        sources,
        limit=limit,
        size=size if resize else None,
        channels=channels if convert else None,
        expected=(f"{spec.flag} {spec.text}, of {words(image_shape)} images,", shape),
        remedy="give pictures of that shape, or --resize for the size and --convert for the "
        "channels",
    )
    return inputs, Measurements(
        y=_measured_entries(physics, image_shape, inputs.pixels),
        physics=physics,
        image_shape=image_shape,
        names=inputs.names,
        indices=tuple(range(len(inputs.pixels))),
        spec=spec.text,
        seed=seed,
        noise_std=noise_std,
    )


def _picture_shape(physics: Any, spec: MeasureSpec, image_shape: Shape) -> Shape:
    """(C, H, W) of what the physics makes of an image."""
    import torch

    y = physics.A(torch.zeros(1, *image_shape))
    if y.dim() != 4 or y.is_complex() or y.shape[1] not in _PICTURES:
        raise ValueError(
            f"{spec.flag} {spec.text}: what it measures is no picture; store it in a file, and "
            "give that to --measurements"
        )
    channels, height, width = y.shape[1:]
    return channels, height, width


def _measured_entries(physics: Any, image_shape: Shape, y: Tensor) -> Tensor:
    """The same with zeros for pixels that a mask hides, whatever the picture shows there."""
    from ganprior.physics import measurement_support

    support = measurement_support(physics, image_shape)
    return y if support is None else y * support
