"""``--measured``: pictures that are measurements already, of images of the prior's size."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from ganprior.cli.inputs import Inputs, Shape, read_inputs, words
from ganprior.cli.measure_specs import MeasureSpec
from ganprior.cli.measurements import Measurements, Signals
from ganprior.jobs import blocks

if TYPE_CHECKING:
    from torch import Tensor

# Pictures that are looked at together.
_AT_ONCE = 1000
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
    resize: str | None,
    convert: bool,
) -> Signals:
    """Read pictures as measurements: y itself, of images that nobody has seen.

    Where a picture is NaN nothing was measured.

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
    resize : str or None
        How to bring the pictures to the size that the physics gives, as ``fit`` of
        :func:`ganprior.datasets.load_images`; None for not at all.
    convert : bool
        Bring them to the channels that it gives.

    Raises
    ------
    ValueError
        If the physics gives no pictures, or the pictures are not of the shape that it gives.
    """
    from ganprior.physics import with_missing

    physics = spec.build(image_shape, seed)
    channels, size, _ = shape = _picture_shape(physics, spec, image_shape)
    inputs = read_inputs(
        sources,
        limit=limit,
        size=size if resize else None,
        channels=channels if convert else None,
        fit=resize,
        missing=True,
        expected=(f"{spec.flag} {spec.text}, of {words(image_shape)} images,", shape),
        remedy="give pictures of that shape, or --resize for the size and --convert for the "
        "channels",
    )
    whole = all(not x.isnan().any() for x in _blocks(inputs))

    def part(first: int, last: int) -> Measurements:
        x = inputs.part(first, last)
        measured_by = physics if whole else with_missing(physics, ~x.isnan())
        return Measurements(
            y=_zero_where_hidden(measured_by, image_shape, x.nan_to_num()),
            physics=measured_by,
            image_shape=image_shape,
            names=inputs.names[first:last],
            indices=tuple(range(first, last)),
            spec=spec.text,
            seed=seed,
            noise_std=noise_std,
        )

    if not whole:
        for x in _blocks(inputs):
            # Raises for a picture of which nothing is known.
            with_missing(physics, ~x.isnan())
    return Signals(
        inputs.names, inputs.sources, inputs.sha256, image_shape, spec.text, seed, noise_std, part
    )


def _blocks(inputs: Inputs) -> Iterator[Tensor]:
    """All pictures, some at a time."""
    return (inputs.part(*ends) for ends in blocks(len(inputs), _AT_ONCE))


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


def _zero_where_hidden(physics: Any, image_shape: Shape, y: Tensor) -> Tensor:
    """The same with zeros for pixels that a mask hides, whatever the pictures show there."""
    from ganprior.physics import measurement_support

    support = measurement_support(physics, image_shape)
    return y if support is None else y * support
