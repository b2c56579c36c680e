"""Laplace's approximation of p(z | y): a Gaussian at each mode.

    p(z | y) ~ sum over c of p(c | y) N(z; z_c, L_c H_c^-1 L_c^T),    H_c = I + J^T J = P P^T

with the modes z_c = m_c + L_c u_c and p(c | y) of :mod:`ganprior.solvers.modes` (D. MacKay,
"Information theory, inference, and learning algorithms", 2003, section 27.1).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor

from ganprior.priors.density import Density
from ganprior.solvers.modes import Modes


@dataclass(frozen=True)
class LaplaceMixture:
    """The approximation of one signal; all tensors are float64.

    Attributes
    ----------
    log_shares : Tensor
        log p(c | y) of the modes, (C,).
    centres : Tensor
        z_c, (C, k).
    factors : Tensor
        L_c, lower triangular, (C, k, k).
    precision : Tensor
        P, lower triangular, (C, k, k).
    log_evidence : Tensor
        log p(y) of the whitened y, up to the constant.
    """

    log_shares: Tensor
    centres: Tensor
    factors: Tensor
    precision: Tensor
    log_evidence: Tensor

    @classmethod
    def of(cls, density: Density, modes: Modes, signal: int) -> Self:
        """That of one of the signals."""
        log_joint, component = modes.log_joint[:, signal], modes.component[:, signal]
        # Measurements out of all proportion leave no number: any mode will do.
        log_shares = log_joint.nan_to_num(nan=-1e300, neginf=-1e300).log_softmax(0)
        centres = density.latents(modes.u[:, signal], component)
        factors, precision = density.factors[component], modes.precision[:, signal]
        return cls(log_shares, centres, factors, precision, log_joint.logsumexp(0))

    def sample(self, count: int, rng: torch.Generator) -> Tensor:
        """Draw latents, (count, k), by a CPU generator."""
        shares = self.log_shares.exp().cpu()
        c = torch.multinomial(shares, count, replacement=True, generator=rng)
        normal = torch.randn(count, self.centres.shape[1], generator=rng, dtype=torch.float64)
        c, normal = c.to(self.centres.device), normal.to(self.centres)
        u = torch.linalg.solve_triangular(self.precision[c].mT, normal[..., None], upper=True)
        return self.centres[c] + (self.factors[c] @ u)[..., 0]

    def log_density(self, z: Tensor) -> Tensor:
        """Log density of latents (N, k), (N,)."""
        away = (z - self.centres[:, None]).mT
        u = torch.linalg.solve_triangular(self.factors, away, upper=False)
        white = self.precision.mT @ u
        volumes = [f.diagonal(dim1=1, dim2=2).log().sum(1) for f in (self.precision, self.factors)]
        scale = volumes[0] - volumes[1] - z.shape[1] / 2 * math.log(2 * math.pi)
        each = (self.log_shares + scale)[:, None] - white.square().sum(1) / 2
        return each.logsumexp(0)
