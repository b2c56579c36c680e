"""Decoders of latent diffusion models, as diffusers writes them: ``AutoencoderKL``.

R. Rombach, A. Blattmann, D. Lorenz, P. Esser, B. Ommer, "High-resolution image synthesis with
latent diffusion models", CVPR 2022, arXiv 2112.10752, section 3.1: an autoencoder with a weak KL
penalty, whose latents are maps. A factor scales them to variance 1 (appendix G), which is all that
makes N(0, I) a rough law for them: they are no white noise, and samples are texture. An image is
found from its latent as well as without it; give a law of your own where you have one.
"""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn

from ganprior.priors.latent import GaussianLatent, Latent
from ganprior.priors.prior import Prior


def autoencoder_kl(
    network: nn.Module, size: int | tuple[int, int], *, latent: Latent | None = None
) -> Prior:
    """Make a prior of the decoder of an ``AutoencoderKL``, with its encoder.

    Parameters
    ----------
    network : nn.Module
        ``diffusers.AutoencoderKL``, or whatever has its ``config``, ``encode`` and ``decode``.
    size : int or (int, int)
        Height and width of the images, multiples of what a latent stands for (8 as a rule).
    latent : Latent, optional
        Law of the scaled latents, (channels, height / 8, width / 8); N(0, I) when absent.

    Raises
    ------
    ValueError
        If it is none, or the size is no multiple.

    Examples
    --------
    With a folder of Stable Diffusion's, which holds safetensors::

        network = AutoencoderKL.from_pretrained("stable-diffusion-2", subfolder="vae")
        prior = autoencoder_kl(network, 256)
    """
    if not all(hasattr(network, name) for name in ("config", "encode", "decode")):
        raise ValueError(
            f"network must be an AutoencoderKL of diffusers, got {type(network).__name__}: it has "
            "no config, encode and decode"
        )
    config: Any = network.config
    step = 2 ** (len(config.block_out_channels) - 1)
    height, width = (size, size) if isinstance(size, int) else size
    if height < step or width < step or height % step or width % step:
        raise ValueError(f"size must be multiples of {step}, got {height} x {width}")
    shape = (int(config.latent_channels), height // step, width // step)
    law = GaussianLatent(shape) if latent is None else latent
    return Prior.from_module(_Decoder(network), shape, latent=law, encoder=_Encoder(network))


class _Scaled(nn.Module):
    def __init__(self, network: Any) -> None:
        super().__init__()
        self.network = network
        self.scale = float(network.config.scaling_factor)
        self.shift = float(getattr(network.config, "shift_factor", None) or 0)

    def extra_repr(self) -> str:
        """What the weights do not say."""
        return f"scale={self.scale}, shift={self.shift}"


class _Decoder(_Scaled):
    def forward(self, z: Tensor) -> Tensor:
        """Latents (N, channels, h, w) to images (N, 3, H, W) in [-1, 1]."""
        image: Tensor = self.network.decode(z / self.scale + self.shift, return_dict=False)[0]
        return image


class _Encoder(_Scaled):
    def forward(self, x: Tensor) -> Tensor:
        """Images in [-1, 1] to the means of their latents."""
        law: Any = self.network.encode(x, return_dict=False)[0]
        mean: Tensor = law.mode()
        return (mean - self.shift) * self.scale
