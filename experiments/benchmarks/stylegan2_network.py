"""StyleGAN2's generator of random weights: layers, names and calls of rosinality/stylegan2-pytorch.

Karras et al. 2020, arXiv 1912.04958: equalised learning rates, modulated and demodulated
convolutions with weights (1, out, in, k, k), noise, leaky ReLU with gain, skips of ToRGB layers.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def rng(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def normal(*shape: int, seed: int = 0) -> nn.Parameter:
    return nn.Parameter(torch.randn(*shape, generator=rng(sum(shape) + seed)))


class EqualLinear(nn.Module):
    def __init__(
        self, inputs: int, outputs: int, *, bias: float = 0.0, active: bool = False
    ) -> None:
        super().__init__()
        self.weight, self.scale = normal(outputs, inputs), 1 / math.sqrt(inputs)
        self.bias, self.active = nn.Parameter(torch.full((outputs,), bias)), active

    def forward(self, x: Tensor) -> Tensor:
        x = F.linear(x, self.weight * self.scale, self.bias)
        return F.leaky_relu(x, 0.2) * math.sqrt(2) if self.active else x


class PixelNorm(nn.Module):
    def forward(self, z: Tensor) -> Tensor:
        return z * torch.rsqrt(z.square().mean(1, keepdim=True) + 1e-8)


def blur(x: Tensor, gain: float) -> Tensor:
    row = torch.tensor([1.0, 3, 3, 1]).to(x)
    kernel = (row[:, None] * row / 64 * gain).expand(x.shape[1], 1, 4, 4)
    return F.conv2d(x, kernel, groups=x.shape[1])


class ModulatedConv2d(nn.Module):
    def __init__(
        self,
        inputs: int,
        outputs: int,
        size: int,
        styles: int,
        *,
        demodulate: bool = True,
        upsample: bool = False,
    ) -> None:
        super().__init__()
        self.weight = normal(1, outputs, inputs, size, size)
        self.scale = 1 / math.sqrt(inputs * size**2)
        self.modulation = EqualLinear(styles, inputs, bias=1.0)
        self.demodulate, self.upsample, self.padding = demodulate, upsample, size // 2

    def forward(self, x: Tensor, style: Tensor) -> Tensor:
        batch, inputs, height, width = x.shape
        style = self.modulation(style).view(batch, 1, inputs, 1, 1)
        weight = self.scale * self.weight * style
        if self.demodulate:
            weight = weight * torch.rsqrt(weight.square().sum([2, 3, 4], keepdim=True) + 1e-8)
        x = x.reshape(1, batch * inputs, height, width)
        if not self.upsample:
            x = F.conv2d(x, weight.flatten(0, 1), padding=self.padding, groups=batch)
            return x.view(batch, -1, height, width)
        weight = weight.transpose(1, 2).flatten(0, 1)
        x = F.conv_transpose2d(x, weight, stride=2, groups=batch)
        return blur(F.pad(x.view(batch, -1, *x.shape[2:]), (1, 1, 1, 1)), 4)


class StyledConv(nn.Module):
    def __init__(self, inputs: int, outputs: int, styles: int, *, upsample: bool = False) -> None:
        super().__init__()
        self.conv = ModulatedConv2d(inputs, outputs, 3, styles, upsample=upsample)
        self.strength, self.bias = (
            nn.Parameter(torch.full((1,), 0.1)),
            nn.Parameter(torch.zeros(1, outputs, 1, 1)),
        )

    def forward(self, x: Tensor, style: Tensor, noise: Tensor | None) -> Tensor:
        x = self.conv(x, style)
        if noise is None:
            noise = x.new_empty(len(x), 1, *x.shape[2:]).normal_()
        return F.leaky_relu(x + self.strength * noise + self.bias, 0.2) * math.sqrt(2)


class ToRGB(nn.Module):
    def __init__(self, inputs: int, styles: int) -> None:
        super().__init__()
        self.conv = ModulatedConv2d(inputs, 3, 1, styles, demodulate=False)
        self.bias = nn.Parameter(torch.zeros(1, 3, 1, 1))

    def forward(self, x: Tensor, style: Tensor, skip: Tensor | None) -> Tensor:
        x = self.conv(x, style) + self.bias
        if skip is None:
            return x
        wide = skip.new_zeros(len(skip), 3, skip.shape[2], 2, skip.shape[3], 2)
        wide[:, :, :, 0, :, 0] = skip
        return x + blur(F.pad(wide.reshape(len(skip), 3, *x.shape[2:]), (2, 1, 2, 1)), 4)


class Generator(nn.Module):
    """Rosinality's: ``style``, ``n_latent``, ``noises``, and a forward of a list of styles."""

    def __init__(
        self, size: int = 16, style_dim: int = 8, n_mlp: int = 3, channels: int = 8
    ) -> None:
        super().__init__()
        self.style_dim, self.n_latent = style_dim, int(math.log2(size)) * 2 - 2
        layers = [EqualLinear(style_dim, style_dim, active=True) for _ in range(n_mlp)]
        for number, layer in enumerate(layers):
            layer.weight.data.copy_(normal(style_dim, style_dim, seed=number))
        self.style = nn.Sequential(PixelNorm(), *layers)
        self.input = normal(1, channels, 4, 4)
        self.conv1, self.to_rgb1 = (
            StyledConv(channels, channels, style_dim),
            ToRGB(channels, style_dim),
        )
        self.convs, self.to_rgbs, self.noises = nn.ModuleList(), nn.ModuleList(), nn.Module()
        for number in range(self.n_latent - 1):
            side = 2 ** ((number + 5) // 2)
            noise = torch.randn(1, 1, side, side, generator=rng(number))
            self.noises.register_buffer(f"noise_{number}", noise)
        for _ in range(int(math.log2(size)) - 2):
            self.convs.append(StyledConv(channels, channels, style_dim, upsample=True))
            self.convs.append(StyledConv(channels, channels, style_dim))
            self.to_rgbs.append(ToRGB(channels, style_dim))

    def forward(
        self, styles: list[Tensor], input_is_latent: bool = False, randomize_noise: bool = True
    ) -> tuple[Tensor, None]:
        if not input_is_latent:
            styles = [self.style(style) for style in styles]
        w = styles[0] if styles[0].dim() == 3 else styles[0][:, None].repeat(1, self.n_latent, 1)
        count = self.n_latent - 1
        own = [getattr(self.noises, f"noise_{number}") for number in range(count)]
        noise = count * [None] if randomize_noise else own
        x = self.conv1(self.input.repeat(len(w), 1, 1, 1), w[:, 0], noise[0])
        skip = self.to_rgb1(x, w[:, 1], None)
        pairs = zip(self.convs[::2], self.convs[1::2], self.to_rgbs, strict=True)
        for number, (up, flat, to_rgb) in enumerate(pairs):
            place = 2 * number + 1
            x = up(x, w[:, place], noise[place])
            x = flat(x, w[:, place + 1], noise[place + 1])
            skip = to_rgb(x, w[:, place + 2], skip)
        return skip, None
