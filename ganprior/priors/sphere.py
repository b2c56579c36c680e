"""Priors on a sphere, where the latents of a wide normal law are.

S. Menon, A. Damian, S. Hu, N. Ravi, C. Rudin, "PULSE: self-supervised photo upsampling via latent
space exploration of generative models", CVPR 2020, arXiv 2003.03808, section 3.2: a vector of
N(0, I_k) has a length of about sqrt(k), so that the search is kept to sqrt(k) S^{k-1}. In W they
bring the law to N(0, I) by a leaky ReLU and an affine map; here it is brought to mean 0 and
covariance I by an affine map alone.
"""

from __future__ import annotations

import copy
import math

import torch
from torch import Tensor, nn

from ganprior.priors.latent import Latent
from ganprior.priors.prior import Prior
from ganprior.priors.standard import standardised


def on_sphere(prior: Prior) -> Prior:
    """Return a prior whose latents are directions: x = G(m + L sqrt(k) u / ||u||).

    m and L are the mean of z and a factor of its covariance; 0 and 1 where z is standard. The
    length of u means nothing, and its gradient is along the sphere, so that any solver stays on it:
    give ``latent_weight=0``.

    Parameters
    ----------
    prior : Prior
        Any prior; its networks are shared and not changed. An encoder and a density are left out.

    Examples
    --------
    >>> from ganprior import Prior
    >>> from ganprior.priors import on_sphere
    >>> prior = Prior.load("mnist")
    >>> z = on_sphere(prior).sample_latents(2, 0)
    >>> z.norm(dim=1).square().round().tolist()
    [20.0, 20.0]
    """
    own = standardised(prior).prior
    made = Prior(
        OnSphere(own.generator, own.latent.size),
        SphereLatent(own.latent),
        prior.image_shape,
        image_range=prior.image_range,
        discriminator=copy.deepcopy(prior.discriminator),
        classes=prior.classes,
        card={key: value for key, value in prior.card.items() if key in ("name", "data")},
    )
    return made.train(prior.training)


class OnSphere(nn.Module):
    """A generator of sqrt(k) u / ||u||.

    Parameters
    ----------
    generator : nn.Module
        Of standard latents.
    size : int
        k.
    """

    def __init__(self, generator: nn.Module, size: int) -> None:
        super().__init__()
        self.generator, self.radius = generator, math.sqrt(size)

    def forward(self, u: Tensor, *others: Tensor) -> Tensor:
        """Images of u, (N, *latent shape)."""
        images: Tensor = self.generator(_scaled(u, self.radius), *others)
        return images


class SphereLatent(Latent):
    """Law of z / ||z|| sqrt(k), z of another law.

    Parameters
    ----------
    law : Latent
        Of standard latents.
    """

    name = "sphere"

    def __init__(self, law: Latent) -> None:
        super().__init__(law.shape)
        self.law = law

    def sample(self, count: int, rng: torch.Generator | int) -> Tensor:
        """Draw ``count`` latents of length sqrt(k)."""
        return _scaled(self.law.sample(count, rng), math.sqrt(self.size))

    def penalty(self, z: Tensor) -> Tensor:
        """0: every direction is as good as another."""
        return self._sum(torch.zeros_like(z))

    def moments(self) -> None:
        """None: these are standard coordinates."""


def _scaled(u: Tensor, radius: float) -> Tensor:
    rows = u.flatten(1)
    length = rows.norm(dim=1, keepdim=True).clamp_min(torch.finfo(u.dtype).tiny)
    return (rows * (radius / length)).reshape(u.shape)
