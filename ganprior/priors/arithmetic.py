"""Arithmetic on latents: means of groups, added and subtracted.

A. Radford, L. Metz, S. Chintala, "Unsupervised representation learning with deep convolutional
generative adversarial networks", 2016, arXiv 1511.06434, section 6.3.2: mean latent of smiling
women - of neutral women + of neutral men gives a smiling man. They average three latents, since
single ones do not obey.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ganprior.priors.architectures.conditional import ConditionalGenerator, one_hot
from ganprior.priors.latent import GaussianLatent
from ganprior.priors.prior import Prior
from ganprior.streams import as_generator, uniform


def combine(groups: Sequence[Tensor], signs: Sequence[int]) -> Tensor:
    """Sum of the groups' means, each with its sign.

    Parameters
    ----------
    groups : sequence of Tensor
        Latents of each group, (N, *shape), N at least 1.
    signs : sequence of int
        1 or -1 for each group.

    Returns
    -------
    Tensor
        One latent, of shape ``shape``.

    Raises
    ------
    ValueError
        If there is no group, or not one sign for each.
    """
    if not groups or len(groups) != len(signs):
        raise ValueError(
            f"one sign per group of latents is needed, got {len(groups)} groups and "
            f"{len(signs)} signs"
        )
    return torch.stack([sign * z.mean(0) for z, sign in zip(groups, signs, strict=True)]).sum(0)


def neighbours(z: Tensor, count: int, rng: torch.Generator | int, scale: float = 0.25) -> Tensor:
    """Latents around one, z + u with u uniform on [-scale, scale] (the paper's 0.25).

    Parameters
    ----------
    z : Tensor
        One latent.
    count : int
        Number of neighbours.
    rng : torch.Generator or int
        Source of u, on the CPU, or its seed.
    scale : float
        Half the width of u.

    Returns
    -------
    Tensor
        (count, *shape).
    """
    u = 2 * uniform((count, *z.shape), as_generator(rng)) - 1
    return z + scale * u.to(z)


def joined_prior(prior: Prior) -> Prior:
    """Conditional prior as one of latents [z, y], y the code of the label, of k + classes entries.

    In it labels, too, can be averaged, added and subtracted.

    Raises
    ------
    ValueError
        If the prior is not a conditional one of this package.
    """
    generator = prior.generator
    if not isinstance(generator, ConditionalGenerator):
        raise ValueError("only a conditional prior of ganprior's own architectures has label codes")
    return Prior(
        generator.body,
        GaussianLatent(prior.latent.size + generator.classes),
        prior.image_shape,
        image_range=prior.image_range,
    )


def join_label(z: Tensor, label: int, classes: int) -> Tensor:
    """Latents of :func:`joined_prior` from latents (N, k) of one label, (N, k + classes)."""
    labels = torch.full((len(z),), label, dtype=torch.long)
    return torch.cat([z, one_hot(labels, classes, z)], 1)
