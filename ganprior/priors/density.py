"""The prior as a density and not as a range of images.

    x = G(z) + nu,    z ~ sum over c of w_c N(m_c, L_c L_c^T),    nu ~ N(mu, S)

nu is what the generator cannot draw, the representation error of Bora et al. (2017) with a law of
its own: Bayesian approximation error (J. Kaipio, E. Somersalo, "Statistical inverse problems:
discretization, model reduction and inverse crimes", Journal of Computational and Applied
Mathematics 198(2), 2007). The law of z is fitted after training, because latents of real images
seldom have the law that the generator was trained with (P. Ghosh, M. Sajjadi, A. Vergari, M. Black,
B. Schölkopf, "From variational to deterministic autoencoders", ICLR 2020, arXiv 1903.12436,
section 4). With a linear G this is a mixture of Gaussians of images.

Fitted by :func:`ganprior.evaluation.density.fit_density`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ganprior.numbers import check_count
from ganprior.priors.gaussian_mixture_law import GaussianMixtureLaw


@dataclass(frozen=True, eq=False)
class Density:
    """Law of the latents and of what the generator leaves out; all tensors are float64.

    Attributes
    ----------
    weights : Tensor
        w, positive, of sum 1, (K,).
    means : Tensor
        m_c, (K, k), k entries of a latent, flattened.
    factors : Tensor
        L_c, lower Cholesky factors, (K, k, k).
    deviation : GaussianMixtureLaw
        Law of nu: one Gaussian, low rank plus diagonal, of images of the prior's shape.

    Raises
    ------
    ValueError
        If the shapes do not fit together, a weight is not positive, or ``deviation`` has more than
        one component.
    """

    weights: Tensor
    means: Tensor
    factors: Tensor
    deviation: GaussianMixtureLaw

    def __post_init__(self) -> None:
        count, k = self.means.shape
        for name, shape in {"weights": (count,), "factors": (count, k, k)}.items():
            found = tuple(getattr(self, name).shape)
            if found != shape:
                raise ValueError(f"{name} has shape {found} where the means need {shape}")
        if not (self.weights > 0).all():
            raise ValueError("weights must be positive")
        if len(self.deviation.weights) != 1:
            raise ValueError(
                f"the deviation must be one Gaussian, got {len(self.deviation.weights)} components"
            )

    @property
    def components(self) -> int:
        """Gaussians in the law of the latents: K."""
        return len(self.weights)

    def to(self, device: torch.device) -> Density:
        """Copy to a device."""
        own = {name: getattr(self, name).to(device) for name in ("weights", "means", "factors")}
        return replace(self, **own, deviation=self.deviation.to(device))

    def latents(self, coordinates: Tensor, component: Tensor) -> Tensor:
        """z = m_c + L_c u of whitened coordinates u, (N, k), and components, (N,); float64."""
        moved = self.factors[component] @ coordinates.to(self.factors)[..., None]
        return self.means[component] + moved[..., 0]

    def sample_latents(self, count: int, rng: torch.Generator) -> Tensor:
        """Draw latents, float64, (count, k), by a CPU generator."""
        check_count("count", count, least=0)
        drawn = torch.multinomial(self.weights.cpu(), count, replacement=True, generator=rng)
        normal = torch.randn(count, self.means.shape[1], generator=rng, dtype=torch.float64)
        moved = torch.einsum("bij,bj->bi", self.factors.cpu()[drawn], normal)
        return self.means.cpu()[drawn] + moved

    def log_latent_density(self, z: Tensor) -> Tensor:
        """log p(z) of latents (B, k), float64, (B,)."""
        laws = torch.distributions.MultivariateNormal(self.means, scale_tril=self.factors)
        each = laws.log_prob(z.to(self.means)[:, None])
        return torch.logsumexp(each + self.weights.log(), 1)
