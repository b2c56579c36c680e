"""Small linear physics and images that the tests of the Lassos share."""

from __future__ import annotations

import math

import torch
from torch import nn


class DensePhysics(nn.Module):
    """A(x) = matrix x, as an instrument would have it; ``hidden`` hides the matrix."""

    def __init__(self, matrix, shape, hidden=False):
        super().__init__()
        self.shape = shape
        self._matrix = matrix
        if not hidden:
            self.register_buffer("matrix", matrix)

    def A(self, x):
        return x.flatten(1) @ self._matrix.T

    def A_adjoint(self, y):
        return (y @ self._matrix).reshape(-1, *self.shape)


class MaskPhysics(nn.Module):
    """One mask per image: (B, 1, H, W)."""

    def __init__(self, mask):
        super().__init__()
        self.register_buffer("mask", mask)

    def A(self, x):
        return self.mask * x

    def A_adjoint(self, y):
        return self.mask * y


class FourierPhysics(nn.Module):
    """Some rows of the unitary Fourier transform of real images: complex measurements."""

    def __init__(self, rows):
        super().__init__()
        self.rows = rows

    def A(self, x):
        return torch.fft.fft2(x, norm="ortho")[..., self.rows, :]

    def A_adjoint(self, y):
        full = torch.zeros(*y.shape[:-2], y.shape[-1], y.shape[-1], dtype=y.dtype)
        full[..., self.rows, :] = y
        return torch.fft.ifft2(full, norm="ortho")


def gaussian(m, shape, seed=0, dtype=torch.float64, **kwargs):
    generator = torch.Generator().manual_seed(seed)
    matrix = torch.randn(m, math.prod(shape), generator=generator, dtype=torch.float64)
    return DensePhysics((matrix / math.sqrt(m)).to(dtype), shape, **kwargs)


def images(count, shape, seed=0, dtype=torch.float64):
    """Smooth images in [0, 1] with an edge, so that no basis has an easy time."""
    generator = torch.Generator().manual_seed(100 + seed)
    coarse = torch.rand(count, shape[0], 3, 3, generator=generator, dtype=torch.float64)
    x = nn.functional.interpolate(coarse, size=shape[1:], mode="bilinear")
    x[..., : shape[1] // 2, : shape[2] // 3] = 0
    return x.to(dtype)
