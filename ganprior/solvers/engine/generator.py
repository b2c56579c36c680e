"""The engine's own copy of a prior's generator, measured and examined before it is used.

A generator must be a function of its latent through which gradients pass, and an image must not
depend on its neighbours in a batch. One that is not so would be searched without an error, and
what is found would mean nothing: it is refused, or mended where that can be.
"""

from __future__ import annotations

import warnings
import weakref
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ganprior.priors import Prior
from ganprior.priors.fixed_noise import FixedNoise
from ganprior.priors.modules import copy_of
from ganprior.solvers.engine.blocks import with_block_products
from ganprior.solvers.engine.folding import channels_last, folded_copy
from ganprior.streams import derive_seed

# Differences of images, in units of ``image_range``, that are not rounding; the second is for half
# precision, which a generator may compute in.
ROUNDING, HALF_ROUNDING = 1e-3, 0.1

# Modules that have been examined, and whether they draw noise.
_examined: weakref.WeakKeyDictionary[nn.Module, bool] = weakref.WeakKeyDictionary()


@dataclass(frozen=True)
class OwnGenerator:
    """A copy of the generator, and what it costs.

    Attributes
    ----------
    network : nn.Module
        Maps latents (N, *latent shape) to images in the prior's ``image_range``.
    kept_bytes : int
        What autograd keeps of one image.
    passing_bytes : int
        What one image takes at most while no gradient is kept: its largest map, with those before
        and behind it and room for the convolution between.
    """

    network: nn.Module
    kept_bytes: int
    passing_bytes: int


def own_generator(prior: Prior, like: Tensor) -> OwnGenerator:
    """Copy, measure and, the first time, examine the generator of a prior.

    Parameters
    ----------
    prior : Prior
        The prior.
    like : Tensor
        Image (1, C, H, W) whose device and dtype latents will have.

    Raises
    ------
    ValueError
        If it cannot be copied or called, no gradient reaches z, or its images depend on anything
        but their latents.
    """
    rng = torch.Generator().manual_seed(derive_seed(0, "examination"))
    z = prior.latent.sample(2, rng).to(like)
    try:
        network: nn.Module = _prepared(prior.generator, like)
        trial = _Trial(network, z[:1])
    # A module whose constants are of another type or device may raise anything.
    except Exception:
        network = _AtItsOwn(prior.generator)
        try:
            trial = _Trial(network, z[:1])
        except Exception as error:
            reason = next(iter(str(error).splitlines()), "") or type(error).__name__
            raise ValueError(
                f"the generator fails on latents {tuple(z.shape)}: {reason}"
            ) from error
    if prior.generator not in _examined:
        _check_gradient(trial, network, z)
        noisy = _differs(trial.image, network(z[:1]), prior) > 0
        _examined[prior.generator] = noisy
        fixed = _with_fixed_noise(network, z, prior) if noisy else network
        _check_neighbours(fixed, z, prior)
    elif _examined[prior.generator]:
        fixed = _with_fixed_noise(network, z, prior)
    else:
        fixed = network
    smallest = 2 * like.numel() * like.element_size()
    weights = sum(p.numel() * p.element_size() for p in network.parameters())
    kept = max(trial.kept - weights, smallest)
    return OwnGenerator(fixed, kept, max(4 * trial.largest, smallest))


def _prepared(generator: nn.Module, like: Tensor) -> nn.Module:
    return channels_last(with_block_products(folded_copy(generator, like)), like)


class _AtItsOwn(nn.Module):
    """A generator that computes on its own device in its own precision, whatever it is given."""

    def __init__(self, generator: nn.Module) -> None:
        super().__init__()
        self.generator = copy_of(generator).eval()
        for parameter in self.generator.parameters():
            parameter.requires_grad_(False)
        floats = (p for p in generator.parameters() if p.is_floating_point())
        self.own = next(floats, torch.empty(0)).detach()

    def forward(self, z: Tensor) -> Tensor:
        image: Tensor = self.generator(z.to(self.own))
        return image.to(z)


class _Trial:
    """One image with its history; bytes that autograd keeps of it, and those of its largest map."""

    def __init__(self, network: nn.Module, z: Tensor) -> None:
        self.kept = self.largest = 0
        self.z = z.clone().requires_grad_(True)
        hooks = torch.autograd.graph.saved_tensors_hooks(self._count, lambda tensor: tensor)
        self._weights = {p.data_ptr() for p in network.parameters()}
        with torch.enable_grad(), hooks:
            self.image: Tensor = network(self.z)

    def _count(self, tensor: Tensor) -> Tensor:
        size = tensor.numel() * tensor.element_size()
        self.kept += size
        if tensor.data_ptr() not in self._weights:
            self.largest = max(self.largest, size)
        return tensor


def _check_gradient(trial: _Trial, network: nn.Module, z: Tensor) -> None:
    cause = "its forward runs under torch.no_grad, or takes numbers out of the graph"
    if trial.image.requires_grad:
        rng = torch.Generator().manual_seed(derive_seed(0, "cotangent"))
        cotangent = torch.randn(trial.image.shape, generator=rng).to(trial.image)
        (gradient,) = torch.autograd.grad(
            trial.image, trial.z, cotangent, allow_unused=True, retain_graph=True
        )
        if gradient is not None and gradient.any():
            return
        with torch.no_grad():
            if torch.equal(network(z[:1]), network(z[1:])):  # one image for all latents: it is 0
                return
        cause = "it rounds or quantises on the way"
    raise ValueError(f"no gradient reaches z through the generator: {cause}; nothing can be solved")


def _with_fixed_noise(network: nn.Module, z: Tensor, prior: Prior) -> nn.Module:
    fixed = FixedNoise(network)
    with torch.no_grad():
        first, second = fixed(z[:1]), fixed(z[:1])
    if _differs(first, second, prior):
        raise ValueError(
            "the generator gives another image in each call, and not by torch.randn or torch.rand; "
            "make its noise an attribute that stays"
        )
    warnings.warn(
        "the generator draws noise inside: it is searched with the noise of seed 0, so that x is "
        "not prior(z); give noise_seed=0 to Prior.from_module, and prior(z) has this noise too",
        stacklevel=2,
    )
    return fixed


def _check_neighbours(network: nn.Module, z: Tensor, prior: Prior) -> None:
    with torch.no_grad():
        change = _differs(network(z[:1]), network(z)[:1], prior)
    if change:
        raise ValueError(
            f"an image of the generator depends on its neighbours in a batch, by {change:.2g} of "
            "image_range: batch norm without running statistics does that; export it in eval mode "
            "with statistics, or wrap it to take one image at a time"
        )


def _differs(a: Tensor, b: Tensor, prior: Prior) -> float:
    """Largest difference of images in units of ``image_range``; 0 where it may be rounding."""
    low, high = prior.image_range
    change = float((a - b).detach().abs().max()) / (high - low)
    half = torch.finfo(a.dtype).bits == 16
    return change if change > (HALF_ROUNDING if half else ROUNDING) else 0.0
