"""A private copy of a generator, made fast for inference.

In eval mode batch norm is an affine map per channel, so it folds into the layer before it; a
transposed convolution of a single pixel is a matrix product, and one to few channels a convolution
(``subpixel``); a spectral norm is a constant, and noise and dropout are nothing. All of it is
exact up to rounding. Modules that are not recognised stay as they are, and so does whatever has
hooks; the user's module is never touched.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrizations, parametrize
from torch.nn.utils.fusion import fuse_conv_bn_eval

from ganprior.priors.architectures.stochastic import Dropout, GaussianNoise
from ganprior.priors.modules import copy_of
from ganprior.solvers.engine.subpixel import SubpixelTransposed, doubles_to_few

# Exact types: a subclass may do something else.
_BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.SyncBatchNorm)
_CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
_TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)
_OFF_IN_EVAL = (
    nn.Dropout,
    nn.Dropout1d,
    nn.Dropout2d,
    nn.Dropout3d,
    nn.AlphaDropout,
    nn.FeatureAlphaDropout,
    GaussianNoise,
)


def folded_copy(module: nn.Module, like: Tensor) -> nn.Module:
    """Detached, folded copy of ``module`` in eval mode, with the device and dtype of ``like``.

    Parameters
    ----------
    module : nn.Module
        Any generator.
    like : Tensor
        Floating-point tensor whose device and dtype the copy takes.
    """
    network = copy_of(module).eval().to(device=like.device, dtype=like.dtype)
    for parameter in network.parameters():  # requires_grad_() of TorchScript modules raises
        parameter.requires_grad_(False)
    return _fold(network)


def _fold(module: nn.Module) -> nn.Module:
    if isinstance(module, torch.jit.ScriptModule):  # its children stay what they are
        return module
    for name, child in module.named_children():
        if not isinstance(module, parametrize.ParametrizationList):
            setattr(module, name, _fold(child))
    if _has_hooks(module):
        return module
    if type(module) in _OFF_IN_EVAL or (type(module) is Dropout and not module.at_test):
        return nn.Identity()
    _make_constant(module)
    # Only a plain Sequential says in which order its children run. A DCGAN is a subclass that
    # changes nothing but the constructor; one with a forward of its own is left alone.
    if isinstance(module, nn.Sequential) and type(module).forward is nn.Sequential.forward:
        return nn.Sequential(*map(_subpixel, _without_batch_norm(_as_linear(list(module)))))
    return module


def _subpixel(layer: Any) -> nn.Module:
    fit = doubles_to_few(layer) and not _has_hooks(layer)
    return SubpixelTransposed(layer) if fit else layer


def _has_hooks(module: nn.Module) -> bool:
    """Whether a call of this very module does more, or other, than its class says."""
    hooks = module._forward_hooks or module._forward_pre_hooks or module._backward_hooks
    return bool(hooks) or "forward" in vars(module)


def _make_constant(module: Any) -> None:
    """Replace the parametrizations that torch itself has, spectral norm say, by their values."""
    if not parametrize.is_parametrized(module):
        return
    chains = dict(module.parametrizations.items())
    steps = [step for chain in chains.values() for step in chain]
    if any(type(step).__module__ != parametrizations.__name__ for step in steps):
        return
    values = {name: getattr(module, name).detach().clone() for name in chains}
    # Not remove_parametrizations(): it takes the weight out of the class, which the user's module
    # shares with this copy of it.
    module.__class__ = type(module).__bases__[0]
    del module.parametrizations
    for name, value in values.items():
        module.register_parameter(name, nn.Parameter(value, requires_grad=False))


def _without_batch_norm(layers: list[nn.Module]) -> list[nn.Module]:
    """Fold every batch norm that can be; every other layer keeps its place in the list."""
    folded: list[nn.Module] = []
    for layer in layers:
        folded.append(layer)
        if type(layer) in _BATCH_NORMS and not _has_hooks(layer):
            _fold_last(folded)
    return folded


def _fold_last(layers: list[nn.Module]) -> None:
    """Fold the batch norm at the end of the list into the layer that makes its channels."""
    norm: Any = layers[-1]
    if len(layers) < 2 or norm.running_mean is None or norm.training or _has_hooks(layers[-2]):
        return
    before: Any = layers[-2]
    if type(before) in _CONVOLUTIONS:
        layers[-2:] = [fuse_conv_bn_eval(before, norm), nn.Identity()]
    elif type(before) in _TRANSPOSED and before.groups == 1:
        # With groups torch would scale the wrong channels.
        layers[-2:] = [fuse_conv_bn_eval(before, norm, transpose=True), nn.Identity()]
    elif type(before) is nn.Linear and before.out_features == norm.num_features:
        layers[-2:] = [_scaled(before, norm, 1), nn.Identity()]
    elif len(layers) > 2 and _makes_grid(layers[-3], before, norm):
        layers[-3] = _scaled(layers[-3], norm, math.prod(before.unflattened_size[1:]))
        layers[-1] = nn.Identity()


def _makes_grid(linear: nn.Module, unflatten: nn.Module, norm: Any) -> bool:
    """Whether the two make a grid of the batch norm's channels out of a vector."""
    if type(linear) is not nn.Linear or type(unflatten) is not nn.Unflatten or _has_hooks(linear):
        return False
    size: Any = unflatten.unflattened_size
    whole = unflatten.dim == 1 and linear.out_features == math.prod(size)
    return whole and len(size) > 1 and size[0] == norm.num_features


