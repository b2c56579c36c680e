"""BigGAN's generator, small: the layers, names and calls of ajbrock/BigGAN-PyTorch.

Brock et al. 2019, arXiv 1809.11096, appendix B, figure 15: z in chunks, one for the first layer and
one for each block, each joined to the shared embedding of the class; spectral norms; batch norms
whose gains and biases are linear in these; attention.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils import spectral_norm


class ConditionalBatchNorm(nn.Module):
    stored_mean: Tensor
    stored_var: Tensor

    def __init__(self, outputs: int, inputs: int) -> None:
        super().__init__()
        self.gain = spectral_norm(nn.Linear(inputs, outputs, bias=False))
        self.bias = spectral_norm(nn.Linear(inputs, outputs, bias=False))
        self.register_buffer("stored_mean", torch.zeros(outputs))
        self.register_buffer("stored_var", torch.ones(outputs))

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        gain, bias = 1 + self.gain(y)[..., None, None], self.bias(y)[..., None, None]
        x = F.batch_norm(x, self.stored_mean, self.stored_var, None, None, self.training, 0.1, 1e-5)
        return x * gain + bias


class Attention(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()

        def convolution(inputs: int, outputs: int) -> nn.Module:
            return spectral_norm(nn.Conv2d(inputs, outputs, 1, bias=False))

        self.theta, self.phi = (convolution(channels, channels // 8) for _ in range(2))
        self.g, self.o = (
            convolution(channels, channels // 2),
            convolution(channels // 2, channels),
        )
        self.gamma = nn.Parameter(torch.tensor(0.5))

    def forward(self, x: Tensor) -> Tensor:
        theta, phi, g = self.theta(x), *(F.max_pool2d(part(x), 2) for part in (self.phi, self.g))
        share = torch.softmax(theta.flatten(2).mT @ phi.flatten(2), -1)
        found = (g.flatten(2) @ share.mT).unflatten(2, x.shape[2:])
        return self.gamma * self.o(found) + x


class GBlock(nn.Module):
    def __init__(self, inputs: int, outputs: int, styles: int) -> None:
        super().__init__()
        self.conv1 = spectral_norm(nn.Conv2d(inputs, outputs, 3, padding=1))
        self.conv2 = spectral_norm(nn.Conv2d(outputs, outputs, 3, padding=1))
        self.conv_sc = spectral_norm(nn.Conv2d(inputs, outputs, 1))
        self.bn1 = ConditionalBatchNorm(inputs, styles)
        self.bn2 = ConditionalBatchNorm(outputs, styles)

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        h = F.interpolate(F.relu(self.bn1(x, y)), scale_factor=2)
        h = self.conv2(F.relu(self.bn2(self.conv1(h), y)))
        return h + self.conv_sc(F.interpolate(x, scale_factor=2))


class Generator(nn.Module):
    """``G(z, G.shared(y))``, as in ajbrock's code with ``hier`` and ``G_shared``."""

    def __init__(self, dim_z: int = 6, n_classes: int = 5, shared_dim: int = 4) -> None:
        super().__init__()
        self.dim_z, self.n_classes = dim_z, n_classes
        self.z_chunk_size = dim_z // 3
        self.shared = nn.Embedding(n_classes, shared_dim)
        self.linear = spectral_norm(nn.Linear(self.z_chunk_size, 16 * 16))
        styles = shared_dim + self.z_chunk_size
        first = nn.ModuleList([GBlock(16, 16, styles)])
        second = nn.ModuleList([GBlock(16, 8, styles), Attention(8)])
        self.blocks = nn.ModuleList([first, second])
        self.output_layer = nn.Sequential(
            nn.BatchNorm2d(8), nn.ReLU(), spectral_norm(nn.Conv2d(8, 3, 3, padding=1))
        )

    def forward(self, z: Tensor, y: Tensor) -> Tensor:
        first, *others = z.split(self.z_chunk_size, 1)
        h = self.linear(first).view(len(z), 16, 4, 4)
        for blocks, chunk in zip(self.blocks, others, strict=True):
            for block in blocks.children():
                h = block(h) if isinstance(block, Attention) else block(h, torch.cat([y, chunk], 1))
        return torch.tanh(self.output_layer(h))
