"""BigGAN, as Hugging Face and ajbrock write it, of one class or of all of them.

A. Brock, J. Donahue, K. Simonyan, "Large scale GAN training for high fidelity natural image
synthesis", ICLR 2019, arXiv 1809.11096: a class has an embedding, which is joined to z and sets
gains and biases of every batch norm (section 3 and appendix B); truncation draws z from a normal
law that is cut off (section 3.1).

The modules are those of github.com/huggingface/pytorch-pretrained-BigGAN (``BigGAN``, whose batch
norms keep statistics for each truncation) and of github.com/ajbrock/BigGAN-PyTorch
(``Generator``); nothing of either is needed here.
"""

from __future__ import annotations

from typing import Any

import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils import remove_spectral_norm
from torch.nn.utils.spectral_norm import SpectralNorm

from ganprior.priors.latent import GaussianLatent, Latent, TruncatedLatent
from ganprior.priors.modules import copy_of
from ganprior.priors.prior import Prior


def biggan(
    network: nn.Module, label: int | None = None, *, truncation: float | None = None
) -> Prior:
    """Make a prior of a BigGAN generator.

    Parameters
    ----------
    network : nn.Module
        ``BigGAN`` of Hugging Face's package, or ``Generator`` of ajbrock's code. A copy is kept,
        in which spectral norms are constants.
    label : int, optional
        The class. Without one the prior is conditional, and ``prior.given(label)`` is that of a
        class.
    truncation : float, optional
        psi in (0, 1]: z is psi times a normal law cut off at 2. Without it z ~ N(0, I), as in
        training, and batch norms have the statistics of psi = 1.

    Raises
    ------
    ValueError
        If the network is of neither kind, or the label or psi is out of range.

    Examples
    --------
    With Hugging Face's ``BigGAN`` and its weights converted to safetensors by
    ``ganprior convert``::

        network = BigGAN(BigGANConfig.from_json_file("biggan-deep-256-config.json"))
        network.load_state_dict(safetensors.torch.load_file("biggan.safetensors"))
        prior = biggan(network, label=207, truncation=0.4)
    """
    for make in (_OfHuggingFace, _OfBrock):
        if all(hasattr(network, name) for name in make.needs):
            parts = make(_with_constant_norms(network), truncation or 1.0)
            break
    else:
        raise ValueError(
            f"network must be a BigGAN of Hugging Face's or ajbrock's, got "
            f"{type(network).__name__}: it has neither {' and '.join(_OfHuggingFace.needs)} nor "
            f"{', '.join(_OfBrock.needs)}"
        )
    law: Latent = GaussianLatent(parts.inputs)
    if truncation is not None:
        law = TruncatedLatent(parts.inputs, truncation)
    every = Prior.from_module(parts, law.shape, latent=law, classes=parts.classes)
    return every if label is None else every.given(label)


class Parts(nn.Module):
    """Latents and labels to images, whoever wrote the network."""

    needs: tuple[str, ...]
    inputs: int
    classes: int

    def __init__(self, network: Any, truncation: float) -> None:
        super().__init__()
        self.network, self.truncation = network, truncation

    def extra_repr(self) -> str:
        """What the weights do not say."""
        return f"truncation={self.truncation}"


class _OfHuggingFace(Parts):
    needs = ("embeddings", "generator")

    def __init__(self, network: Any, truncation: float) -> None:
        super().__init__(network, truncation)
        self.inputs, self.classes = int(network.config.z_dim), int(network.config.num_classes)

    def forward(self, z: Tensor, labels: Tensor) -> Tensor:
        """Latents (N, k) and labels (N,) to images (N, 3, H, W) in [-1, 1]."""
        code = F.one_hot(labels, self.classes).to(z)
        image: Tensor = self.network(z, code, self.truncation)
        return image


class _OfBrock(Parts):
    needs = ("shared", "dim_z", "n_classes")

    def __init__(self, network: Any, truncation: float) -> None:
        super().__init__(network, truncation)
        self.inputs, self.classes = int(network.dim_z), int(network.n_classes)

    def forward(self, z: Tensor, labels: Tensor) -> Tensor:
        """Latents (N, k) and labels (N,) to images (N, 3, H, W) in [-1, 1]."""
        image: Tensor = self.network(z, self.network.shared(labels))
        return image


def _with_constant_norms(network: nn.Module) -> nn.Module:
    """Copy in which torch's spectral norms are the weights that they give in eval mode."""
    network = copy_of(network).eval()
    for layer in network.modules():
        for hook in list(layer._forward_pre_hooks.values()):
            if isinstance(hook, SpectralNorm):
                remove_spectral_norm(layer, hook.name)
    return network
