"""Small priors and physics that tests share."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ganprior.priors import GaussianLatent, Prior
from ganprior.priors.architectures.dcgan import DCGANDiscriminator, DCGANGenerator


def rng(seed: int = 0) -> torch.Generator:
    """CPU generator."""
    return torch.Generator().manual_seed(seed)


def tiny_dcgan(latent_size: int = 6, size: int = 8, channels: int = 1, seed: int = 0) -> Prior:
    """A DCGAN of random weights with batch-norm statistics of its own, in eval mode."""
    generator = DCGANGenerator(latent_size, channels, size, 8)
    discriminator = DCGANDiscriminator(channels, size, 4)
    source = rng(seed)
    with torch.no_grad():
        for network in (generator, discriminator):
            for parameter in network.parameters():
                parameter.normal_(0, 0.3, generator=source)
            for buffer in network.buffers():
                if buffer.is_floating_point():
                    buffer.uniform_(0.5, 1.5, generator=source)
    architecture = {
        "name": "dcgan",
        "latent_size": latent_size,
        "channels": channels,
        "size": size,
        "filters": 8,
        "discriminator_filters": 4,
        "discriminator_batch_norm": True,
    }
    card = {"architecture": architecture, "discriminator_output": "probability"}
    return Prior(
        generator,
        GaussianLatent(latent_size),
        (channels, size, size),
        discriminator=discriminator,
        card=card,
    ).eval()


class LinearGenerator(nn.Module):
    """x = W z, for which every latent problem has a closed form."""

    def __init__(self, latent_size: int, shape: tuple[int, int, int], seed: int = 0) -> None:
        super().__init__()
        self.shape = shape
        channels, height, width = shape
        size = channels * height * width
        self.weight = nn.Parameter(torch.randn(size, latent_size, generator=rng(seed)) / 4)

    def forward(self, z: Tensor) -> Tensor:
        return (z @ self.weight.T).unflatten(-1, self.shape)


def linear_prior(latent_size: int = 5, shape: tuple[int, int, int] = (1, 6, 6)) -> Prior:
    """Prior of a linear generator, in double precision, image range [0, 1] taken as it is."""
    module = LinearGenerator(latent_size, shape).double()
    return Prior.from_module(module, latent_size, image_range=(0, 1))


class Dense:
    """y = A x with a dense matrix; nothing but a method ``A`` and its adjoint."""

    def __init__(self, matrix: Tensor, shape: tuple[int, int, int]) -> None:
        self.matrix = matrix
        self.shape = shape

    def A(self, x: Tensor) -> Tensor:
        return x.flatten(1) @ self.matrix.T

    def A_adjoint(self, y: Tensor) -> Tensor:
        return (y @ self.matrix).unflatten(1, self.shape)


def gaussian(m: int, shape: tuple[int, int, int], seed: int = 1, dtype=torch.float32) -> Dense:
    """Dense operator with N(0, 1/m) entries."""
    channels, height, width = shape
    matrix = torch.randn(m, channels * height * width, generator=rng(seed), dtype=dtype)
    return Dense(matrix / m**0.5, shape)


class Mask:
    """y = M x with one mask for all images, (1, 1, H, W), or one per image, (B, 1, H, W)."""

    def __init__(self, mask: Tensor) -> None:
        self.mask = mask

    def A(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        if mask is not None:
            self.mask = mask
        if len(self.mask) not in (1, len(x)):
            raise ValueError("one mask per image")
        return x * self.mask

    def A_adjoint(self, y: Tensor) -> Tensor:
        return self.A(y)


class Phaseless:
    """y = |A x|^2: a non-linear physics."""

    def __init__(self, dense: Dense) -> None:
        self.dense = dense

    def A(self, x: Tensor) -> Tensor:
        return self.dense.A(x).square()


class Fourier:
    """y = some rows of the complex Fourier transform of x."""

    def A(self, x: Tensor) -> Tensor:
        return torch.fft.fft2(x, norm="ortho")[..., ::2, :]
