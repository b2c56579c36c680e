"""A private copy of a generator, made fast for inference.

In eval mode batch norm is an affine map per channel, so it folds into the convolution before it;
and a transposed convolution of a single pixel is a matrix product. Both are exact up to rounding.
Modules that are not recognised stay as they are, and the user's module is never touched.
"""

from __future__ import annotations

import copy
import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval, fuse_linear_bn_eval

_BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)
_TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)


def folded_copy(module: nn.Module, like: Tensor) -> nn.Module:
    """Detached, folded copy of ``module`` in eval mode, with the device and dtype of ``like``.

    Parameters
    ----------
    module : nn.Module
        Any generator.
    like : Tensor
        Floating-point tensor whose device and dtype the copy takes.
    """
    network = copy.deepcopy(module).eval().requires_grad_(False)
    network = network.to(device=like.device, dtype=like.dtype)
    return _fold(network)


def _fold(module: nn.Module) -> nn.Module:
    for name, child in module.named_children():
        setattr(module, name, _fold(child))
    # Only a plain Sequential says in which order its children run. A DCGAN is a subclass that
    # changes nothing but the constructor; one with a forward of its own is left alone.
    if isinstance(module, nn.Sequential) and type(module).forward is nn.Sequential.forward:
        return nn.Sequential(*_as_linear(_without_batch_norm(list(module))))
    return module


def _without_batch_norm(layers: list[nn.Module]) -> list[nn.Module]:
    folded: list[nn.Module] = []
    for layer in layers:
        before = folded[-1] if folded else None
        fused = _fused(before, layer)
        if fused is None:
            folded.append(layer)
        else:
            folded[-1] = fused
    return folded


def _fused(before: nn.Module | None, norm: nn.Module) -> nn.Module | None:
    """One layer that does the work of both, or None where they do not fold."""
    if not isinstance(norm, _BATCH_NORMS) or norm.running_mean is None:
        return None
    if isinstance(before, _TRANSPOSED):
        # torch reshapes the scale for transposed kernels without regard to groups.
        return fuse_conv_bn_eval(before, norm, transpose=True) if before.groups == 1 else None
    if isinstance(before, nn.Conv1d | nn.Conv2d | nn.Conv3d):
        return fuse_conv_bn_eval(before, norm)
    if isinstance(before, nn.Linear):
        return fuse_linear_bn_eval(before, norm)
    return None


def _as_linear(layers: list[nn.Module]) -> list[nn.Module]:
    """Turn a leading transposed convolution of a 1 x 1 grid into a matrix product."""
    if len(layers) < 2 or not isinstance(layers[0], nn.Unflatten):
        return layers
    unflatten, projection = layers[0], layers[1]
    size: Any = unflatten.unflattened_size
    if not (unflatten.dim == 1 and len(size) == 3 and tuple(size[1:]) == (1, 1)):
        return layers
    if not _projects_one_pixel(projection):
        return layers
    assert isinstance(projection, nn.ConvTranspose2d)
    weight = projection.weight  # (k, c, height, width)
    latent_size, *grid = weight.shape
    linear = nn.Linear(latent_size, math.prod(grid), bias=projection.bias is not None)
    linear = linear.to(weight).requires_grad_(False)
    linear.weight.copy_(weight.flatten(1).T)
    if projection.bias is not None:
        linear.bias.copy_(projection.bias.repeat_interleave(grid[1] * grid[2]))
    return [linear, nn.Unflatten(1, tuple(grid)), *layers[2:]]


def _projects_one_pixel(layer: nn.Module) -> bool:
    return (
        isinstance(layer, nn.ConvTranspose2d)
        and layer.groups == 1
        and tuple(layer.stride) == (1, 1)
        and tuple(layer.padding) == (0, 0)
        and tuple(layer.output_padding) == (0, 0)
        and tuple(layer.dilation) == (1, 1)
    )


def channels_last(network: nn.Module, image: torch.Tensor) -> nn.Module:
    """``network`` in channels-last memory where convolutions gain by it: float32 and narrower."""
    if image.dtype == torch.float64:
        return network
    return network.to(memory_format=torch.channels_last)
