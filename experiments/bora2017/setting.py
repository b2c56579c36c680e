"""What the figures of Bora et al. (2017) share: images, priors, A, noise, and methods by name.

A. Bora, A. Jalal, E. Price, A. G. Dimakis, "Compressed Sensing using Generative Models", 2017,
arXiv 1703.03208. Every method sees the same held-out images, A and noise; A, noise and starts have
streams of their own, by the seed of the cell. Images are in [0, 1] and A has N(0, 1/m) entries: the
paper's noise (its A has N(0, 1) entries) is sqrt(m) times ours and is called the noise level. The
paper's CelebA images are in [-1, 1]: for images in [0, 1] its noise is divided by 2, its alpha by 2
and its lambda by 4.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from experiments import images
from experiments.rows import Row
from experiments.sweep.device import current_device
from experiments.tuning.chosen import discriminator_weight, inputs_of_alphas, tuned_alpha
from ganprior import (
    BALANCED,
    CSGM,
    FAST,
    REFERENCE,
    DiscriminatorCSGM,
    LassoDCT,
    LassoPixel,
    LassoWavelet,
    Reconstructor,
    Solution,
    Streams,
)
from ganprior.jobs import Cell
from ganprior.metrics import per_pixel_error
from ganprior.physics import Gaussian, add_noise
from ganprior.solvers import FromBank, Polish
from ganprior.streams import derive_seed

# Of smoke presets: the same engine with little of everything.
EFFORTS = {
    "balanced": BALANCED,
    "fast": FAST,
    "reference": REFERENCE,
    # The polish is for what lies in the generator's range, and costs most where m is small.
    "balanced, no polish": BALANCED.without(Polish),
    "fast, no polish": FAST.without(Polish),
    "smoke": FAST.change(FromBank, entries=2000),
}
LASSOS = {"lasso-dct": LassoDCT, "lasso-wavelet": LassoWavelet, "lasso-pixel": LassoPixel}


@dataclass(frozen=True)
class Problem:
    """Signals, what was measured of them, and how.

    Attributes
    ----------
    names : tuple of str
        Name of each signal.
    x : Tensor
        True images, (B, C, H, W), in [0, 1].
    physics : object
        A.
    y : Tensor
        Measurements with their noise.
    noise_std : float
        Standard deviation of the noise of each entry of y.
    streams : Streams
        Of noise and starts.
    """

    names: tuple[str, ...]
    x: Tensor
    physics: Any
    y: Tensor
    noise_std: float
    streams: Streams


def gaussian(m: int, shape: tuple[int, int, int], seed: int) -> Gaussian:
    """A of a seed: the same for every method and block of images, on the device of the sweep."""
    return _gaussian(m, shape, seed, current_device())


@functools.lru_cache(maxsize=2)  # of m = 10,000: half a gigabyte each
def _gaussian(m: int, shape: tuple[int, int, int], seed: int, device: torch.device) -> Gaussian:
    rng = torch.Generator().manual_seed(derive_seed(seed, "physics", m))
    return Gaussian(m, shape, rng).to(device)


def problem(
    signals: tuple[tuple[str, ...], Tensor], physics: Any, noise_std: float, cell: Cell
) -> Problem:
    """Measurements of signals by a physics, with the noise of the cell's seed."""
    names, x = signals
    streams = Streams(cell.seed, range(cell.first, cell.last))
    y = add_noise(physics.A(x), noise_std, streams, physics)
    return Problem(names, x, physics, y, noise_std, streams)


def compressed(
    signals: tuple[tuple[str, ...], Tensor], m: int, noise_level: float, cell: Cell
) -> Problem:
    """m Gaussian measurements of signals, with the paper's noise."""
    channels, height, width = signals[1].shape[1:]
    physics = gaussian(m, (channels, height, width), cell.seed)
    return problem(signals, physics, noise_level / math.sqrt(m), cell)


def solver_of(
    method: str, noise_std: float, effort: str, alpha: float | None = None
) -> Reconstructor:
    """Method by the name that it has in figures.

    ``csgm PRIOR``, with ``lambda=0`` or ``+ D`` (the discriminator term) behind it or nothing, or a
    Lasso, whose ``alpha`` may be given. A weight that is not in the name is the tuned one.
    """
    if method in LASSOS:
        lasso: Reconstructor = LASSOS[method](alpha=alpha, noise_std=noise_std)
        return lasso
    _, name, *variant = method.split(" ", 2)
    prior, schedule = images.load_prior(name), EFFORTS[effort]
    if variant == ["+ D"]:
        weight = discriminator_weight(name)
        return DiscriminatorCSGM(prior, weight, noise_std=noise_std, effort=schedule)
    lambda_ = float(variant[0].removeprefix("lambda=")) if variant else None
    return CSGM(prior, lambda_, noise_std=noise_std, effort=schedule)


def prior_name(method: str) -> str | None:
    """Prior of a method's name, where it has one."""
    words = method.split(" ")
    return words[1] if words[0] in ("csgm", "representation") else None


def image_rows(found: Problem, x_hat: Tensor, status: Iterable[Any], **hashes: str) -> list[Row]:
    """One row per image: name, error, how the search ended, and where it came from.

    The image itself has no error.
    """
    errors = per_pixel_error(x_hat, found.x).tolist()
    own = x_hat is found.x
    return [
        {"image": name, "per_pixel_error": "" if own else round(error, 7), "status": str(end)}
        | hashes
        for name, error, end in zip(found.names, errors, status, strict=True)
    ]


def solved_rows(found: Problem, method: str, effort: str, data: str) -> list[Row]:
    """Rows of a method on a problem."""
    solution = solved(found, method, effort, data)
    return image_rows(found, solution.x, solution.status, **hashes_of(data, method))


def solved(found: Problem, method: str, effort: str, data: str) -> Solution:
    """What a method makes of Gaussian measurements of images of a data set."""
    m = found.y.shape[1]
    basis, level = method.removeprefix("lasso-"), found.noise_std * math.sqrt(m)
    solver = solver_of(method, found.noise_std, effort, tuned_alpha(data, basis, m, level))
    return solver.solve(found.y, found.physics, rng=found.streams)


def hashes_of(data: str, method: str) -> dict[str, str]:
    """Columns that say which images and which prior a row is of."""
    name = prior_name(method)
    return images.hashes_of(images.held_out(data), images.load_prior(name) if name else None)


def inputs_of(config: Any) -> dict[str, str]:
    """Hashes of what a figure reads, and of the table of weights that its Lassos have."""
    return images.inputs_of(config) | inputs_of_alphas(config.data)


def inputs_with_discriminator(config: Any) -> dict[str, str]:
    """The same, and the weights of the discriminator term, which no prior's file holds."""
    priors = [name for name in (config.prior, config.second_prior) if name]
    tuned = {f"discriminator_weight of {n}": f"{discriminator_weight(n):g}" for n in priors}
    return inputs_of(config) | tuned
