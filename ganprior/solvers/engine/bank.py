"""A bank of starts: the generator's images of many latents, computed once per prior.

Ranking a signal against the bank by ||y - A x||^2 costs one matrix product and no evaluation of
the generator, so that a start is the best of thousands of random latents. The images are kept in
the user's cache folder (``ganprior.cache``) under a hash of the prior, and
memory-mapped from there.
"""

from __future__ import annotations

import logging
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np
import torch
from torch import Tensor

from ganprior.cache import keep, kept
from ganprior.solvers.engine.blocks import in_blocks
from ganprior.solvers.engine.measured import (
    COMPONENTS,
    Axes,
    Measured,
    regress,
    squared_distances,
)
from ganprior.solvers.engine.problem import Problem
from ganprior.streams import derive_seed

# Bound on the pixels of a bank: 20,000 images of 28 x 28, 5,461 of 64 x 64 in colour.
BYTES = 128 * 2**20
# Entries whose images and measurements are in memory at once, and a bound on either in bytes.
CHUNK, CHUNK_BYTES = 512, 64 * 2**20
# Entries that are computed afresh to tell whether stored ones are this generator's: its code is in
# no hash. That they are whole is known from theirs.
CHECKED = 4

_in_memory: dict[str, Bank] = {}

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Bank:
    """Latents and their images.

    Attributes
    ----------
    latents : Tensor
        (N, k), float32, on the CPU: drawn from the prior's law with a fixed seed.
    images : np.ndarray
        (N, C, H, W), float16, not clipped, usually a memory map.
    seconds : float
        What computing the images took; 0 when they came from the cache.
    resident : dict of Tensor
        The images on the GPUs that asked for some: bringing them there takes longer than ranking.
    """

    latents: Tensor
    images: np.ndarray
    seconds: float
    resident: dict[torch.device, Tensor] = field(default_factory=dict)

    def measured(self, problem: Problem, neighbourhoods: tuple[int, ...] = ()) -> Measured:
        """Measure all entries as the signals are measured, and regress their latents.

        Parameters
        ----------
        problem : Problem
            The signals.
        neighbourhoods : tuple of int
            Sizes of the neighbourhoods; none where a signal is measured in a way of its own that
            cannot be had alone.
        """
        latents = self.latents.to(problem.like)
        none = latents.new_zeros(0, problem.count, latents.shape[1])
        if not problem.alike:
            if problem.can_leave:  # each as it would be alone
                each = torch.arange(problem.count, device=latents.device)
                found = [self.measured(problem.subset(i), neighbourhoods) for i in each.split(1)]
                error = torch.cat([one.error for one in found], 1)
                return Measured(latents, error, torch.cat([one.regressed for one in found], 1))
            errors = [problem.measurement_errors(x) for x in self._chunks(problem.like)]
            return Measured(latents, torch.cat(errors), none)
        targets, errors, features, axes = problem.rows(problem.y), [], [], None
        for x in self._chunks(problem.like):
            y = problem.measured(x)
            errors.append(in_blocks(lambda some, y=y: squared_distances(some, y), targets).T)  # type: ignore[misc]
            if neighbourhoods:
                axes = axes or Axes.principal(y, COMPONENTS * latents.shape[1])
                features.append(axes.of(y))
        error = torch.cat(errors)
        if axes is None:
            return Measured(latents, error, none)
        places = torch.cat(features), in_blocks(axes.of, targets)
        return Measured(latents, error, regress(latents, error, *places, neighbourhoods))

    def _chunks(self, like: Tensor) -> Iterator[Tensor]:
        images = self._images_on(like.device)
        chunk = min(CHUNK, max(1, CHUNK_BYTES // (like.numel() * like.element_size())))
        for first in range(0, len(images), chunk):
            yield images[first : first + chunk].to(like)

    def _images_on(self, device: torch.device) -> Tensor:
        if device.type == "cpu":
            with warnings.catch_warnings():  # that a memory map is for reading alone
                warnings.simplefilter("ignore", UserWarning)
                return torch.from_numpy(self.images)
        if device not in self.resident:
            self.resident[device] = torch.from_numpy(np.array(self.images)).to(device)
        return self.resident[device]


def bank_of(problem: Problem, entries: int) -> Bank:
    """Bank of a problem's prior: from memory, from the cache folder, or computed now.

    Parameters
    ----------
    problem : Problem
        Supplies the folded generator.
    entries : int
        How many latents; fewer where their images would pass ``BYTES`` or take more passes than
        the problem allows.
    """
    law = problem.prior.latent
    count = max(1, min(entries, BYTES // (2 * problem.like.numel()), problem.passes))
    rng = torch.Generator().manual_seed(derive_seed(0, "bank"))
    latents = law.sample(count, rng).flatten(1)
    key = problem.key(count)
    name, shape = f"bank-{key}.npy", (count, *problem.like.shape[1:])
    bank = _in_memory.get(key)
    if bank is None and (images := kept(name, shape, np.float16)) is not None:
        bank = Bank(latents, images, 0.0)
    if bank is None or not _is_of(bank, problem):
        bank = _computed(problem, latents)
        bank = Bank(latents, _kept(name, bank.images), bank.seconds)
    _in_memory.clear()  # one bank at a time is enough, and they are large
    _in_memory[key] = replace(bank, seconds=0.0)
    return bank


def _is_of(bank: Bank, problem: Problem) -> bool:
    # A module may compute something else from the same weights.
    x = problem.images(bank.latents[:CHECKED].to(problem.like))
    stored = torch.from_numpy(bank.images[:CHECKED].copy()).to(x)
    return torch.allclose(x, stored, rtol=1e-2, atol=1e-2, equal_nan=True)


def _computed(problem: Problem, latents: Tensor) -> Bank:
    start = time.perf_counter()
    images = np.empty((len(latents), *problem.like.shape[1:]), np.float16)
    done = 0
    for part in latents.split(min(CHUNK, problem.passing_per_chunk)):
        logger.info("bank of starts: %d of %d images, once for this prior", done, len(latents))
        with torch.no_grad():
            x = problem.images(part.to(problem.like))
        images[done : done + len(part)] = x.half().cpu().numpy()
        done += len(part)
    return Bank(latents, images, time.perf_counter() - start)


def _kept(name: str, images: np.ndarray) -> np.ndarray:
    """Write the images to the cache and map them from there; as they are where that fails."""
    try:
        return keep(name, images)
    except (OSError, ValueError) as error:
        warnings.warn(
            f"{error}; the bank of starts stays in memory and is computed again next time. Set "
            "GANPRIOR_CACHE to a folder that can be written.",
            stacklevel=2,
        )
        return images
