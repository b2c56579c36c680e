"""Strided convolutions with fewer products, for training on a CPU in float32.

S. Winograd, "Arithmetic Complexity of Computations", 1980; for networks A. Lavin, S. Gray, "Fast
Algorithms for Convolutional Neural Networks", 2016, arXiv 1509.09308, equations (8) and (12):

    Y = A^T [ (G g G^T) * (B^T d B) ] A.

A convolution of 4 taps and stride 2 is, along each axis, the sum of two of 2 taps and stride 1:
one over the even and one over the odd pixels (its two phases). F(4, 2) gets 4 outputs of 2 taps
from 5 products instead of 8, so 25 instead of 64 in the plane; F(2, 2) from 3 instead of 4. What
stays are products of matrices, over channels, which a CPU does at its peak. A transposed
convolution is the same read backwards. The matrices are those of Toom and Cook: values of
polynomials at the points 0, 1, -1, 1/2 and infinity. Results differ from those of the convolution
by rounding alone, and are differentiable any number of times.

Used on grids of 8 x 8 and 4 x 4 outputs, where most of a DCGAN's weights are and oneDNN is far
below the speed of a matrix product; on larger grids moving the tiles about costs as much as is
saved. ``experiments/benchmarks/training.py`` measures what it brings.
"""

from __future__ import annotations

from functools import cache

import torch
from torch import Tensor, nn

# Outputs along an axis, and of them to a tile.
TILES = {4: 2, 8: 4}
# Below, oneDNN's own convolution is as fast.
CHANNELS = 128


class FastConv2d(nn.Conv2d):
    """A convolution of 4 x 4 taps, stride 2 and padding 1."""

    def forward(self, x: Tensor) -> Tensor:
        """Images (B, C, 2 h, 2 w) to (B, O, h, w); others by the usual way."""
        height = x.shape[2] // 2
        if x.shape[2:] != (2 * height, 2 * height) or not _suits(x, height):
            return super().forward(x)
        inputs = _transform_images(x.permute(0, 2, 3, 1))
        products = inputs @ _transform_taps(self.weight, TILES[height]).mT
        y = _collect_outputs(products, len(x), height).permute(0, 3, 1, 2)
        return y if self.bias is None else y + self.bias[:, None, None]


class FastConvTranspose2d(nn.ConvTranspose2d):
    """A transposed convolution of 4 x 4 taps, stride 2 and padding 1."""

    def forward(self, x: Tensor, output_size: list[int] | None = None) -> Tensor:
        """Images (B, O, h, w) to (B, C, 2 h, 2 w); others by the usual way."""
        height = x.shape[2]
        if output_size is not None or x.shape[3] != height or not _suits(x, height):
            return super().forward(x, output_size)
        outputs = _spread_outputs(x.permute(0, 2, 3, 1))
        products = outputs @ _transform_taps(self.weight, TILES[height])
        y = _collect_images(products, len(x), height).permute(0, 3, 1, 2)
        return y if self.bias is None else y + self.bias[:, None, None]


_FAST: dict[type[nn.Module], type[nn.Module]] = {
    nn.Conv2d: FastConv2d,
    nn.ConvTranspose2d: FastConvTranspose2d,
}


def use_fast_convolutions(network: nn.Module, channels: int | None = None) -> None:
    """Put fast layers in the place of those that can be; parameters and their names stay.

    Parameters
    ----------
    network : nn.Module
        Changed in place.
    channels : int
        Fewest channels, on both sides, of a layer that is worth it; ``CHANNELS`` unless given.
    """
    channels = CHANNELS if channels is None else channels
    for parent in list(network.modules()):
        for name, layer in parent.named_children():
            if type(layer) in _FAST and _fits(layer, channels):
                setattr(parent, name, _fast(layer))


def _fits(layer: nn.Module, channels: int) -> bool:
    wanted = {
        "kernel_size": (4, 4),
        "stride": (2, 2),
        "padding": (1, 1),
        "dilation": (1, 1),
        "output_padding": (0, 0),
        "groups": 1,
        "padding_mode": "zeros",
    }
    narrow = min(int(layer.in_channels), int(layer.out_channels))  # type: ignore[arg-type]
    return narrow >= channels and all(getattr(layer, k) == v for k, v in wanted.items())


def _fast(layer: nn.Module) -> nn.Module:
    """Return a layer of the fast class that shares the parameters of an ordinary one."""
    fast = _FAST[type(layer)].__new__(_FAST[type(layer)])
    fast.__dict__ = layer.__dict__
    return fast


