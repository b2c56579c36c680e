"""A transposed convolution to few channels, written as a convolution.

A kernel of 4 x 4 with stride 2 and padding 1 doubles a grid. Output row 2i + p, p = 0 or 1, sees
two rows of the input, those from i - 1 + p on, through the taps 3 - p and 1 - p; columns likewise.
So a 2 x 2 convolution with four times the channels, one set for each (p, q), computes all outputs,
which then take their places: the sub-pixel form of Shi et al. (2016, arXiv 1609.05158; the
equality is spelt out in arXiv 1609.07009), with the smallest window that it can have.

It is exact, and where a generator ends in one or three channels it pays on a CPU, whose
transposed convolution leaves most of its vector lanes idle there. With many channels it gains
nothing.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d

# Output channels up to which it pays.
FEW = 4


class SubpixelTransposed(nn.Module):
    """The transposed convolution ``layer``, which :func:`doubles_to_few` must hold for.

    Its derivatives are by the input alone: the weights are constants.

    Parameters
    ----------
    layer : nn.ConvTranspose2d
        Supplies weight (C, c, 4, 4) and bias; it is not changed.
    """

    weight: Tensor
    window: Tensor
    bias: Tensor | None

    def __init__(self, layer: nn.ConvTranspose2d) -> None:
        super().__init__()
        weight = layer.weight.detach()
        taps = [
            weight[:, :, [3 - p, 1 - p]][..., [3 - q, 1 - q]].transpose(0, 1)
            for p in range(2)
            for q in range(2)
        ]
        self.register_buffer("weight", weight)
        self.register_buffer("window", torch.cat(taps).contiguous())
        bias = None if layer.bias is None else layer.bias.detach().repeat(4)
        self.register_buffer("bias", bias)

    def forward(self, x: Tensor) -> Tensor:
        """Grids (B, C, h, w) to (B, c, 2h, 2w)."""
        doubled: Tensor = _Doubling.apply(x, self)
        return doubled


class _Doubling(torch.autograd.Function):
    """The map with derivatives of its own.

    Automatic differentiation would go back through the rearrangement, which takes longer than the
    transpose of the whole map: an ordinary convolution with stride 2.
    """

    generate_vmap_rule = True

    @staticmethod
    def forward(x: Tensor, layer: SubpixelTransposed) -> Tensor:
        return _doubled(x, layer.window, layer.bias)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, SubpixelTransposed], output: Tensor) -> None:
        ctx.layer = inputs[1]

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return conv2d(gradient, ctx.layer.weight, stride=2, padding=1), None

    @staticmethod
    def jvp(ctx: Any, tangent: Tensor, _: None) -> Tensor:
        return _doubled(tangent, ctx.layer.window, None)


def _doubled(x: Tensor, window: Tensor, bias: Tensor | None) -> Tensor:
    parts = conv2d(x, window, bias, padding=1)
    height, width = x.shape[-2:]
    channels = len(window) // 4
    doubled = parts.new_empty(*x.shape[:-3], channels, 2 * height, 2 * width)
    for number, part in enumerate(parts.split(channels, -3)):
        p, q = divmod(number, 2)
        doubled[..., p::2, q::2] = part[..., p : p + height, q : q + width]
    return doubled


def doubles_to_few(layer: nn.Module) -> bool:
    """Whether ``layer`` doubles a grid, on a CPU, by a transposed convolution to few channels."""
    return (
        type(layer) is nn.ConvTranspose2d
        and layer.weight.device.type == "cpu"
        and layer.out_channels <= FEW
        and layer.groups == 1
        and tuple(layer.kernel_size) == (4, 4)
        and tuple(layer.stride) == (2, 2)
        and tuple(layer.padding) == (1, 1)
        and tuple(layer.output_padding) == (0, 0)
        and tuple(layer.dilation) == (1, 1)
    )
