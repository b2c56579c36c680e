"""How many images a network takes at once, so that none depends on the others.

Rounding depends on the shape of a batch (:mod:`ganprior.solvers.engine.blocks`), but for most sizes
it is the same: which ones depends on the layers, the processor and the number of threads. A size
is used once it has given, to the last bit, the outputs and gradients that ``REFERENCE`` images
at once have. A batch is then taken in calls of such sizes, the last one filled up.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable

import torch
from torch import Tensor

from ganprior.priors import Prior
from ganprior.streams import derive_seed

LADDER = (2, 4, 8, 16, 24, 32, 48, 64, 96, 128)
REFERENCE = 32
# What a call costs beside its images, in images: measured on generators of 28 x 28.
OVERHEAD = 10

_known: weakref.WeakKeyDictionary[torch.nn.Module, dict[object, Sizes]] = (
    weakref.WeakKeyDictionary()
)


class Sizes:
    """Sizes of a call of one network, on a CPU, that round alike.

    Parameters
    ----------
    latents : Tensor
        Some latents of the network, (``REFERENCE`` or fewer, *latent shape).
    most : int
        Bound on the size of a call.
    """

    def __init__(self, latents: Tensor, most: int) -> None:
        self._latents = latents
        self._reference: tuple[Tensor, ...] | None = None
        self._cotangent: Tensor | None = None
        # Whether a size rounds alike, where that is known.
        self._alike = {len(latents): True}
        self._candidates = sorted({*(size for size in LADDER if size < most), len(latents), most})
        self._covers: dict[int, list[int]] = {}

    def cover(self, count: int, network: Callable[[Tensor], Tensor]) -> list[int]:
        """Sizes of the calls for ``count`` latents; their sum may be larger.

        Parameters
        ----------
        count : int
            At least 1.
        network : callable
            Maps latents (N, *latent shape) to (N, ...), images say.
        """
        while count not in self._covers:
            sizes = self._cheapest(count)
            if all(self._rounds_alike(size, network) for size in sizes):
                self._covers[count] = sizes
            else:
                self._covers.clear()
        return self._covers[count]

    def _cheapest(self, count: int) -> list[int]:
        sizes = [size for size in self._candidates if self._alike.get(size, True)]
        whole, rest = divmod(count, sizes[-1])
        return [sizes[-1]] * whole + _cheapest_rest(rest, sizes)

    def _rounds_alike(self, size: int, network: Callable[[Tensor], Tensor]) -> bool:
        if size not in self._alike:
            rows = torch.arange(size) % len(self._latents)
            if self._reference is None:
                self._reference = self._run(torch.arange(len(self._latents)), network)
            wanted = [tensor[rows] for tensor in self._reference]
            got = self._run(rows, network)
            # What differs from one call to the next differs by chance, whatever the size.
            self._alike[size] = _equal(got, wanted) or not _equal(got, self._run(rows, network))
        return self._alike[size]

    def _run(self, rows: Tensor, network: Callable[[Tensor], Tensor]) -> tuple[Tensor, ...]:
        """Outputs and the gradient of a weighted sum of them."""
        z = self._latents[rows].requires_grad_(True)
        with torch.enable_grad():
            x = network(z)
            if self._cotangent is None:
                rng = torch.Generator().manual_seed(derive_seed(0, "cotangent"))
                self._cotangent = torch.randn(x.shape, generator=rng).to(x)
            # The last term is for networks that do not depend on z.
            value = (x * self._cotangent[rows]).sum() + z.sum()
            (gradient,) = torch.autograd.grad(value, z)
        return x.detach(), gradient


def sizes_for(prior: Prior, like: Tensor, most: int, judged: bool = False) -> Sizes:
    """Sizes for the prior's networks, found out once in the life of its generator's module.

    Parameters
    ----------
    prior : Prior
        Whose networks, or copies of them, are called.
    like : Tensor
        Gives the dtype.
    most : int
        Bound on the size of a call.
    judged : bool
        Whether the discriminator is called too.
    """
    own = _known.setdefault(prior.generator, {})
    judge = id(prior.discriminator) if judged else None
    key = like.dtype, torch.get_num_threads(), most, judge
    if key not in own:
        rng = torch.Generator().manual_seed(derive_seed(0, "sizes"))
        own[key] = Sizes(prior.latent.sample(min(REFERENCE, most), rng).to(like), most)
    return own[key]


def _cheapest_rest(count: int, sizes: list[int]) -> list[int]:
    """Sizes for less than the largest one: one call, or one that is full and others."""
    if count == 0:
        return []
    enough = [next(size for size in sizes if size >= count)]
    full = [size for size in sizes if size < count]
    if not full:
        return enough
    return min(enough, [full[-1], *_cheapest_rest(count - full[-1], sizes)], key=_cost)


def _cost(sizes: list[int]) -> int:
    return sum(sizes) + OVERHEAD * len(sizes)


def _equal(
    some: tuple[Tensor, ...] | list[Tensor], others: tuple[Tensor, ...] | list[Tensor]
) -> bool:
    return all(torch.equal(a, b) for a, b in zip(some, others, strict=True))