def _suits(x: Tensor, outputs: int) -> bool:
    """Whether a grid has tiles, and products are exact and fast: on a CPU, not in half precision.

    A network that was trained on a CPU may be copied elsewhere with its layers.
    """
    return (
        outputs in TILES
        and x.device.type == "cpu"
        and x.dtype in (torch.float32, torch.float64)
        and not torch.is_autocast_enabled("cpu")
    )


@cache
def _matrices(tile: int) -> tuple[Tensor, Tensor, Tensor]:
    """A^T (tile, n), G (n, 2) and B^T (n, n) of F(tile, 2), n = tile + 1, in float64."""
    points = torch.tensor([0.0, 1.0, -1.0, 0.5][:tile], dtype=torch.float64)

    def values(count: int) -> Tensor:
        """Of polynomials with ``count`` coefficients, at the points; at infinity the last."""
        powers = points[:, None] ** torch.arange(count)
        last = torch.zeros(1, count, dtype=torch.float64)
        last[0, -1] = 1
        return torch.cat([powers, last])

    return values(tile).T, values(2), torch.linalg.inv(values(tile + 1)).T


@cache
def _analysis(outputs: int, dtype: torch.dtype) -> Tensor:
    """B^T for every tile and phase of an axis, padding included: (2, n, tiles, 2 outputs)."""
    tile = TILES[outputs]
    transform = _matrices(tile)[2]
    taken = torch.zeros(2, tile + 1, outputs // tile, 2 * outputs + 2, dtype=torch.float64)
    for phase in range(2):
        for first in range(0, outputs, tile):
            pixels = 2 * torch.arange(first, first + tile + 1) + phase
            taken[phase, :, first // tile, pixels] = transform
    return taken[..., 1:-1].to(dtype).contiguous()


@cache
def _in_the_plane(tile: int, which: int, dtype: torch.dtype) -> Tensor:
    """A^T (which = 0) or G (1) along both axes."""
    matrix = _matrices(tile)[which].contiguous()
    return torch.kron(matrix, matrix).to(dtype)


def _transform_images(x: Tensor) -> Tensor:
    """B^T d B: (B, 2 h, 2 w, C) to (n n, B tiles, 4 C)."""
    rows = _analysis(x.shape[1] // 2, x.dtype)
    x = torch.einsum("pith,bhwc->pitbwc", rows, x)
    x = torch.einsum("qjsw,pitbwc->ijbtspqc", rows, x)
    return x.flatten(5).flatten(2, 4).flatten(0, 1)


def _collect_images(products: Tensor, batch: int, outputs: int) -> Tensor:
    """The transpose of :func:`_transform_images`."""
    rows = _analysis(outputs, products.dtype)
    _, n, tiles, _ = rows.shape
    x = products.view(n, n, batch, tiles, tiles, 2, 2, -1)
    x = torch.einsum("qjsw,ijbtspqc->ipbtwc", rows, x)
    return torch.einsum("pith,ipbtwc->bhwc", rows, x)


def _transform_taps(weight: Tensor, tile: int) -> Tensor:
    """G g G^T: (O, C, 4, 4) to (n n, O, 4 C)."""
    outputs, inputs = weight.shape[:2]
    # Tap a of phase p is tap 2 a + p.
    taps = weight.permute(2, 3, 0, 1).view(2, 2, 2, 2, outputs, inputs).permute(0, 2, 4, 1, 3, 5)
    transformed = _in_the_plane(tile, 1, weight.dtype) @ taps.reshape(4, -1)
    return transformed.view(-1, outputs, 4 * inputs)


def _collect_outputs(products: Tensor, batch: int, outputs: int) -> Tensor:
    """A^T m A: (n n, B tiles, O) to (B, h, w, O)."""
    tile = TILES[outputs]
    tiles = outputs // tile
    y = _in_the_plane(tile, 0, products.dtype) @ products.flatten(1)
    y = y.view(tile, tile, batch, tiles, tiles, -1).permute(2, 3, 0, 4, 1, 5)
    return y.reshape(batch, outputs, outputs, -1)


def _spread_outputs(y: Tensor) -> Tensor:
    """The transpose of :func:`_collect_outputs`."""
    batch, outputs, _, channels = y.shape
    tile = TILES[outputs]
    tiles = outputs // tile
    y = y.reshape(batch, tiles, tile, tiles, tile, channels).permute(2, 4, 0, 1, 3, 5)
    products = _in_the_plane(tile, 0, y.dtype).T @ y.reshape(tile * tile, -1)
    return products.view(-1, batch * tiles * tiles, channels)
