"""Initial weights."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

INITIAL_STD = 0.02
# As many as torch's spectral_norm begins with.
POWER_ITERATIONS = 15
_LAYERS = (nn.Conv2d, nn.ConvTranspose2d, nn.Linear)
_BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d)


class HeSequential(nn.Sequential):
    """A sequence whose weights start from N(0, 2 / inputs); see ``initialise``."""

    initial_std = None


@torch.no_grad()
def initialise(network: nn.Module, rng: torch.Generator, std: float | None = INITIAL_STD) -> None:
    """Draw the initial weights of a network, in place; biases are 0.

    Batch-norm scales come from N(1, 0.02). The other weights come from N(0, 0.02) (Radford et al.
    2016, section 4), or, inside a :class:`HeSequential`, from N(0, 2 / inputs) (He et al. 2015,
    arXiv 1502.01852, eq. 10): an MLP or ResNet of scale 0.02 would pass next to nothing on.

    Parameters
    ----------
    network : nn.Module
        What to fill.
    rng : torch.Generator
        Source of the weights, on the CPU.
    std : float, optional
        Standard deviation of the weights; None for He et al.
    """
    std = getattr(network, "initial_std", std)
    if isinstance(network, _LAYERS):
        _fill(network, rng, std)
    elif isinstance(network, _BATCH_NORMS) and network.affine:
        _draw(network.weight, lambda weight: nn.init.normal_(weight, 1.0, INITIAL_STD, rng))
        nn.init.zeros_(network.bias)
    for child in network.children():
        initialise(child, rng, std)
    if isinstance(network, _LAYERS) and parametrize.is_parametrized(network, "weight"):
        _restart_power_iteration(network, rng)


def _draw(tensor: Tensor, fill: Callable[[Tensor], Tensor]) -> None:
    """Fill in float32, so that weights of any type start from the same numbers."""
    tensor.copy_(fill(torch.empty_like(tensor, dtype=torch.float32)))


def _fill(layer: nn.Module, rng: torch.Generator, std: float | None) -> None:
    weight = _stored_weight(layer)
    if std is None:
        _draw(weight, lambda w: nn.init.kaiming_normal_(w, nonlinearity="relu", generator=rng))
    else:
        _draw(weight, lambda w: nn.init.normal_(w, 0.0, std, rng))
    if isinstance(layer.bias, Tensor):
        nn.init.zeros_(layer.bias)


def _stored_weight(layer: nn.Module) -> Tensor:
    """The weight itself, under a parametrization the tensor that it is computed from."""
    if not parametrize.is_parametrized(layer, "weight"):
        return cast(Tensor, layer.weight)
    return cast(Tensor, _chain(layer).original)


def _chain(layer: nn.Module) -> nn.Module:
    """Parametrizations of a layer's weight."""
    return cast(nn.ModuleDict, layer.parametrizations)["weight"]


def _restart_power_iteration(layer: nn.Module, rng: torch.Generator) -> None:
    """Singular vectors of a spectral norm from ``rng``: torch drew them from its own generator."""
    chain = _chain(layer)
    for vector in chain.buffers():
        _draw(vector, lambda v: nn.init.normal_(v, generator=rng))
    modes = [(part, part.training) for part in chain.modules()]
    chain.train()
    for _ in range(POWER_ITERATIONS):
        _ = layer.weight
    for part, training in modes:
        part.training = training
