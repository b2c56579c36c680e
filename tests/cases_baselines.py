"""Small linear physics, images and baselines of linear physics that tests share."""

from __future__ import annotations

import math

import torch
from torch import nn

from ganprior.baselines import (
    LMMSE,
    GaussianMixture,
    LassoDCT,
    LassoPixel,
    LassoWavelet,
    TotalVariation,
)
from ganprior.priors import GaussianMixtureLaw


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


def tiny_law(shape=(1, 8, 8), components=3, seed=0, floor=1e-3):
    """A Gaussian mixture of images of that shape, of random parameters around 1/2."""
    generator = torch.Generator().manual_seed(seed)

    def normal(*size):
        return torch.randn(*size, generator=generator, dtype=torch.float64)

    n, r, q = math.prod(shape), 4, 9
    factors = torch.tril(0.3 * normal(components, r, r))
    factors.diagonal(dim1=1, dim2=2).abs_().add_(0.1)
    weights = torch.rand(components, generator=generator, dtype=torch.float64) + 0.5
    return GaussianMixtureLaw(
        image_shape=shape,
        weights=weights / weights.sum(),
        centre=0.5 + 0.1 * normal(n),
        basis=torch.linalg.qr(normal(n, q)).Q.T.contiguous(),
        means=0.5 * normal(components, r),
        factors=factors,
        variances=0.02 * torch.rand(q - r, generator=generator, dtype=torch.float64),
        diagonal=floor * (1 + torch.rand(n, generator=generator, dtype=torch.float64)),
    )


def covariances(law):
    """C_j, (K, n, n), from the definition."""
    roots = torch.zeros(len(law.weights), *[len(law.basis)] * 2, dtype=torch.float64)
    r = law.means.shape[1]
    roots[:, :r, :r] = law.factors @ law.factors.mT
    roots[:, r:, r:] = torch.diag(law.variances)
    return law.basis.T @ roots @ law.basis + torch.diag(law.diagonal)


# Every baseline that takes any linear physics: images of 8 x 8 in grey.
LINEAR_BASELINES = {
    "lasso-dct": lambda: LassoDCT(0.1),
    "lasso-wavelet": lambda: LassoWavelet(alpha=0.1),
    "lasso-pixel": lambda: LassoPixel(0.1),
    "lasso-dct:weights=frequency": lambda: LassoDCT(0.03, weights="frequency"),
    "lasso-dct:box=true": lambda: LassoDCT(0.1, box=True),
    "lasso-dct:box=true,weights=frequency": lambda: LassoDCT(0.03, weights="frequency", box=True),
    "lasso-wavelet:box=true": lambda: LassoWavelet(alpha=0.1, box=True),
    "lasso-pixel:box=true": lambda: LassoPixel(0.1, box=True),
    "tv": lambda: TotalVariation(0.03),
    "lmmse": lambda: LMMSE(tiny_law(), 0.02),
    "gaussian-mixture": lambda: GaussianMixture(tiny_law(), 0.02),
}
# The same, their weights by the noise that they are told.
TUNED_BASELINES = {
    "lasso-dct": lambda noise_std: LassoDCT(noise_std=noise_std),
    "lasso-wavelet": lambda noise_std: LassoWavelet(noise_std=noise_std),
    "lasso-pixel": lambda noise_std: LassoPixel(noise_std=noise_std),
    "lasso-dct:weights=frequency": lambda s: LassoDCT(None, s, weights="frequency"),
    "lasso-dct:box=true": lambda noise_std: LassoDCT(noise_std=noise_std, box=True),
    "lasso-dct:box=true,weights=frequency": lambda s: LassoDCT(
        None, s, weights="frequency", box=True
    ),
    "lasso-wavelet:box=true": lambda s: LassoWavelet(noise_std=s, box=True),
    "lasso-pixel:box=true": lambda noise_std: LassoPixel(noise_std=noise_std, box=True),
    "tv": lambda noise_std: TotalVariation(noise_std=noise_std),
    "lmmse": lambda noise_std: LMMSE(tiny_law(), noise_std),
    "gaussian-mixture": lambda noise_std: GaussianMixture(tiny_law(), noise_std),
}
