"""Generators that draw noise inside, StyleGAN2 say, made functions of their latent alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from ganprior.streams import derive_seed

# Functions that draw, and the numbers that each draws.
_DRAWS: dict[Any, Callable[..., Tensor]] = {
    torch.randn: torch.randn,
    torch.randn_like: torch.randn,
    Tensor.normal_: torch.randn,
    torch.rand: torch.rand,
    torch.rand_like: torch.rand,
    Tensor.uniform_: torch.rand,
}


def _normal(rows: Tensor, mean: float = 0.0, std: float = 1.0, **_: Any) -> Tensor:
    return mean + std * rows


def _uniform(rows: Tensor, low: float = 0.0, to: float = 1.0, **_: Any) -> Tensor:
    return low + (to - low) * rows


_IN_PLACE: dict[Any, Callable[..., Tensor]] = {Tensor.normal_: _normal, Tensor.uniform_: _uniform}


class FixedNoise(nn.Module):
    """A generator whose draws of normal and uniform numbers are the same in every call.

    They are also the same for every image of a batch, so that an image is a function of its latent.
    ``torch.randn``, ``torch.rand``, their ``_like`` forms, ``Tensor.normal_`` and
    ``Tensor.uniform_`` are seen, wherever in the module they are called; TorchScript is not.

    Parameters
    ----------
    module : nn.Module
        The generator; its first argument has the batch as its first axis.
    seed : int
        Of the noise.

    Examples
    --------
    >>> import torch
    >>> class Noisy(torch.nn.Module):
    ...     def forward(self, z):
    ...         return z + torch.randn_like(z)
    >>> fixed = FixedNoise(Noisy(), 0)
    >>> torch.equal(fixed(torch.zeros(3, 2))[2:], fixed(torch.zeros(1, 2)))
    True
    """

    def __init__(self, module: nn.Module, seed: int = 0) -> None:
        super().__init__()
        self.module = module
        self.seed = seed
        self._drawn: dict[object, Tensor] = {}

    def forward(self, z: Tensor, *others: Tensor) -> Any:
        """Call the module with its noise."""
        with _Replaying(self._drawn, self.seed, len(z)):
            return self.module(z, *others)

    def extra_repr(self) -> str:
        """Seed, which belongs to what the module computes."""
        return f"seed={self.seed}"


class _Replaying(TorchFunctionMode):
    """Answers the draws of one call, by their number in it, out of a store that it fills."""

    def __init__(self, drawn: dict[object, Tensor], seed: int, batch: int) -> None:
        super().__init__()
        self._drawn, self._seed, self._batch, self._number = drawn, seed, batch, 0

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        if func not in _DRAWS:
            return func(*args, **kwargs)
        dtype, device = kwargs.get("dtype"), kwargs.get("device")
        if func in (torch.randn, torch.rand):
            sizes = kwargs.get("size", args[0] if args and not isinstance(args[0], int) else args)
            rows = self._rows(_DRAWS[func], tuple(sizes))
            return rows.to(device, dtype or torch.get_default_dtype())
        like: Tensor = args[0] if args else kwargs["input"]
        rows = self._rows(_DRAWS[func], tuple(like.shape)).to(like)
        if func in _IN_PLACE:
            return like.copy_(_IN_PLACE[func](rows, *args[1:], **kwargs))
        return rows.to(device or like.device, dtype or like.dtype)

    def _rows(self, draw: Callable[..., Tensor], shape: tuple[int, ...]) -> Tensor:
        """One draw for all images where the first axis is that of the batch."""
        alike = bool(shape) and shape[0] == self._batch
        own = (1, *shape[1:]) if alike else shape
        self._number += 1
        key = draw.__name__, self._number, own
        if key not in self._drawn:
            rng = torch.Generator().manual_seed(derive_seed(self._seed, f"noise {key}"))
            self._drawn[key] = draw(own, generator=rng)
        return self._drawn[key].expand(shape)
