"""Conditional players: the label is one more input of both (cGAN and CDCGAN).

M. Mirza, S. Osindero, "Conditional Generative Adversarial Nets", 2014, arXiv 1411.1784: the label's
one-hot code y is joined to z in the generator, G(z|y), and to x in the discriminator, D(x|y)
(eq. 2). Before convolutions it is joined as one plane per class, as in the code of Radford et al.
(2016).
"""

from __future__ import annotations

import copy
from abc import abstractmethod
from typing import cast

import torch
from torch import Tensor, nn

from ganprior.priors.architectures.architecture import check_label


def one_hot(labels: Tensor, classes: int, like: Tensor) -> Tensor:
    """Codes (B, classes) of labels (B,), with the device and dtype of ``like``."""
    code = like.new_zeros(len(labels), classes)
    return code.scatter_(1, labels.to(like.device)[:, None], 1.0)


class Labelled(nn.Module):
    """A generator of this package that takes labels, as second argument.

    Attributes
    ----------
    classes : int
        Number of classes.
    """

    classes: int

    @abstractmethod
    def given(self, label: int) -> nn.Module:
        """Make the generator of one class, a function of z (B, k) alone; it is a copy."""


def classes_of(generator: nn.Module) -> int:
    """Number of classes of a conditional generator of this package; 0 for any other module."""
    return generator.classes if isinstance(generator, Labelled) else 0


def check_labels(labels: Tensor | None, classes: int, count: int) -> Tensor:
    """Labels of ``count`` images, int64 (count,), refused where they do not fit the prior.

    Raises
    ------
    ValueError
        If they are missing, wrong in number or kind, or out of range.
    """
    if labels is None:
        raise ValueError(
            f"the prior is conditional and was given no labels: give one of 0 ... {classes - 1} "
            "per image, or take prior.given(label)"
        )
    if tuple(labels.shape) != (count,) or labels.is_floating_point() or labels.is_complex():
        raise ValueError(
            f"labels must be int64 ({count},), one per image, got {labels.dtype} "
            f"{tuple(labels.shape)}"
        )
    for label in labels.unique().tolist():
        check_label(label, classes)
    return labels.long()


class ConditionalGenerator(Labelled):
    """z (B, k) and labels (B,) to images (B, C, H, W) in [-1, 1].

    Parameters
    ----------
    body : nn.Sequential
        Generator of k + ``classes`` numbers: the latent, then the label's one-hot code.
    classes : int
        Number of classes.
    """

    def __init__(self, body: nn.Sequential, classes: int) -> None:
        super().__init__()
        self.body = body
        self.classes = classes

    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        """Images of latents (B, k) and of labels, int64 (B,).

        Raises
        ------
        ValueError
            If there are no labels.
        """
        if labels is None:
            check_labels(labels, self.classes, len(z))
        assert labels is not None
        images: Tensor = self.body(torch.cat([z, one_hot(labels, self.classes, z)], 1))
        return images

    @torch.no_grad()
    def given(self, label: int) -> nn.Sequential:
        """Make the generator of one class, a function of z (B, k) alone; it is a copy.

        The label's column of the first layer's weights becomes that layer's bias, which changes
        nothing: W [z, y] = W_z z + w_y.
        """
        check_label(label, self.classes)
        layers = list(copy.deepcopy(self.body))
        first = layers[0]
        if isinstance(first, nn.Linear):
            return nn.Sequential(_with_label(first, label, self.classes), *layers[1:])
        linear, unflatten = _as_linear(cast(nn.ConvTranspose2d, layers[1]))
        return nn.Sequential(_with_label(linear, label, self.classes), unflatten, *layers[2:])


def _with_label(first: nn.Linear, label: int, classes: int) -> nn.Linear:
    weight = first.weight
    latent_size = weight.shape[1] - classes
    layer = nn.Linear(latent_size, len(weight)).to(weight)
    layer.weight.copy_(weight[:, :latent_size])
    layer.bias.copy_(weight[:, latent_size + label])
    if first.bias is not None:
        layer.bias.add_(first.bias)
    return layer.train(first.training)


def _as_linear(projection: nn.ConvTranspose2d) -> tuple[nn.Linear, nn.Unflatten]:
    """Transposed convolution of one pixel as the matrix product that it is.

    Its bias is one number per channel, and a label adds another one in each place of the grid.
    """
    inputs, *grid = projection.weight.shape
    weight = projection.weight.flatten(1).T
    linear = nn.Linear(inputs, len(weight)).to(weight).train(projection.training)
    linear.weight.copy_(weight)
    nn.init.zeros_(linear.bias)
    if projection.bias is not None:
        linear.bias.copy_(projection.bias.repeat_interleave(grid[1] * grid[2]))
    return linear, nn.Unflatten(1, tuple(grid))


class ConditionalDiscriminator(nn.Module):
    """Images (B, C, H, W) in [-1, 1] and their labels (B,) to one number each, (B,).

    Parameters
    ----------
    network : nn.Module
        Discriminator of C + ``classes`` channels, or of C H W + ``classes`` numbers.
    classes : int
        Number of classes.
    planes : bool
        Whether the code is joined as planes; otherwise to the flat image.
    """

    def __init__(self, network: nn.Module, classes: int, *, planes: bool) -> None:
        super().__init__()
        self.network = network
        self.classes = classes
        self.planes = planes

    def forward(self, x: Tensor, labels: Tensor) -> Tensor:
        """One number per image, (B,)."""
        code = one_hot(labels, self.classes, x)
        if self.planes:
            code = code[..., None, None].expand(-1, -1, *x.shape[2:])
        else:
            x = x.flatten(1)
        number: Tensor = self.network(torch.cat([x, code], 1))
        return number


class GivenLabel(nn.Module):
    """A player that takes labels, with one label filled in for all.

    Parameters
    ----------
    network : nn.Module
        Maps (tensor, labels) to something; it is kept as it is.
    label : int
        The label.
    """

    def __init__(self, network: nn.Module, label: int) -> None:
        super().__init__()
        self.network = network
        self.label = label

    def forward(self, tensor: Tensor) -> Tensor:
        """What the network gives for the label."""
        labels = torch.full((len(tensor),), self.label, device=tensor.device)
        result: Tensor = self.network(tensor, labels)
        return result


def generator_given(generator: nn.Module, label: int) -> nn.Module:
    """Copy of a conditional generator as a function of z alone.

    One that is not of this package keeps its form and is given the label with every call.
    """
    if isinstance(generator, Labelled):
        return generator.given(label)
    return GivenLabel(copy.deepcopy(generator), label)


def discriminator_given(discriminator: nn.Module, label: int) -> nn.Module:
    """Copy of a discriminator as a function of x alone; one that takes no labels stays as it is."""
    network = copy.deepcopy(discriminator)
    return GivenLabel(network, label) if isinstance(network, ConditionalDiscriminator) else network
