"""Layers that draw: Gaussian noise and dropout on the generator's hidden layers.

The noise is for training alone (S. Chintala et al. 2016, "How to Train a GAN?", who owe it to Zhao,
Mathieu, LeCun 2017, arXiv 1609.03126); dropout can stay on at test time (Isola et al. 2017, arXiv
1611.07004, section 3.1).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from ganprior.priors.architectures.dcgan_gated import Gate
from ganprior.priors.architectures.resnet_101 import ScaledTanh

_ACTIVATIONS = (nn.ReLU, nn.LeakyReLU, nn.Tanh, Gate, ScaledTanh)


class Drawing(nn.Module):
    """A layer that draws from ``rng``, or where that is None from torch's own generator."""

    rng: torch.Generator | None = None

    def normal(self, like: Tensor) -> Tensor:
        """Draw N(0, 1), with shape, device and dtype of ``like``."""
        device = like.device if self.rng is None else self.rng.device
        shape, float32 = like.shape, torch.float32
        return torch.randn(shape, generator=self.rng, device=device, dtype=float32).to(like)

    def kept(self, like: Tensor, share: float) -> Tensor:
        """1 with probability ``share``, else 0, with shape, device and dtype of ``like``."""
        device = like.device if self.rng is None else self.rng.device
        shape, float32 = like.shape, torch.float32
        drawn = torch.rand(shape, generator=self.rng, device=device, dtype=float32)
        return (drawn < share).to(like)


class GaussianNoise(Drawing):
    """x + std N(0, I) while training, x in eval mode.

    Parameters
    ----------
    std : float
        Standard deviation.
    """

    def __init__(self, std: float) -> None:
        super().__init__()
        self.std = std

    def forward(self, x: Tensor) -> Tensor:
        """Add the noise."""
        return x + self.std * self.normal(x) if self.training else x


class Dropout(Drawing):
    """Entries of x set to 0, the others scaled up so that the mean stays.

    Parameters
    ----------
    share : float
        Probability of an entry to be dropped.
    at_test : bool
        Whether eval mode drops as well.
    """

    def __init__(self, share: float, *, at_test: bool = False) -> None:
        super().__init__()
        self.share = share
        self.at_test = at_test

    def forward(self, x: Tensor) -> Tensor:
        """Drop entries."""
        if not (self.training or self.at_test):
            return x
        return x * self.kept(x, 1 - self.share) / (1 - self.share)


def draw_from(network: nn.Module, rng: torch.Generator | None) -> None:
    """Let the drawing layers of a network draw from ``rng``; a copy of the network copies it.

    Parameters
    ----------
    network : nn.Module
        Any network.
    rng : torch.Generator, optional
        Source of the draws, best on the CPU; None for torch's own.
    """
    for layer in network.modules():
        if isinstance(layer, Drawing):
            layer.rng = rng


@contextmanager
def drawing_from(network: nn.Module, rng: torch.Generator) -> Iterator[None]:
    """Let the drawing layers of a network draw from ``rng`` for a while."""
    before = [(layer, layer.rng) for layer in network.modules() if isinstance(layer, Drawing)]
    draw_from(network, rng)
    try:
        yield
    finally:
        for layer, own in before:
            layer.rng = own


def add_drawing_layers(
    generator: nn.Sequential, noise: float, dropout: float, *, dropout_at_test: bool
) -> None:
    """Put noise and dropout behind every activation of a generator but the one of its output.

    The activation becomes a sequence of itself and the new layers: the names of all parameters
    stay, so that weights go from a generator with them to one without.
    """
    if not (noise or dropout):
        return
    places = [
        (parent, name)
        for parent in generator.modules()
        for name, child in parent.named_children()
        if isinstance(child, _ACTIVATIONS)
    ]
    output = [child for child in generator.modules() if isinstance(child, _ACTIVATIONS)][-1]
    for parent, name in places:
        activation = getattr(parent, name)
        if activation is not output:
            layers: list[nn.Module] = [activation]
            layers += [GaussianNoise(noise)] if noise else []
            layers += [Dropout(dropout, at_test=dropout_at_test)] if dropout else []
            setattr(parent, name, nn.Sequential(*layers))
