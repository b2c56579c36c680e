"""StyleGAN2 and 3, as NVlabs and rosinality write them, with the latent in Z, W or W+.

T. Karras, S. Laine, M. Aittala, J. Hellsten, J. Lehtinen, T. Aila, "Analyzing and improving the
image quality of StyleGAN", CVPR 2020, arXiv 1912.04958: a mapping takes z ~ N(0, I) to w, and a
synthesis network takes one w for every layer to an image. W+ has a w of its own for each (R.
Abdal, Y. Qin, P. Wonka, "Image2StyleGAN", ICCV 2019, arXiv 1904.03189). Truncation moves w towards
the mean of W: w' = m + psi (w - m).

The modules are those of github.com/NVlabs/stylegan2-ada-pytorch and stylegan3 (``G_ema``) and of
github.com/rosinality/stylegan2-pytorch (``Generator``); nothing of either is needed here.
"""

from __future__ import annotations

from typing import Any, Literal

import torch
from torch import Tensor, nn

from ganprior.priors.adapters.stylegan2_noise import NoiseLatent, WithNoise
from ganprior.priors.checks import eval_mode
from ganprior.priors.latent import GaussianLatent, Latent, Moments
from ganprior.priors.prior import Prior
from ganprior.streams import derive_seed

Space = Literal["z", "w", "w+"]
# Latents from which mean and covariance of W are found.
DRAWN = 8192


def stylegan2(
    network: nn.Module,
    space: Space = "w",
    *,
    truncation: float = 1.0,
    label: int | None = None,
    noise: Literal["fixed", "optimised"] = "fixed",
) -> Prior:
    """Make a prior of a StyleGAN2 or StyleGAN3 generator.

    The noise of its layers is that of the checkpoint (NVlabs' ``noise_mode="const"``, rosinality's
    ``randomize_noise=False``), so that an image is a function of its latent, or a part of it.

    Parameters
    ----------
    network : nn.Module
        ``G_ema`` of NVlabs' code, or ``Generator`` of rosinality's.
    space : {"z", "w", "w+"}
        Where the latent is: (k,) for the first two, (layers, k) for the third. Solvers search W
        and W+ in the coordinates in which W has mean 0 and covariance I; rows of W+ are
        independent.
    truncation : float
        psi, above 0: 1 for none.
    label : int, optional
        Class of a conditional network, which needs one.
    noise : {"fixed", "optimised"}
        Whether noise maps are those of the checkpoint, or found with the latent. Then a latent is
        one vector: that of the space, in coordinates of mean 0 and covariance I, and the maps.

    Raises
    ------
    ValueError
        If the network is of neither kind or has no noise to be found, the space or ``noise`` is
        none, psi is not above 0, or a label is missing, out of range or of no use.

    Examples
    --------
    With the ``Generator`` of rosinality's code and weights converted to safetensors::

        network = Generator(256, 512, 8)
        network.load_state_dict(safetensors.torch.load_file("ffhq-256.safetensors"))
        prior = stylegan2(network, "w", truncation=0.7)
    """
    if space not in ("z", "w", "w+"):
        raise ValueError(f"space must be 'z', 'w' or 'w+', got {space!r}")
    if not truncation > 0:
        raise ValueError(f"truncation must be above 0, got {truncation}")
    if noise not in ("fixed", "optimised"):
        raise ValueError(f"noise must be 'fixed' or 'optimised', got {noise!r}")
    parts = _of_nvlabs(network, label) or _of_rosinality(network, label)
    if parts is None:
        raise ValueError(
            f"network must be a generator of NVlabs' or rosinality's StyleGAN2, got "
            f"{type(network).__name__}: it has neither mapping and synthesis nor style and n_latent"
        )
    mean = _sampled_w(parts, DRAWN).double().mean(0)
    generator = _Synthesis(parts, mean.float(), truncation if space == "z" else 1.0, space)
    rows = parts.layers if space == "w+" else None
    law: Latent = GaussianLatent(parts.inputs)
    if space != "z":
        law = MappedLatent(parts, mean, truncation, rows)
    if noise == "fixed":
        return Prior.from_module(generator, law.shape, latent=law)
    noisy = WithNoise(generator, law)
    law = NoiseLatent(law, sum(noisy.sizes))
    return Prior.from_module(noisy, law.shape, latent=law)


class Parts(nn.Module):
    """Mapping and synthesis of one network, whoever wrote it."""

    inputs: int
    styles: int
    layers: int

    def map(self, z: Tensor) -> Tensor:
        """W of latents, (N, ``inputs``) to (N, ``styles``)."""
        raise NotImplementedError

    def render(self, w: Tensor) -> Tensor:
        """Images of a w for each layer, (N, ``layers``, ``styles``)."""
        raise NotImplementedError


