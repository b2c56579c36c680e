"""Invertible flows as priors, with exact densities, as the package normflows writes them.

M. Asim, M. Daniels, O. Leong, A. Ahmed, P. Hand, "Invertible generative models for inverse
problems: mitigating representation error and dataset bias", ICML 2020, arXiv 1905.11672: x = f(z)
with f invertible and k = n, so that every image is in the range, nothing deviates from it, and

    log p(x) = log N(z; 0, I) - log |det df/dz|,    z = f^-1(x).

The flow is ``NormalizingFlow`` or ``MultiscaleFlow`` of normflows (V. Stimper et al., JOSS 8(86),
2023), Glow (D. Kingma, P. Dhariwal, NeurIPS 2018, arXiv 1807.03039) among them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from ganprior.priors.checks import checked_image_shape
from ganprior.priors.latent import GaussianLatent
from ganprior.priors.prior import Prior


def flow(
    network: nn.Module,
    image_shape: tuple[int, int, int],
    *,
    image_range: tuple[float, float] = (0.0, 1.0),
) -> Prior:
    """Make a prior of an invertible flow.

    The latent is a vector of n numbers, N(0, I): what the flow's base adds to it or multiplies it
    with is part of the generator. ``prior.latent.log_prob(z)`` is the exact log-density of latents,
    ``prior.generator.log_prob(x)`` that of images, and ``prior.encoder`` the inverse.

    Parameters
    ----------
    network : nn.Module
        A flow over images of that shape, or over vectors of as many numbers.
    image_shape : tuple of int
        (C, H, W).
    image_range : pair of float
        Range of the images that it was trained on.

    Raises
    ------
    ValueError
        If it is no flow of normflows, a base is no ``DiagGaussian``, or their numbers are not
        those of an image.
    """
    shape = checked_image_shape(image_shape)
    if not all(hasattr(network, name) for name in ("q0", "flows")):
        raise ValueError(
            f"network must be a NormalizingFlow or MultiscaleFlow of normflows, got "
            f"{type(network).__name__}: it has no q0 and flows"
        )
    generator = Flow(network, shape)
    numbers = sum(generator.sizes)
    if numbers != math.prod(shape):
        raise ValueError(f"the flow's bases have {numbers} numbers, an image {math.prod(shape)}")
    law = GaussianLatent(numbers)
    inverse = _Inverse(generator)
    return Prior.from_module(
        generator, numbers, latent=law, image_range=image_range, encoder=inverse
    )


class Flow(nn.Module):
    """Latents (N, n), N(0, I), to images (N, C, H, W), and back with their density.

    Parameters
    ----------
    network : nn.Module
        Flow of normflows.
    shape : tuple of int
        (C, H, W).
    """

    def __init__(self, network: Any, shape: tuple[int, int, int]) -> None:
        super().__init__()
        self.network, self.shape = network, shape
        self.several = isinstance(network.q0, nn.ModuleList | list | tuple)
        for base in self.bases:
            # Others have a loc and a log_scale too, mixtures say.
            if all(kind.__name__ != "DiagGaussian" for kind in type(base).__mro__):
                raise ValueError(
                    f"the flow's base must be a DiagGaussian, got {type(base).__name__}; of a "
                    "conditional flow give that of one class"
                )
        self.sizes = [int(base.loc.numel()) for base in self.bases]

    @property
    def bases(self) -> Sequence[Any]:
        """Base law of every scale."""
        q0: Any = self.network.q0
        return list(q0) if self.several else [q0]

    def forward(self, z: Tensor) -> Tensor:
        """Images of latents."""
        parts = [
            base.loc + base.log_scale.exp() * part.reshape(-1, *base.loc.shape[1:])
            for base, part in zip(self.bases, z.split(self.sizes, 1), strict=True)
        ]
        network: Any = self.network
        x, _ = network.forward_and_log_det(parts if self.several else parts[0])
        image: Tensor = x.reshape(len(z), *self.shape)
        return image

    def inverse(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Latents (N, n) of images, and log |det dz/dx|, (N,)."""
        network: Any = self.network
        flat = not self.several and self.bases[0].loc.dim() == 2
        found, log_det = network.inverse_and_log_det(x.flatten(1) if flat else x)
        parts = found if self.several else [found]
        rows = [
            ((part - base.loc) * (-base.log_scale).exp()).flatten(1)
            for base, part in zip(self.bases, parts, strict=True)
        ]
        scales = torch.stack([base.log_scale.sum() for base in self.bases]).sum()
        return torch.cat(rows, 1), log_det - scales

    def log_prob(self, x: Tensor) -> Tensor:
        """Exact log p(x) in nats of images (N, C, H, W) in ``image_range``: (N,)."""
        z, log_det = self.inverse(x)
        return GaussianLatent(z.shape[1]).log_prob(z) + log_det


class _Inverse(nn.Module):
    """The encoder of a flow: its inverse."""

    def __init__(self, own: Flow) -> None:
        super().__init__()
        self.own = own

    def forward(self, x: Tensor) -> Tensor:
        """Latents (N, n) of images (N, C, H, W)."""
        return self.own.inverse(x)[0]
