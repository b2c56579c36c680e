"""What a solver must know of a physics, found once by probing.

How many numbers are measured, how large the columns of A are, whether A is linear: none of it is
asked of the class of a physics, so that anybody's own is known as well as deepinv's: random images
are measured and compared (:mod:`ganprior.physics.probing`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from ganprior.physics.batches import Batching, batching
from ganprior.physics.probing import Probe


@dataclass(frozen=True)
class Facts:
    """A physics as it measures B images of one shape.

    Attributes
    ----------
    name : str
        Class of the physics, for messages.
    image_shape : tuple of int
        (C, H, W).
    shape : tuple of int
        (B, ...) of its measurements.
    is_complex : bool
        Whether they are complex numbers.
    m : Tensor
        Real numbers that are measured of each signal, at least 1: entries of y that respond to
        the image, complex ones by their two parts; int64 (B,).
    scale : Tensor
        Mean squared norm of the columns of A, positive, float64 (B,): exact for a matrix and a
        mask, else to about sqrt(1 / (8 m)). Of a physics that is not linear, the mean square of
        ||A(x) - A(x')|| / ||x - x'||.
    stated_noise : Tensor
        ``physics.noise_model.sigma``, 0 where there is none; float64 (1,), or one per signal.
    support : Tensor or None
        True where an entry of y ever responds, bool (1 or B, ...); None where all do.
    linear : bool
        Whether A is linear.
    adjoint : bool or None
        Whether ``A_adjoint`` is the adjoint of A; None without an ``A_adjoint``.
    matrix : Tensor or None
        ``physics.matrix``, (m, n), where A(x) is ``x.flatten(1) @ matrix.T``.
    batching : Batching
        Whether signals are measured alike, and can leave a batch.
    unit : Tensor
        What y, A and the noise are divided by in all of these numbers, float64 (B,): ones, but for
        :meth:`in_units`.
    """

    name: str
    image_shape: tuple[int, ...]
    shape: tuple[int, ...]
    is_complex: bool
    m: Tensor
    scale: Tensor
    stated_noise: Tensor
    support: Tensor | None
    linear: bool
    adjoint: bool | None
    matrix: Tensor | None
    batching: Batching
    unit: Tensor

    @property
    def count(self) -> int:
        """Signals: B."""
        return self.shape[0]

    @property
    def n(self) -> int:
        """Pixels of an image, channels counted."""
        return math.prod(self.image_shape)

    def noise_std(self, given: float | None = None) -> Tensor:
        """Standard deviation of the noise of each entry of y, float64 (B,).

        Parameters
        ----------
        given : float, optional
            Takes the place of what the physics states, in the units of the user's y.

        Raises
        ------
        ValueError
            If the physics states it for another number of signals.
        """
        levels = self.stated_noise if given is None else torch.tensor([given], dtype=torch.float64)
        if len(levels) not in (1, self.count):
            raise ValueError(
                f"physics.noise_model.sigma has {len(levels)} entries for {self.count} signals; "
                "give noise_std"
            )
        return levels.to(self.scale).expand(self.count) / self.unit

    def in_units(self, unit: Tensor) -> Facts:
        """The same physics with y, A and the noise divided by ``unit``, positive, (B,)."""
        unit = unit.to(self.scale)
        return replace(self, scale=self.scale / unit**2, unit=self.unit * unit)

    def check(self, y: Tensor) -> None:
        """Refuse measurements that this physics cannot have made.

        Raises
        ------
        ValueError
            If ``y`` has another shape, or is complex and should not be, or the other way round.
        """
        if tuple(y.shape) != self.shape:
            raise ValueError(
                f"y has shape {tuple(y.shape)}, but physics {self.name} gives {self.shape} for "
                f"images of shape {(self.count, *self.image_shape)}; give the physics that y was "
                "measured with"
            )
        if y.is_complex() != self.is_complex:
            kinds = ("real", "complex")
            raise ValueError(
                f"y is {kinds[y.is_complex()]}, but physics {self.name} gives "
                f"{kinds[self.is_complex]} measurements; give the physics that y was measured with"
            )


def facts(
    physics: Any, image_shape: Sequence[int], *, count: int = 1, like: Tensor | None = None
) -> Facts:
    """Find out what a solver must know of a physics.

    Parameters
    ----------
    physics : object
        Anything with ``A``; or what is known of one, which is returned as it is.
    image_shape : sequence of int
        (C, H, W) of the images.
    count : int
        Number of signals, which matters where each is measured in a way of its own.
    like : Tensor, optional
        Measurements or images: theirs are the device and, if complex by its real counterpart, the
        type of the images that are measured. By default those of the physics' own tensors.

    Raises
    ------
    ValueError
        If ``A`` does not take so many images of that shape and type, whatever it raises, or gives
        anything but one tensor with a row for each.
    """
    if isinstance(physics, Facts):
        return physics
    images = like_images(physics if like is None else like)
    # The state of torch's global generator is the user's.
    with torch.inference_mode(False), torch.no_grad(), torch.random.fork_rng(devices=[]):
        probe = Probe(physics, tuple(image_shape), count, images)
        squares, respond = probe.responses()
        linear, matrix = probe.linear()
        if matrix is not None:
            squares = matrix.norm().double().square().expand(1)
        scale = (squares / math.prod(image_shape)).expand(count)
        return Facts(
            name=probe.name,
            image_shape=probe.image_shape,
            shape=tuple(probe.whole.shape),
            is_complex=probe.whole.is_complex(),
            m=respond.flatten(1).sum(1).clamp(min=1).expand(count),
            scale=torch.where(scale.isfinite() & (scale > 0), scale, 1),
            stated_noise=stated_noise(physics),
            support=_support(respond, probe.whole),
            linear=linear,
            adjoint=probe.adjoint(),
            matrix=matrix,
            batching=batching(physics, probe.repeated(probe.first), probe.whole, probe.alike),
            unit=torch.ones_like(scale),
        )


def like_images(holder: Any) -> Tensor:
    """Empty tensor of the real type and on the device of a tensor, or of a physics' own tensors."""
    tensors = [holder] if isinstance(holder, Tensor) else []
    if isinstance(holder, nn.Module):
        tensors = [*holder.parameters(), *holder.buffers()]
    for tensor in tensors:
        if tensor.is_floating_point() or tensor.is_complex():
            return torch.empty(0, dtype=tensor.dtype.to_real(), device=tensor.device)
    return torch.empty(0, dtype=torch.float32)


def stated_noise(physics: Any) -> Tensor:
    """Standard deviations that the physics states of its noise, float64; one zero for none."""
    sigma = getattr(getattr(physics, "noise_model", None), "sigma", None)
    return torch.as_tensor(0 if sigma is None else sigma).detach().double().flatten()


def _support(respond: Tensor, y: Tensor) -> Tensor | None:
    """Entries of y that respond, by those of its real rows."""
    parts = 2 if y.is_complex() else 1
    entries = respond.reshape(len(respond), *y.shape[1:], parts).any(-1)
    return None if bool(entries.all()) else entries
