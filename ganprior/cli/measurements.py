"""Measurements of images, with the physics that made them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from ganprior.cli.inputs import Inputs, Shape
from ganprior.cli.measure_specs import MeasureSpec

if TYPE_CHECKING:
    from torch import Tensor

    from ganprior.physics import Facts

# Images that pass through the physics at once when its matrix is formed.
_CHUNK = 512


@dataclass(frozen=True)
class Measurements:
    """What is known of N signals that were measured by one physics.

    Attributes
    ----------
    y : Tensor
        Measurements, float32 on the CPU, (N, ...).
    physics : object
        A deepinv physics for images of ``image_shape``, on the CPU.
    image_shape : tuple of int
        (C, H, W).
    names : tuple of str
        One per signal.
    indices : tuple of int
        Index of each signal: together with the seed it fixes the random numbers of the signal.
    spec : str or None
        The spec of the physics; None for a matrix of the user's own.
    seed : int
        Seed of physics and noise, 0 where none was used.
    noise_std : float
        Standard deviation of the noise of each entry of y, 0 where it is not known.
    original : Tensor or None
        True images in [0, 1], (N, C, H, W); None where there are measurements alone.
    """

    y: Tensor
    physics: Any
    image_shape: Shape
    names: tuple[str, ...]
    indices: tuple[int, ...]
    spec: str | None
    seed: int
    noise_std: float
    original: Tensor | None = None

    @cached_property
    def known(self) -> Facts:
        """What is known of the physics."""
        from ganprior.physics import facts

        return facts(self.physics, self.image_shape, count=len(self.y), like=self.y)

    @property
    def m(self) -> int:
        """True number of measurements of one signal: for a mask, of the known pixels."""
        return self.counts[0]

    @property
    def counts(self) -> tuple[int, ...]:
        """:attr:`m` of each signal: they differ where each has a mask of its own."""
        return tuple(self.known.m.tolist())

    def part(self, first: int, last: int | None) -> Measurements:
        """Keep signals ``first`` to ``last`` (excluded) of a physics that measures all alike."""
        cut = slice(first, last)
        x = None if self.original is None else self.original[cut]
        names, indices = self.names[cut], self.indices[cut]
        return replace(self, y=self.y[cut], names=names, indices=indices, original=x)


@dataclass(frozen=True)
class Signals:
    """N signals that are measured, or read, when they are asked for: any number, block by block.

    Attributes
    ----------
    names : tuple of str
        One per signal.
    inputs, sha256 : tuple of str
        Files, folders or data sets of the images, or the file of measurements; checksum of each.
    image_shape, spec, seed, noise_std
        As those of :class:`Measurements`.
    part : callable
        Gives the measurements of signals ``first`` to ``last``, the last one excluded. The numbers
        of a signal are the same in every part.
    settings : mapping
        What else the numbers depend on: how the images were resized, say.
    """

    names: tuple[str, ...]
    inputs: tuple[str, ...]
    sha256: tuple[str, ...]
    image_shape: Shape
    spec: str | None
    seed: int
    noise_std: float
    part: Callable[[int, int], Measurements]
    settings: Mapping[str, Any] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.names)

    def whole(self) -> Measurements:
        """All signals at once."""
        return self.part(0, len(self))


def take(inputs: Inputs, spec: MeasureSpec, noise_std: float, seed: int) -> Signals:
    """Measure images: y = A(x) + noise, on the CPU, so that no device changes a number of y.

    Raises
    ------
    ValueError
        If the spec does not suit the images, or ``noise_std`` is negative or not finite.
    """
    from ganprior.physics import add_noise
    from ganprior.streams import Streams

    physics = spec.build(inputs.shape, seed)

    def part(first: int, last: int) -> Measurements:
        x, indices = inputs.part(first, last), tuple(range(first, last))
        y = add_noise(physics.A(x), noise_std, Streams(seed, indices), physics, inputs.shape)
        names = inputs.names[first:last]
        return Measurements(
            y, physics, inputs.shape, names, indices, spec.text, seed, noise_std, original=x
        )

    return Signals(
        inputs.names,
        inputs.sources,
        inputs.sha256,
        inputs.shape,
        spec.text,
        seed,
        noise_std,
        part,
    )


def as_matrix(measured: Measurements) -> tuple[Tensor, Tensor]:
    """Measurements (N, m) as rows and the dense A, (m, n), that they were made with.

    Entries of y that the physics does not measure (hidden pixels) are left out of both.

    Raises
    ------
    ValueError
        If the physics is not linear.
    """
    import torch

    if not measured.known.linear:
        raise ValueError(
            f"--store-matrix: {measured.spec} is not linear and has no matrix; leave it out"
        )
    n = torch.Size(measured.image_shape).numel()
    columns = [
        measured.physics.A(part.unflatten(1, measured.image_shape)).flatten(1)
        for part in torch.eye(n).split(_CHUNK)
    ]
    matrix = torch.cat(columns).T
    kept = torch.ones(len(matrix), dtype=torch.bool)
    if measured.known.support is not None:
        kept = measured.known.support[0].flatten()
    return measured.y.flatten(1)[:, kept].contiguous(), matrix[kept].contiguous()