class _NVlabs(Parts):
    def __init__(self, network: Any, label: int | None) -> None:
        super().__init__()
        self.network = network
        self.inputs, self.styles = int(network.z_dim), int(network.w_dim)
        self.layers, self.label = int(network.num_ws), label

    def map(self, z: Tensor) -> Tensor:
        c = None
        if self.label is not None:
            c = z.new_zeros(len(z), int(self.network.c_dim))
            c[:, self.label] = 1
        w: Tensor = self.network.mapping(z, c)[:, 0]
        return w

    def render(self, w: Tensor) -> Tensor:
        image: Tensor = self.network.synthesis(w, noise_mode="const", force_fp32=True)
        return image


class _Rosinality(Parts):
    def __init__(self, network: Any) -> None:
        super().__init__()
        self.network = network
        self.inputs = self.styles = int(network.style_dim)
        self.layers = int(network.n_latent)

    def map(self, z: Tensor) -> Tensor:
        w: Tensor = self.network.style(z)
        return w

    def render(self, w: Tensor) -> Tensor:
        image: Tensor = self.network([w], input_is_latent=True, randomize_noise=False)[0]
        return image


def _of_nvlabs(network: Any, label: int | None) -> Parts | None:
    if not all(hasattr(network, name) for name in ("mapping", "synthesis", "num_ws", "w_dim")):
        return None
    classes = int(getattr(network, "c_dim", 0))
    if classes and (label is None or not 0 <= label < classes):
        raise ValueError(f"label must be one of 0 ... {classes - 1}, got {label}")
    if not classes and label is not None:
        raise ValueError(f"the network has no classes, got label={label}")
    return _NVlabs(network, label)


def _of_rosinality(network: Any, label: int | None) -> Parts | None:
    if not all(hasattr(network, name) for name in ("style", "n_latent", "style_dim")):
        return None
    if label is not None:
        raise ValueError(f"the network has no classes, got label={label}")
    return _Rosinality(network)


class _Synthesis(nn.Module):
    """Images of latents in one of the spaces."""

    mean: Tensor

    def __init__(self, parts: Parts, mean: Tensor, truncation: float, space: Space) -> None:
        super().__init__()
        self.parts, self.truncation, self.space = parts, truncation, space
        self.register_buffer("mean", mean)

    def forward(self, latent: Tensor) -> Tensor:
        """Latents (N, *shape of the space) to images (N, C, H, W) in [-1, 1]."""
        w = latent
        if self.space == "z":
            w = self.mean + self.truncation * (self.parts.map(latent) - self.mean)
        if self.space != "w+":
            w = w[:, None].expand(-1, self.parts.layers, -1)
        return self.parts.render(w)

    def extra_repr(self) -> str:
        """What the weights do not say."""
        return f"space={self.space}, truncation={self.truncation}"


class MappedLatent(Latent):
    """Law of w' = m + psi (w - m), w the mapping's of z ~ N(0, I); independent in each row of W+.

    Parameters
    ----------
    parts : Parts
        Has the mapping.
    mean : Tensor
        m, float64, (k,).
    truncation : float
        psi.
    rows : int, optional
        Layers of W+; None for W.
    """

    name = "mapped"

    def __init__(self, parts: Parts, mean: Tensor, truncation: float, rows: int | None) -> None:
        super().__init__(parts.styles if rows is None else (rows, parts.styles))
        self._parts, self._mean, self._truncation = parts, mean, truncation
        self._found: Moments | None = None

    def sample(self, count: int, rng: torch.Generator | int) -> Tensor:
        """Draw ``count`` latents, float32."""
        z = GaussianLatent((*self.shape[:-1], self._parts.inputs)).sample(count, rng)
        w = _mapped(self._parts, z.flatten(0, -2)).double()
        moved = self._mean + self._truncation * (w - self._mean)
        return moved.float().reshape(count, *self.shape)

    def penalty(self, z: Tensor) -> Tensor:
        """Half the squared Mahalanobis distance from m: the law has no density that is known."""
        u = self.moments().remove(z.flatten(-len(self.shape)))
        return u.square().sum(-1) / 2

    def moments(self) -> Moments:
        """Those of a row."""
        if self._found is None:
            w = self._mean + self._truncation * (_sampled_w(self._parts, DRAWN) - self._mean)
            self._found = Moments.of(w)
        return self._found


@torch.no_grad()
def _mapped(parts: Parts, z: Tensor) -> Tensor:
    parameter = next(parts.parameters())
    with eval_mode(parts):  # in training mode NVlabs' mapping moves its own mean
        return torch.cat([parts.map(part.to(parameter)) for part in z.split(4096)]).cpu()


def _sampled_w(parts: Parts, count: int) -> Tensor:
    rng = torch.Generator().manual_seed(derive_seed(0, "mean of W"))
    return _mapped(parts, GaussianLatent(parts.inputs).sample(count, rng))
