"""Random streams that depend on the seed, the purpose and the signal, and on nothing else.

A reconstruction must not change when the same image is solved in a larger batch, in another
chunk, after ``--limit``, or on another device. Every random number that belongs to one signal
(its noise, its starts) is therefore drawn on the CPU from a generator of its own, seeded by
``(seed, purpose, index of the signal)``.
"""

from __future__ import annotations

import operator
import zlib
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor


def derive_seed(seed: int, purpose: str, index: int = 0) -> int:
    """Mix a seed, a purpose and an index into one 63-bit seed.

    Parameters
    ----------
    seed : int
        Non-negative seed of the run.
    purpose : str
        What the numbers are for (``"physics"``, ``"noise"``, ``"starts"``): streams of different
        purposes are independent.
    index : int
        Index of the signal.

    Raises
    ------
    ValueError
        If ``seed`` or ``index`` is negative.
    """
    if seed < 0 or index < 0:
        raise ValueError(f"seed and index must be at least 0, got seed={seed}, index={index}")
    # CRC32 and not hash(): the latter changes from one Python process to the next.
    words = np.random.SeedSequence([seed, zlib.crc32(purpose.encode()), index])
    return int(words.generate_state(1, np.uint64)[0] >> np.uint64(1))


def as_generator(rng: torch.Generator | int) -> torch.Generator:
    """Return the generator given, or a new one on the CPU for a seed.

    Raises
    ------
    ValueError
        If ``rng`` is neither a generator nor a whole number from 0 to 2^63 - 1.
    """
    if isinstance(rng, torch.Generator):
        return rng
    try:
        seed = -1 if isinstance(rng, bool) else operator.index(rng)
    except TypeError:
        seed = -1
    if not 0 <= seed < 2**63:
        raise ValueError(
            f"rng must be a torch.Generator or a seed of at least 0 and below 2^63, got {rng!r}"
        )
    return torch.Generator().manual_seed(seed)


def standard_normal(shape: Sequence[int], rng: torch.Generator) -> Tensor:
    """N(0, 1), float32 on the device of ``rng``, whatever torch's default type is."""
    return torch.randn(tuple(shape), generator=rng, device=rng.device, dtype=torch.float32)


def uniform(shape: Sequence[int], rng: torch.Generator) -> Tensor:
    """Uniform on [0, 1), float32 on the device of ``rng``, whatever torch's default type is."""
    return torch.rand(tuple(shape), generator=rng, device=rng.device, dtype=torch.float32)


class Streams:
    """One random stream per signal and purpose.

    Parameters
    ----------
    seed : int
        Non-negative seed of the run.
    indices : sequence of int, optional
        Index of each signal of the batch; 0, 1, 2, ... when absent. An image keeps its numbers
        wherever it stands in a batch as long as it keeps its index.

    Examples
    --------
    >>> import torch
    >>> from ganprior import Streams, add_noise
    >>> y = add_noise(torch.zeros(3, 100), 0.1, Streams(0))
    >>> torch.equal(add_noise(torch.zeros(2, 100), 0.1, Streams(0)), y[:2])
    True
    """

    @staticmethod
    def of(rng: Streams | int) -> Streams:
        """Return the streams given, or those of a seed.

        Raises
        ------
        ValueError
            If ``rng`` is neither streams nor a whole number of at least 0.
        """
        if isinstance(rng, Streams):
            return rng
        try:
            seed = operator.index(rng)
        except TypeError:
            seed = -1
        if seed < 0:
            raise ValueError(f"rng must be Streams or a seed of at least 0, got {rng!r}")
        return Streams(seed)

    def __init__(self, seed: int, indices: Sequence[int] | None = None) -> None:
        self.seed = seed
        self.indices = None if indices is None else tuple(int(i) for i in indices)

    def generator(self, purpose: str, position: int) -> torch.Generator:
        """CPU generator of the signal that stands at ``position`` of the batch."""
        index = position if self.indices is None else self.indices[position]
        return torch.Generator().manual_seed(derive_seed(self.seed, purpose, index))

    def select(self, positions: Sequence[int]) -> Streams:
        """Streams of a part of the batch: signal ``positions[j]`` comes to stand at ``j``."""
        indices = [p if self.indices is None else self.indices[p] for p in positions]
        return Streams(self.seed, indices)

    def normal(self, purpose: str, count: int, shape: Sequence[int]) -> Tensor:
        """Standard normal numbers of shape ``(count, *shape)``, float32 on the CPU."""
        rows = [standard_normal(shape, self.generator(purpose, i)) for i in range(count)]
        return torch.stack(rows)
