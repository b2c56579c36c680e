"""Mixtures of players: T networks of one architecture, and how much each weighs.

S. Arora, R. Ge, Y. Liang, T. Ma, Y. Zhang, "Generalization and equilibrium in generative
adversarial nets", 2017, arXiv 1703.00573 (MIX+GAN). The weights are the softmax of T numbers that
are learned with the networks.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ganprior.priors.architectures.architecture import check_label
from ganprior.priors.architectures.conditional import Labelled, check_labels


class Mixture(nn.Module):
    """Components and their weights.

    Parameters
    ----------
    components : sequence of nn.Module
        T networks of one kind.
    """

    def __init__(self, components: Sequence[nn.Module]) -> None:
        super().__init__()
        self.components = nn.ModuleList(components)
        self.logits = nn.Parameter(torch.zeros(len(components)))

    @property
    def log_weights(self) -> Tensor:
        """Logarithms of the weights, (T,), differentiable in what is learned."""
        return self.logits.log_softmax(0)


class MixtureGenerator(Mixture, Labelled):
    """z (B, k) and the component of each, (B,), to images (B, C, H, W) in [-1, 1].

    Attributes
    ----------
    classes : int
        T: the label of an image is the component that makes it.
    """

    def __init__(self, components: Sequence[nn.Module]) -> None:
        super().__init__(components)
        self.classes = len(components)

    def forward(self, z: Tensor, labels: Tensor | None = None) -> Tensor:
        """Images of latents (B, k) and of components, int64 (B,).

        Raises
        ------
        ValueError
            If there are no labels.
        """
        if labels is None:
            check_labels(labels, self.classes, len(z))
        assert labels is not None
        order = labels.argsort(stable=True)
        parts = z[order].split(torch.bincount(labels, minlength=self.classes).tolist())
        pairs = zip(self.components, parts, strict=True)
        images = torch.cat([network(part) for network, part in pairs if len(part)])
        return images[order.argsort()]

    def each(self, z: Tensor) -> Tensor:
        """Images of latents (T B, k): of the first B by the first component, and so on."""
        pairs = zip(self.components, z.chunk(self.classes), strict=True)
        return torch.cat([network(part) for network, part in pairs])

    def given(self, label: int) -> nn.Module:
        """Copy of one component, a function of z (B, k) alone."""
        check_label(label, self.classes)
        return copy.deepcopy(self.components[label])


class MixtureDiscriminator(Mixture):
    """Images (B, C, H, W) in [-1, 1] to one number each, (B,): the components' weighted mean.

    For a critic that is the payoff of the mixed strategy itself; logits are averaged alike.
    """

    def forward(self, x: Tensor) -> Tensor:
        """One number per image, (B,)."""
        return self.log_weights.exp() @ torch.stack([network(x) for network in self.components])


def weights_of(network: nn.Module) -> Tensor | None:
    """Weights of the components of a mixture, (T,), as they are; None of any other network."""
    return network.log_weights.detach().exp() if isinstance(network, Mixture) else None


def components_of(network: nn.Module) -> list[nn.Module]:
    """Components of a mixture; of any other network itself alone."""
    return list(network.components) if isinstance(network, Mixture) else [network]