def _scaled(linear: Any, norm: Any, places: int) -> nn.Linear:
    """Linear layer that also does the batch norm, over channels of ``places`` entries each."""
    scale = (norm.running_var + norm.eps).rsqrt()
    if norm.weight is not None:
        scale = scale * norm.weight
    shift = -norm.running_mean * scale
    if norm.bias is not None:
        shift = shift + norm.bias
    scale, shift = scale.repeat_interleave(places), shift.repeat_interleave(places)
    if linear.bias is not None:
        shift = shift + scale * linear.bias
    return _linear(scale[:, None] * linear.weight, shift)


def _linear(weight: Tensor, bias: Tensor | None) -> nn.Linear:
    outputs, inputs = weight.shape
    layer = nn.Linear(inputs, outputs, bias=bias is not None).to(weight).requires_grad_(False)
    layer.weight.copy_(weight)
    if bias is not None:
        layer.bias.copy_(bias)
    return layer.eval()


def _as_linear(layers: list[nn.Module]) -> list[nn.Module]:
    """Turn a leading transposed convolution of a 1 x 1 grid into a matrix product."""
    if len(layers) < 2 or type(layers[0]) is not nn.Unflatten or _has_hooks(layers[0]):
        return layers
    size: Any = layers[0].unflattened_size
    if not (layers[0].dim == 1 and len(size) == 3 and tuple(size[1:]) == (1, 1)):
        return layers
    if not _projects_one_pixel(layers[1]):
        return layers
    projection: Any = layers[1]
    _, *grid = projection.weight.shape  # (k, c, height, width)
    bias = projection.bias
    if bias is not None:
        bias = bias.repeat_interleave(grid[1] * grid[2])
    linear = _linear(projection.weight.flatten(1).T, bias)
    return [linear, nn.Unflatten(1, tuple(grid)), *layers[2:]]


def _projects_one_pixel(layer: nn.Module) -> bool:
    return (
        type(layer) is nn.ConvTranspose2d
        and not _has_hooks(layer)
        and layer.groups == 1
        and tuple(layer.stride) == (1, 1)
        and tuple(layer.padding) == (0, 0)
        and tuple(layer.output_padding) == (0, 0)
        and tuple(layer.dilation) == (1, 1)
    )


def channels_last(network: nn.Module, image: Tensor) -> nn.Module:
    """``network`` in channels-last memory where convolutions gain by it: float32 and narrower."""
    if image.dtype == torch.float64:
        return network
    # Not network.to(memory_format=...), which torch refuses where a weight has five axes.
    for tensor in (*network.parameters(), *network.buffers()):
        if tensor.dim() == 4:
            tensor.data = tensor.data.contiguous(memory_format=torch.channels_last)
    return network
